from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.stack.docker.compose import Compose

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_variable_leaves_that_of_the_file_to_compose(tmp_path: Path) -> None:
    """Compose itself takes an empty variable of its environment for the value."""
    printed = tmp_path / "printed"
    program = tmp_path / "compose"
    program.write_text(f"#!/bin/sh\nenv > {printed}\n")
    program.chmod(0o755)
    environ = {"PATH": "/usr/bin:/bin", "LOKI_PORT": "", "GRAFANA_PORT": "4000"}
    Compose((str(program),), tmp_path, environ).run("up")
    lines = printed.read_text().splitlines()
    assert "GRAFANA_PORT=4000" in lines
    assert not [line for line in lines if line.startswith("LOKI_PORT=")]
