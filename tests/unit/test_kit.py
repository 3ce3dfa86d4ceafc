from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lokikit.errors import SettingsError
from lokikit.kit import kit_env, kit_root, loki_url, port, state_dir
from lokikit.native.programs import loki_version, pinned_version

if TYPE_CHECKING:
    from pathlib import Path


def test_root_holds_the_kit() -> None:
    """The root has every file that the stack reads."""
    for name in (".env", "loki/loki.yaml", "deploy/native/go.mod", "deploy/demo/shop.py"):
        assert (kit_root() / name).is_file(), name


def test_wheel_carries_the_kit() -> None:
    """What stands in the root is in the wheel's list, each under its own path."""
    text = (kit_root() / "pylib/pyproject.toml").read_text()
    included = re.findall(r'^"\.\./(\S+)" = "lokikit/_kit/(\S+)"$', text, re.MULTILINE)
    assert {source for source, _ in included} == {".env", "deploy/demo", "deploy/native", "loki"}
    assert all(source == target for source, target in included)


def test_environment_wins_over_the_file() -> None:
    """A variable of the process replaces the line of `.env`, the other lines stay."""
    told = kit_env({"LOKI_PORT": "4100"})
    assert told["LOKI_PORT"] == "4100"
    assert told["REGISTRY"] == "docker.io"


def test_state_is_chosen_by_the_environment(tmp_path: Path) -> None:
    """LOKIKIT_STATE names the state folder; in a checkout it is .lokikit otherwise."""
    assert state_dir({"LOKIKIT_STATE": str(tmp_path)}) == tmp_path
    assert state_dir({}) == kit_root() / ".lokikit"


@pytest.mark.parametrize("value", ["", "x", "0", "65536", "-1", "3100 "])
def test_bad_port_names_its_key(value: str) -> None:
    """A port that is none is refused with the key to change."""
    with pytest.raises(SettingsError, match="LOKI_PORT="):
        port("LOKI_PORT", {"LOKI_PORT": value})


def test_loki_url() -> None:
    """LOKI_URL wins; otherwise it is where `up` puts Loki."""
    assert loki_url({"LOKI_URL": "https://loki.example/"}) == "https://loki.example"
    assert loki_url({"LOKI_PORT": "4100"}) == "http://127.0.0.1:4100"


def test_versions_agree() -> None:
    """`.env` and the Go module pin the same Loki."""
    assert loki_version({}) == pinned_version()
