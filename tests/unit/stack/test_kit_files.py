from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

import lokikit
from lokikit.errors import SettingsError
from lokikit.settings import read_settings
from lokikit.stack import kit_files
from lokikit.stack.kit_files import (
    asked_runtime,
    kit_env,
    kit_root,
    loki_url,
    overlays,
    port,
    state_dir,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_root_holds_the_kit() -> None:
    """The root has every file that the stack reads."""
    for name in (".env", "loki/loki.yaml", "deploy/demo/shop.py"):
        assert (kit_root() / name).is_file(), name


def test_environment_wins_over_the_file() -> None:
    """A variable of the process replaces the line of `.env`, the other lines stay."""
    result = kit_env({"LOKI_PORT": "4100"})
    assert result["LOKI_PORT"] == "4100"
    assert result["REGISTRY"] == "docker.io"


def test_a_line_that_a_kit_of_the_user_lacks_is_that_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade may read names that the copy of an earlier version does not have."""
    of_package = kit_env({})["LOKI_RETENTION"]
    (tmp_path / ".env").write_text("LOKI_PORT=4100\n")
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    result = kit_env({})
    assert (result["LOKI_PORT"], result["LOKI_RETENTION"]) == ("4100", of_package)


def test_state_is_chosen_by_the_environment(tmp_path: Path) -> None:
    """LOKIKIT_STATE names the state folder; in a checkout it is .lokikit otherwise."""
    assert state_dir({"LOKIKIT_STATE": str(tmp_path)}) == tmp_path
    assert state_dir({}) == kit_root() / ".lokikit"


def test_the_home_is_known_where_no_shell_has_read_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a unit of systemd or a Compose file; a folder named `~` was made."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".env").touch()
    assert state_dir({"LOKIKIT_STATE": "~/state"}) == tmp_path / "state"
    assert kit_root({"LOKIKIT_KIT": "~"}) == tmp_path
    assert read_settings({"LOKI_SPOOL_DIR": "~/spool"}).spool_dir == str(tmp_path / "spool")


@pytest.mark.parametrize("value", ["x", "0", "65536", "-1", "3100 "])
def test_bad_port_names_its_key(value: str) -> None:
    """A port that is none is refused with the key to change."""
    with pytest.raises(SettingsError, match="LOKI_PORT="):
        port("LOKI_PORT", {"LOKI_PORT": value})


def test_an_empty_variable_counts_as_unset() -> None:
    assert port("LOKI_PORT", {"LOKI_PORT": ""}) == port("LOKI_PORT", {})
    assert kit_env({"LOKI_RETENTION": ""})["LOKI_RETENTION"] == kit_env({})["LOKI_RETENTION"]


def test_an_empty_port_in_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LOKI_PORT=\n")
    monkeypatch.setenv("LOKIKIT_KIT", str(tmp_path))
    with pytest.raises(SettingsError, match="LOKI_PORT is empty: set a number from 1 to 65535 in"):
        port("LOKI_PORT", {})


def test_the_link_that_kubernetes_sets_for_a_service_is_no_port() -> None:
    """A Service named `loki` gives each pod `LOKI_PORT=tcp://…`."""
    environ = {"LOKI_PORT": "tcp://10.96.0.7:3100", "GRAFANA_PORT": "udp://10.96.0.8:3000"}
    assert loki_url(environ) == loki_url({})
    assert port("GRAFANA_PORT", environ) == port("GRAFANA_PORT", {})


def test_loki_url() -> None:
    """LOKI_URL wins; otherwise it is where `up` puts Loki."""
    assert loki_url({"LOKI_URL": "https://loki.example/"}) == "https://loki.example"
    assert loki_url({"LOKI_PORT": "4100"}) == "http://127.0.0.1:4100"


def test_retentions_agree() -> None:
    """Without its variable, Loki's configuration keeps lines as long as `.env` says."""
    text = (kit_root() / "loki/loki.yaml").read_text()
    defaults = re.findall(r"\$\{LOKI_RETENTION:-(\w+)\}", text)
    assert defaults
    assert set(defaults) == {kit_env({})["LOKI_RETENTION"]}


@pytest.mark.parametrize("value", ["auto", "docker", "native"])
def test_runtime(value: str) -> None:
    """RUNTIME names one; left out or empty it means auto."""
    assert asked_runtime({"RUNTIME": value}) == value
    assert asked_runtime({}) == asked_runtime({"RUNTIME": ""}) == "auto"


def test_unknown_runtime() -> None:
    """An unknown RUNTIME is refused with what may be used."""
    with pytest.raises(SettingsError, match="RUNTIME='podman' is no runtime: use auto or docker"):
        asked_runtime({"RUNTIME": "podman"})


def test_overlays() -> None:
    """COMPOSE_OVERLAYS names files of deploy/compose, by commas or blanks, and no other."""
    result = overlays({"COMPOSE_OVERLAYS": "remote-loki, container-files"})
    assert [file.name for file in result] == ["remote-loki.yml", "container-files.yml"]
    assert overlays({}) == []
    with pytest.raises(SettingsError, match="COMPOSE_OVERLAYS='nfs' is none of container-files, "):
        overlays({"COMPOSE_OVERLAYS": "nfs"})


def test_overlay_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An overlay outside the checkout is named by its path, also one from the working folder on."""
    mine = tmp_path / "mine.yml"
    mine.touch()
    monkeypatch.chdir(tmp_path)
    for name in (str(mine), "./mine.yml", "mine.yml"):
        result = overlays({"COMPOSE_OVERLAYS": f"remote-loki,{name}"})
        assert [file.name for file in result] == ["remote-loki.yml", "mine.yml"]
    with pytest.raises(SettingsError, match="no file of that path"):
        overlays({"COMPOSE_OVERLAYS": "./other.yml"})


def test_override_beside_the_compose_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose's own override file counts, over all others, as without `lokikit up`."""
    shutil.copytree(kit_root() / "deploy/compose", tmp_path / "deploy/compose")
    shutil.copy(kit_root() / ".env", tmp_path)
    monkeypatch.setattr(kit_files, "kit_root", lambda: tmp_path)
    override = tmp_path / "docker-compose.override.yml"
    override.touch()
    assert overlays({}) == [override]
    assert overlays({"COMPOSE_OVERLAYS": "selinux"})[-1] == override


def test_version_of_the_image() -> None:
    """`.env` tags the image with the version of the package that is in it."""
    assert kit_env({})["LOKIKIT_VERSION"] == lokikit.__version__


def test_defaults_of_the_dockerfile_agree() -> None:
    """A build of the image by hand takes what `.env` says."""
    text = (kit_root() / "Dockerfile").read_text()
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    assert defaults == {name: kit_env({})[name] for name in ("REGISTRY", "PYTHON_VERSION")}
