"""What up, down and clean leave behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.compose.stack import DockerStack
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient


@pytest.fixture
def fresh(client: DockerClient, tmp_path: Path) -> Iterator[DockerStack]:
    """A stack that is not up."""
    one = DockerStack(client, tmp_path / "state")
    yield one
    one.remove()


def test_down_keeps_and_clean_removes(fresh: DockerStack) -> None:
    """Down leaves the data and no container; clean asks, and removes only after a yes."""
    up = fresh.run("up", RUNTIME="auto")
    assert "Runtime: docker (its daemon answers and the images are here)." in up.stdout, up.stderr
    assert up.returncode == 0, up.stdout + up.stderr
    assert fresh.run("status").returncode == 0
    eventually(lambda: fresh.caught_up("jobs"), within_s=120)
    before = fresh.lines("jobs")

    stopped = "canary, fluent-bit, grafana, jobs, loki, shop, traffic"
    assert f"Stopped {stopped}." in fresh.run("down").stdout
    assert fresh.containers() == {}
    assert fresh.run("status").returncode == 1
    asked = fresh.run("down", "--volumes")
    assert "Remove all logs and state" in asked.stdout
    assert asked.returncode != 0
    assert len(fresh.volumes()) == 3

    assert fresh.run("up", "--no-demo").returncode == 0
    eventually(lambda: not before - fresh.lines("jobs"), within_s=120)
    # The demo ends before the agent, and the agent before Loki: the last words get through.
    assert any("Shutting down" in json.loads(line)["message"] for line in fresh.lines("shop"))

    assert fresh.run("down", "--volumes", "--yes").returncode == 0
    assert fresh.volumes() == set()
    assert fresh.containers() == {}
