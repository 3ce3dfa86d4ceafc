"""Restarts native parts that die: `python -m lokikit.stack.native.watch`.

`up` leaves this process behind, with the list of the parts; `down` ends it first.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

from lokikit.stack.native.plan import (
    Restarts,
    forget_plan,
    read_plan,
    read_restarts,
    write_plan,
    write_restarts,
)
from lokikit.stack.native.processes import (
    WATCH,
    end_parts,
    environments,
    find_groups,
    spawn_detached,
)
from lokikit.stack.native.stack import GRACE_S, LOCK, start_part
from lokikit.stack.part_status import read_wanted

if TYPE_CHECKING:
    from lokikit.stack.native.native_part import NativePart

FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 60.0
MAX_IN_A_ROW = 5
"""A part that dies this often, without `STEADY_S` of running in between, is given up."""
STEADY_S = 600.0
_EVERY_S = 2.0


def start_watch(parts: Sequence[NativePart], state: Path) -> None:
    """Restart these parts when they die, from now on, with the current environment."""
    end_watch(state)
    write_plan(parts, state)
    (state / "logs").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "lokikit.stack.native.watch", str(state)]
    spawn_detached(command, state / "logs/watch.log", {WATCH: str(state)}, mark=WATCH)


def end_watch(state: Path) -> None:
    """Restart no part any more, and forget the restarts."""
    watching = find_watch(state)
    for process in watching:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(watching, GRACE_S)
    forget_plan(state)


def find_watch(state: Path) -> list[psutil.Process]:
    """Return the processes that watch the stack in `state`."""
    return [process for process, found in environments() if found.get(WATCH) == str(state)]


def revive(state: Path, now_s: float, say: Callable[[str], object]) -> None:
    """Restart the parts that have died and waited long enough; the caller has locked `state`."""
    groups, before = find_groups(state), read_restarts(state)
    after = dict(before)
    for part in read_plan(state):
        group = groups.get(part.name)
        was = before.get(part.name, Restarts())
        if group is not None and group.leader is not None:
            after[part.name] = was.while_it_runs(now_s, STEADY_S)
        elif was.died_s is None:
            after[part.name] = was.when_it_died(now_s)
        elif not was.gives_up(MAX_IN_A_ROW) and now_s >= was.died_s + _wait_s(was.in_a_row):
            say(f"starting {part.name} again")
            after[part.name] = was.when_started(now_s)
            # Before the start, because a start that ends this process would be repeated for ever.
            write_restarts(after, state)
            _start_again(part, state, say)
    if after != before:
        write_restarts(after, state)


def _start_again(part: NativePart, state: Path, say: Callable[[str], object]) -> None:
    """Restart a part, after its remaining processes are ended: workers without their master."""
    try:
        end_parts([part.name], state, GRACE_S)
        start_part(part, state)
    except OSError as error:
        say(f"{part.name} does not start: {error}")


def _wait_s(in_a_row: int) -> float:
    return min(FIRST_WAIT_S * (1 << in_a_row), LONGEST_WAIT_S)


def watch(state: Path, say: Callable[[str], object]) -> None:
    """Restart parts that die, until the stack is down."""
    lock = FileLock(state / LOCK)
    while read_wanted(state) is not None:
        # A running `up` or `down` starts and ends the parts itself.
        with suppress(Timeout), lock.acquire(timeout=0):
            if read_wanted(state) is not None:
                revive(state, time.time(), say)
        time.sleep(_EVERY_S)


def _say(text: str) -> None:
    print(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}", flush=True)  # noqa: T201 - its log


if __name__ == "__main__":
    watch(Path(sys.argv[1]), _say)
