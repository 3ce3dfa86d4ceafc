from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.tools.programs import HELM, MODULES, find_program, programs_or_skip

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.programs import Module


def _fake_helm(folder: Path, version: str) -> Path:
    program = folder / "helm"
    text = f'version.BuildInfo{{Version:"v{version}", GitCommit:"", GoVersion:"go1.26"}}'
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return program


def test_pinned_version_on_path_is_taken(tmp_path: Path) -> None:
    program = _fake_helm(tmp_path, HELM.version)
    assert find_program("helm", {"PATH": str(tmp_path)}) == program


def test_other_version_on_path_is_left_alone(tmp_path: Path) -> None:
    program = _fake_helm(tmp_path, "3.0.0")
    assert find_program("helm", {"PATH": str(tmp_path)}) != program


def test_program_that_cannot_run_is_left_alone(tmp_path: Path) -> None:
    program = tmp_path / "helm"
    program.write_text("neither a program nor a script")
    program.chmod(0o755)
    assert find_program("helm", {"PATH": str(tmp_path)}) != program


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_each_module_pins_what_it_builds(module: Module) -> None:
    """Its `go.mod` names a version; one that names none would be built as `none`."""
    assert module.version[0].isdecimal()


def test_without_go_a_test_is_skipped_loudly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(pytest.skip.Exception, match=r"THE CHART IS NOT TESTED: .*Go"):
        programs_or_skip(["helm"], "THE CHART IS")
