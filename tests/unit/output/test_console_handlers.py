"""Which handlers setting up takes off: each program in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.running import messages, run

if TYPE_CHECKING:
    from pathlib import Path

START = """
import logging, logging.handlers, os, sys, warnings, lokikit
warnings.simplefilter("ignore", ResourceWarning)  # of handlers that are taken off, not closed
"""


@pytest.mark.parametrize(
    "handler",
    [
        "__import__('rich.logging').logging.RichHandler()",
        "logging.StreamHandler(os.fdopen(os.dup(1), 'w'))",
        "logging.StreamHandler(os.fdopen(os.dup(2), 'w'))",
        "logging.FileHandler('/dev/stderr')",
        "logging.FileHandler('/dev/stdout', delay=True)",
        "logging.StreamHandler(sys.__stderr__)",
        "logging.handlers.MemoryHandler(1, target=logging.StreamHandler())",
    ],
)
def test_a_handler_that_writes_to_the_console_is_taken_off(handler: str) -> None:
    """Each event appears once."""
    lines = run(f"""{START}
logging.getLogger().addHandler({handler})
lokikit.setup_json_logging()
logging.warning("once")
""")
    assert messages(lines) == ["once"]


@pytest.mark.parametrize(
    "handler",
    [
        "logging.FileHandler(path)",
        "logging.FileHandler(path, delay=True)",
        "RichHandler(console=Console(file=open(path, 'w')))",
        "logging.handlers.MemoryHandler(1, target=logging.FileHandler(path))",
    ],
)
@pytest.mark.parametrize("closed", ["", "1>&-"])
def test_a_handler_that_writes_elsewhere_stays(tmp_path: Path, handler: str, closed: str) -> None:
    """Also where there is no stdout, whose descriptor the file may then have."""
    source = f"""{START}
from rich.console import Console
from rich.logging import RichHandler
path = {str(tmp_path / "out")!r}
logging.getLogger().addHandler({handler})
lokikit.setup_json_logging()
logging.warning("kept")
"""
    shell = f'exec "$0" -c "$1" {closed}'
    subprocess.run(
        ["sh", "-c", shell, sys.executable, source],  # noqa: S607 - any shell
        env={**os.environ, "LOG_FORMAT": "json"},
        check=True,
        capture_output=True,
    )
    assert "kept" in (tmp_path / "out").read_text()
