"""Whether the process that wrote a line still lives, as far as this machine can tell."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.fields import HOST, PID

if TYPE_CHECKING:
    from lokikit.tasks.task_record import TaskRecord

_STATE, _START_TICKS = 0, 19
"""Of the fields of `/proc/PID/stat` behind the name of the program (proc(5))."""
_DEAD = frozenset("ZXx")
_CLOCK_STEP_S = 2.0
"""Start times of processes are whole ticks since a start of the machine in whole seconds."""


def lives_here(record: TaskRecord) -> bool | None:
    """Whether the process of a line lives; `None` when it ran elsewhere, or this cannot be seen."""
    host, pid = record.fields.get(HOST), record.fields.get(PID)
    if host != socket.gethostname() or not isinstance(pid, int):
        return None
    return process_lives(pid, record.timestamp)


def process_lives(pid: int, since: datetime, proc: Path = Path("/proc")) -> bool | None:
    """Whether the process that had this number at `since` still lives.

    Args:
        pid: its number.
        since: a time at which it lived; a process that began later is another one.
        proc: where the system shows its processes; without it the answer is `None`.
    """
    try:
        boot = next(one for one in (proc / "stat").read_text().splitlines() if "btime" in one)
    except (OSError, StopIteration):
        return None
    try:
        told = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    began_s = int(boot.split()[1]) + int(told[_START_TICKS]) / os.sysconf("SC_CLK_TCK")
    began = datetime.fromtimestamp(began_s - _CLOCK_STEP_S, timezone.utc)
    return told[_STATE] not in _DEAD and began <= since
