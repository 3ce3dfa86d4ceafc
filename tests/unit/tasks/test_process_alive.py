from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from lokikit.tasks.process_alive import process_lives

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are seen in /proc")


def now() -> datetime:
    """The time."""
    return datetime.now(timezone.utc)


def test_this_process_lives() -> None:
    """A process that runs lives."""
    assert process_lives(os.getpid(), now()) is True


def test_an_ended_process_does_not() -> None:
    """A number that no process has is that of one that is gone."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
    assert process_lives(process.pid, now()) is False


def test_an_ended_child_that_nobody_waited_for_does_not() -> None:
    """A killed process is gone, although its parent has not noticed."""
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    try:
        assert process_lives(pid, now()) is False
    finally:
        os.waitpid(pid, 0)


def test_a_process_that_began_later_is_another() -> None:
    """The number may have been given anew."""
    assert process_lives(os.getpid(), now() - timedelta(days=30)) is False


def test_where_processes_cannot_be_seen(tmp_path: Path) -> None:
    """Without /proc nothing is known."""
    assert process_lives(os.getpid(), now(), tmp_path) is None
