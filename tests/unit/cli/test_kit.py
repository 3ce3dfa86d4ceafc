"""Copies of the kit and of its chart, as an installed package writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from lokikit.cli.app import command_line
from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.kit_files import KIT_FILES, kit_env, kit_root

if TYPE_CHECKING:
    from pathlib import Path


def run(*arguments: str) -> str:
    """What a command prints, which must succeed."""
    result = CliRunner().invoke(command_line(), arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_init_writes_all_files_of_the_kit(tmp_path: Path) -> None:
    original = kit_root()
    run("init", str(tmp_path / "kit"))
    for name in KIT_FILES:
        assert (tmp_path / "kit" / name).exists(), name
    copied = (tmp_path / "kit/loki/loki.yaml").read_bytes()
    assert copied == (original / "loki/loki.yaml").read_bytes()


def test_a_kit_of_the_user_is_used_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("init", str(tmp_path))
    (tmp_path / ".env").write_text("LOKI_PORT=4100\n")
    monkeypatch.chdir(tmp_path)
    assert kit_root() == tmp_path
    assert kit_env({})["LOKI_PORT"] == "4100"


def test_a_kit_of_the_user_is_named_from_elsewhere(tmp_path: Path) -> None:
    run("init", str(tmp_path))
    assert kit_root({"LOKIKIT_KIT": str(tmp_path)}) == tmp_path


@pytest.mark.parametrize(
    ("command", "written"), [("init", "loki/loki.yaml"), ("chart", "Chart.yaml")]
)
def test_what_lokikit_comes_with_is_written_from_within_a_kit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, written: str
) -> None:
    """A kit has no chart, and its files may be changed."""
    run("init", str(tmp_path / "kit"))
    (tmp_path / "kit/loki/loki.yaml").write_text("changed: true\n")
    monkeypatch.chdir(tmp_path / "kit")
    run(command, str(tmp_path / "new"))
    assert "changed" not in (tmp_path / "new" / written).read_text()


def test_a_folder_that_is_no_kit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="make one with lokikit init"):
        kit_root({"LOKIKIT_KIT": str(tmp_path)})


@pytest.mark.parametrize("command", ["init", "chart"])
def test_nothing_is_written_over(tmp_path: Path, command: str) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(SettingsError, match="not empty: name a new folder"):
        run(command, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_chart_is_whole_without_links(tmp_path: Path) -> None:
    run("chart", str(tmp_path / "chart"))
    assert not [path for path in (tmp_path / "chart").rglob("*") if path.is_symlink()]
    assert (tmp_path / "chart/files/loki/loki.yaml").is_file()
    assert (tmp_path / "chart/Chart.yaml").is_file()


@pytest.mark.parametrize("command", ["init", "chart"])
def test_a_folder_that_cannot_be_made_is_named_with_the_fix(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteError, match="; name another folder"):
        run(command, str(tmp_path / "file" / "kit"))


def test_the_chart_has_what_helm_would_package_and_profiles(tmp_path: Path) -> None:
    """No generator, no file for Helm's tests of charts, none that the chart does not read."""
    done = run("chart", str(tmp_path / "chart"))
    names = {
        path.relative_to(tmp_path / "chart").as_posix() for path in (tmp_path / "chart").rglob("*")
    }
    assert {"Chart.yaml", "values.yaml", "files/fluentbit/pipeline.yaml"} <= names
    assert {"profiles/ha.yaml", "profiles/production.yaml"} <= names
    left_out = ("ci", "generate.py", "files/fluentbit/native.yaml", "files/fluentbit/split.conf")
    assert names.isdisjoint(left_out)
    assert f"helm install lokikit {tmp_path / 'chart'}" in done


def test_no_cache_of_a_tool_is_copied(tmp_path: Path) -> None:
    run("init", str(tmp_path / "kit"))
    assert list((tmp_path / "kit").rglob("*_cache*")) == []
