from __future__ import annotations

import io
import subprocess
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from tests.tools.watching import progress_line, watch

if TYPE_CHECKING:
    from pathlib import Path


def test_progress_says_what_and_how_long(tmp_path: Path) -> None:
    """The line names what is built, the time so far and the last whole line of Go."""
    log = tmp_path / "log"
    log.write_text("go: downloading a v1\nexample.com/b\nexample.com/unfin")
    assert (
        progress_line("loki 3", 75, log) == "Building loki 3, 1 min 15 s: compiling example.com/b"
    )
    log.write_text("go: downloading a v1\n")
    assert progress_line("loki 3", 5, log) == "Building loki 3, 5 s: downloading a v1"
    log.write_text("")
    assert progress_line("loki 3", 5, log) == "Building loki 3, 5 s: resolving modules"


def test_watching_tells_start_and_end(tmp_path: Path) -> None:
    """It says beforehand that it happens once, afterwards that it is done."""
    result = io.StringIO()
    process = subprocess.Popen([sys.executable, "-c", ""])
    status = watch(
        nullcontext(process), tmp_path / "log", "loki 3", Console(file=result, width=200)
    )
    assert status == 0
    assert "Building loki 3 from source: once for this user" in result.getvalue()
    assert "Built loki 3 in" in result.getvalue()


def test_watching_gives_the_failure(tmp_path: Path) -> None:
    """A build that fails is not called built."""
    result = io.StringIO()
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    assert watch(nullcontext(process), tmp_path / "log", "loki 3", Console(file=result)) == 3
    assert "Built" not in result.getvalue()
