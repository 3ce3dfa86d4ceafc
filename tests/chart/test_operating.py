"""What the chart's pages tell an operator to do, and what it makes for one."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.chart.helming import workloads

from lokikit.kit import kit_root

if TYPE_CHECKING:
    from tests.chart.helming import Helm


def page(name: str) -> str:
    """A page of `docs`."""
    return (kit_root() / "docs" / name).read_text()


def upgrade(text: str, word: str) -> list[str]:
    """What the `helm upgrade` of a page that says `word` sets."""
    commands = re.findall(r"^ *helm upgrade ((?:.*\\\n)*.*)", text, re.MULTILINE)
    (command,) = (one for one in commands if word in one)
    told = shlex.split(command.replace("\\\n", ""))
    return [f"--set={value}" for flag, value in pairwise(told) if flag == "--set"]


def test_the_way_to_the_canary_leads_one_image(helm: Helm) -> None:
    """Of what the page says to push, one image comes from the registry that it was pushed to."""
    made = workloads(helm.render(*upgrade(page("kubernetes.md"), "canary.enabled=true")))
    images = {
        component: one["spec"]["template"]["spec"]["containers"][0]["image"]
        for component, one in made.items()
    }
    assert images.pop("canary").startswith("registry.example/lokikit:")
    assert len(images) == 3
    assert all(one.startswith("docker.io/") for one in images.values())


def test_no_registry_for_the_canary(helm: Helm) -> None:
    """Its image is in no public registry, so without one of the user's it is refused."""
    assert "set canary.image.registry" in helm.refusal({"canary.enabled": True})
