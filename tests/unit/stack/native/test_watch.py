"""What the watch does with parts that die: real processes, and a clock of the test's own."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from tests.waiting import eventually

from lokikit.stack.native.native_part import NativePart
from lokikit.stack.native.plan import Restarts, read_plan, read_restarts, write_plan, write_restarts
from lokikit.stack.native.processes import end_parts, find_groups
from lokikit.stack.native.stack import start_part
from lokikit.stack.native.watch import (
    FIRST_WAIT_S,
    LONGEST_WAIT_S,
    MAX_IN_A_ROW,
    STEADY_S,
    end_watch,
    find_watch,
    revive,
    start_watch,
)
from lokikit.stack.part_status import Wanted, forget_wanted, write_wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")
WITH_CHILD = (
    sys.executable,
    "-c",
    f"import subprocess, time; subprocess.Popen({SLEEP!r}); time.sleep(600)",
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder whose processes are ended."""
    yield tmp_path
    end_watch(tmp_path)
    end_parts(list(find_groups(tmp_path)), tmp_path, 20)


def part(state: Path, name: str = "jobs", command: tuple[str, ...] = SLEEP) -> NativePart:
    """One that does nothing."""
    return NativePart(name, command, state / f"logs/services/{name}.log", "here", cwd=state)


def running(state: Path, *parts: NativePart) -> None:
    """Have the parts started, and in the plan."""
    for one in parts:
        start_part(one, state)
    write_plan(parts, state)


def pid(state: Path, name: str = "jobs") -> int | None:
    """Of the part's main process."""
    group = find_groups(state).get(name)
    return group.leader.pid if group and group.leader else None


def kill(state: Path, name: str = "jobs") -> None:
    """End its main process as a crash does."""
    dead = pid(state, name)
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: pid(state, name) is None)


def die_and_come_back(state: Path, now_s: float) -> float:
    """The time after a part has died and was started again."""
    kill(state)
    revive(state, now_s, print)
    was = read_restarts(state)["jobs"]
    now_s += min(FIRST_WAIT_S * 2**was.in_a_row, LONGEST_WAIT_S)
    revive(state, now_s - 0.1, print)
    assert pid(state) is None
    revive(state, now_s, print)
    assert pid(state) is not None
    return now_s


def test_a_part_that_dies_is_started_again_after_a_while(state: Path) -> None:
    """The same command, in the same place; another part stays as it is."""
    running(state, part(state), part(state, "shop"))
    former = find_groups(state)["jobs"]
    other = pid(state, "shop")
    die_and_come_back(state, 1000.0)
    group = find_groups(state)["jobs"]
    assert group.settings == former.settings
    assert group.leader is not None
    assert group.leader.cmdline() == list(SLEEP)
    assert pid(state, "shop") == other
    assert read_restarts(state)["jobs"] == Restarts(count=1, in_a_row=1, started_s=1005.0)


def has_ended(process: psutil.Process) -> bool:
    """One that ends has no environment first, and runs for a moment more."""
    try:
        return process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
    except psutil.NoSuchProcess:
        return True


def test_workers_whose_master_died_end_before_it_is_started_again(state: Path) -> None:
    """They may hold its port."""
    running(state, part(state, command=WITH_CHILD))
    eventually(lambda: len(find_groups(state)["jobs"].members) == 2)
    orphan = next(one for one in find_groups(state)["jobs"].members if one.pid != pid(state))
    die_and_come_back(state, 1000.0)
    eventually(lambda: has_ended(orphan))


def test_each_death_in_a_row_is_waited_for_longer_until_the_part_is_given_up(state: Path) -> None:
    """And then it stays dead until `up`."""
    running(state, part(state))
    now_s = 1000.0
    for _ in range(MAX_IN_A_ROW):
        now_s = die_and_come_back(state, now_s)
    kill(state)
    for _ in range(3):
        now_s += STEADY_S
        revive(state, now_s, print)
    assert pid(state) is None
    assert read_restarts(state)["jobs"].gives_up(MAX_IN_A_ROW)


def test_a_part_that_has_run_long_is_started_again_as_often_as_at_first(state: Path) -> None:
    """How often in all is kept."""
    running(state, part(state))
    now_s = 1000.0
    for _ in range(3):
        now_s = die_and_come_back(state, now_s)
    now_s += STEADY_S
    revive(state, now_s, print)
    assert (read_restarts(state)["jobs"].count, read_restarts(state)["jobs"].in_a_row) == (3, 0)
    die_and_come_back(state, now_s)
    assert read_restarts(state)["jobs"].count == 4


def test_a_part_that_does_not_start_is_tried_as_often_and_no_more(state: Path) -> None:
    """Its program is gone, say."""
    running(state, part(state))
    kill(state)
    write_plan([part(state, command=("/nowhere/program",))], state)
    entries: list[str] = []
    for round_ in range(50):
        revive(state, 1000.0 + round_ * LONGEST_WAIT_S, entries.append)
    assert len([one for one in entries if "does not start" in one]) == MAX_IN_A_ROW
    assert read_restarts(state)["jobs"].gives_up(MAX_IN_A_ROW)


def test_the_plan_starts_a_part_as_it_was_started(state: Path) -> None:
    """All that it takes is in the file, which is this user's alone."""
    (state / "conf").write_text("x")
    made = NativePart(
        *("loki", SLEEP, state / "logs/loki.log", "http://127.0.0.1:3100"),
        cwd=state,
        variables={"A": "b"},
        reads=(state / "conf",),
        stale=(state / "old",),
        max_log_bytes=5,
    )
    write_plan([made], state)
    assert read_plan(state) == [made]
    assert read_plan(state)[0].settings == made.settings
    assert (state / "plan.json").stat().st_mode & 0o077 == 0


def test_files_that_cannot_be_read_start_nothing(state: Path) -> None:
    """Of a disk that was full, say."""
    (state / "plan.json").write_text("[")
    (state / "restarts.json").write_text("")
    revive(state, 1000.0, print)
    assert (read_plan(state), read_restarts(state)) == ([], {})


def test_the_watch_is_a_process_of_its_own_until_nothing_is_wanted(state: Path) -> None:
    """There is one, whoever started one before, and it ends by itself."""
    running(state, part(state))
    write_wanted(state, Wanted(demo=False))
    for _ in range(2):
        start_watch([part(state)], state)
    (watch,) = find_watch(state)
    assert pid(state) is not None
    assert list(find_groups(state)) == ["jobs"]
    forget_wanted(state)
    eventually(lambda: find_watch(state) == [])
    eventually(lambda: has_ended(watch))


def test_the_watch_starts_a_part_again(state: Path) -> None:
    """By itself; what it starts is no watch."""
    running(state, part(state))
    write_wanted(state, Wanted(demo=False))
    start_watch([part(state)], state)
    kill(state)
    eventually(lambda: pid(state) is not None, within_s=120)
    assert len(find_watch(state)) == 1
    assert read_restarts(state)["jobs"].count == 1


def test_a_new_start_of_the_stack_forgets_the_restarts(state: Path) -> None:
    """`up` gives each part its whole allowance."""
    write_restarts({"jobs": Restarts(5, 5, 1.0, 2.0)}, state)
    (state / "logs").mkdir()
    start_watch([], state)
    assert read_restarts(state) == {}
