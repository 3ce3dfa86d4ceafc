from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from lokikit.errors import SettingsError
from lokikit.native.programs import HELM, LOKI, ensure_programs, find_program

if TYPE_CHECKING:
    from pathlib import Path


def _fake_loki(folder: Path, version: str) -> Path:
    program = folder / "loki"
    program.write_text(f'#!/bin/sh\necho "loki, version {version} (branch: x)"\n')
    program.chmod(0o755)
    return program


def test_right_version_on_path_is_used(tmp_path: Path) -> None:
    """A `loki` on PATH that says the pinned version is taken as it is."""
    program = _fake_loki(tmp_path, LOKI.version({}))
    assert find_program("loki", {"PATH": str(tmp_path)}) == program


def test_version_in_gos_own_words_is_read(tmp_path: Path) -> None:
    """Helm tells its version as Go prints a structure."""
    program = tmp_path / "helm"
    told = f'version.BuildInfo{{Version:"v{HELM.version({})}", GitCommit:"", GoVersion:"go1.26"}}'
    program.write_text(f"#!/bin/sh\necho '{told}'\n")
    program.chmod(0o755)
    assert find_program("helm", {"PATH": str(tmp_path)}) == program


def test_wrong_version_on_path_is_not_used(tmp_path: Path) -> None:
    """A `loki` of another version is left alone."""
    program = _fake_loki(tmp_path, "3.0.0")
    assert find_program("loki", {"PATH": str(tmp_path)}) != program


def test_broken_program_on_path_is_not_used(tmp_path: Path) -> None:
    """A `loki` that cannot run is no error."""
    program = tmp_path / "loki"
    program.write_text("neither a program nor a script")
    program.chmod(0o755)
    assert find_program("loki", {"PATH": str(tmp_path)}) != program


def test_other_version_is_not_built() -> None:
    """A LOKI_VERSION that the kit does not pin is refused instead of built under a wrong name."""
    environ = {"PATH": "", "LOKI_VERSION": "3.0.0"}
    with pytest.raises(SettingsError, match=r"LOKI_VERSION=3\.0\.0 .* pins"):
        ensure_programs(["loki"], environ, Console(file=io.StringIO()))


def test_cache_is_keyed_by_version() -> None:
    """Another version has another folder."""
    assert LOKI.cache_dir({}) != LOKI.cache_dir({"LOKI_VERSION": "3.0.0"})
