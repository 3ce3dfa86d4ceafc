"""The test for a live process that wrote a line, on this machine."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import psutil

from lokikit.fields import HOST, PID

if TYPE_CHECKING:
    from datetime import datetime

    from lokikit.tasks.task_record import TaskRecord

_DEAD = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})
_CLOCK_STEP_S = 2.0
"""Linux gives the start of a process in ticks since a boot that is known to the second."""


def lives_here(record: TaskRecord) -> bool | None:
    """Return True when the process of a line lives; `None` for another machine, or unknown."""
    host, pid = record.fields.get(HOST), record.fields.get(PID)
    if host != socket.gethostname() or not isinstance(pid, int):
        return None
    return process_lives(pid, record.timestamp)


def process_lives(pid: int, since: datetime) -> bool | None:
    """Return True when the process that had this number at `since` still lives.

    Args:
        pid: its number.
        since: a time at which it lived; a process that began later is another process.

    Returns:
        `None` when the system does not let this user look at the process.
    """
    try:
        process = psutil.Process(pid)
        began_s, status = process.create_time(), process.status()
    except (psutil.NoSuchProcess, ValueError):  # ValueError: no process has a negative number
        return False
    except psutil.Error:
        return None
    return status not in _DEAD and began_s - _CLOCK_STEP_S <= since.timestamp()
