from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import psutil
import pytest

from lokikit.tasks.process_alive import process_lives


def now() -> datetime:
    """The time."""
    return datetime.now(timezone.utc)


def test_this_process_lives() -> None:
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


@pytest.mark.parametrize("pid", [-5, 2**70])
def test_a_number_that_no_process_can_have_is_dead(pid: int) -> None:
    assert process_lives(pid, now()) is False


def test_a_process_that_may_not_be_looked_at_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS only root sees the start of another user's process."""

    def refuse(process: psutil.Process) -> float:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "create_time", refuse)
    assert process_lives(os.getpid(), now()) is None
