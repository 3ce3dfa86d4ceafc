from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from pathlib import Path


def _loki(folder: Path, version: str, check: str = "exit 0") -> Path:
    """A `loki` that says it is of `version`, and whose check of a configuration is `check`."""
    program = folder / "loki"
    text = f'echo "loki, version {version} (branch: x)"'
    program.write_text(f'#!/bin/sh\ncase "$*" in *-verify-config*) {check} ;; esac\n{text}\n')
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["3.4.0", "3.10.1", "v4.0.0-rc.1"])
def test_loki_is_taken_from_3_4_on(tmp_path: Path, version: str) -> None:
    program = _loki(tmp_path, version)
    assert require_loki({"PATH": str(tmp_path)}) == program


@pytest.mark.parametrize("version", ["2.9.8", "3.3.9"])
def test_older_loki_is_named_with_its_version(tmp_path: Path, version: str) -> None:
    _loki(tmp_path, version)
    with pytest.raises(PrerequisiteError, match=rf"is Loki {version}: put Loki 3\.4 or newer"):
        require_loki({"PATH": str(tmp_path)})


def test_loki_that_refuses_the_configuration_is_named_with_its_reason(tmp_path: Path) -> None:
    _loki(tmp_path, "3.9.0", "echo 'field wal not found' >&2; exit 1")
    with pytest.raises(PrerequisiteError, match=r"refuses .*loki\.yaml: field wal not found"):
        require_loki({"PATH": str(tmp_path)})


def test_program_that_cannot_run_is_no_loki(tmp_path: Path) -> None:
    program = tmp_path / "loki"
    program.write_text("neither a program nor a script")
    program.chmod(0o755)
    with pytest.raises(PrerequisiteError, match=r"is no Loki: put Loki 3\.4 or newer"):
        require_loki({"PATH": str(tmp_path)})


def test_no_loki_on_path() -> None:
    with pytest.raises(PrerequisiteError, match=r"no Loki on PATH: put Loki 3\.4 or newer"):
        require_loki({"PATH": ""})
