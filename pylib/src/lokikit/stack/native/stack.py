"""The native stack: start, stop, and the state of each part."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from lokikit.errors import PrerequisiteError, UnhealthyError
from lokikit.stack.native.alerts import ALERTS_PART
from lokikit.stack.native.grafana import GRAFANA_PART
from lokikit.stack.native.page import PAGE_PART
from lokikit.stack.native.processes import Group, end_parts, find_groups, spawn
from lokikit.stack.native.stack_parts import CANARY_PART, DEMO_PARTS
from lokikit.stack.native.store import STORE_PARTS
from lokikit.stack.part_status import Condition, Wanted, forget_wanted, tail, write_wanted
from lokikit.stack.ports import check_distinct, check_free

if TYPE_CHECKING:
    from lokikit.stack.native.native_part import NativePart

DATA_FOLDERS = (
    *STORE_PARTS,
    *("logs", "logs/services", "ship", "fluent-bit", "demo", "grafana"),
    ALERTS_PART,
)
STOP_ORDER = (
    (*DEMO_PARTS, CANARY_PART, ALERTS_PART, GRAFANA_PART, PAGE_PART),
    ("ship", "fluent-bit"),
    STORE_PARTS,
)
"""Order of stopping: parts that write or query, then the carriers, then the store."""
GRACE_S = 20
"""Seconds in which a part should end before it is killed."""
LOCK = ".lock"
"""File in the state folder, locked by the process that starts or ends parts."""
_RECOVERS_WITHIN_S = 40
"""Longer than the agent waits between two tries to reach a Loki that was away (30 s)."""
_POLL_S = 0.1


@contextmanager
def alone(state: Path, say: Callable[[str], object]) -> Iterator[None]:
    """Run the block as the only `up` or `down` of the stack in `state`; report a wait.

    Raises:
        PrerequisiteError: a file cannot be locked or written, here or in the block.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        with _locked(FileLock(state / LOCK), say):
            yield
    except OSError as error:
        raise PrerequisiteError(
            f"cannot work in {state} ({error}): make room there, or set LOKIKIT_STATE to a "
            "folder of yours."
        ) from error


@contextmanager
def _locked(lock: FileLock, say: Callable[[str], object]) -> Iterator[None]:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say("Another lokikit up or down is at work: waiting for it to finish.")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def bring_up(
    parts: Sequence[NativePart], state: Path, say: Callable[[str], object], *, loki_url: str = ""
) -> list[Condition]:
    """Start the parts that do not run well; return the state of all.

    Args:
        parts: the parts, in the order of their start.
        state: folder of the stack.
        say: prints a message for the user.
        loki_url: a Loki elsewhere that takes the lines; empty when a part does.

    Raises:
        PrerequisiteError: a port is taken; running parts stay as they are.
        SettingsError: two parts have the same port.
    """
    check_distinct(item for part in parts for item in part.ports.items())
    groups, wanted = find_groups(state), {part.name for part in parts}
    leaving = [groups[name] for name in set(groups) - wanted]
    check_free(item for part in parts for item in _foreign_ports(part, groups, leaving))
    for name in sorted(set(groups) - wanted):
        say(f"Stopping {name}")
    end_parts(set(groups) - wanted, state, GRACE_S)
    write_wanted(
        state,
        Wanted(
            demo=not wanted.isdisjoint(DEMO_PARTS),
            store=next((name for name in STORE_PARTS if name in wanted), ""),
            loki_url=loki_url,
        ),
    )
    started: list[NativePart] = []
    for part in parts:
        for needed in [one for one in started if one.name in part.needs]:
            _wait_until_healthy(needed, state)
        if not _is_well(part, state, say):
            end_parts([part.name], state, GRACE_S)
            say(f"Starting {part.name}")
            start_part(part, state)
            started.append(part)
    well = [part for part in parts if part not in started or _wait_until_healthy(part, state)]
    # A part may be unhealthy for a moment: ship is, from its first line to the first answer.
    for part in well:
        _within(_RECOVERS_WITHIN_S, lambda: _has_settled(part, state))  # noqa: B023 - asked now
    return conditions(parts, state)


def take_down(state: Path) -> list[str]:
    """Stop the parts; return those that were running.

    Raises:
        UnhealthyError: a process cannot be ended.
    """
    strange = set(find_groups(state)) - {name for names in STOP_ORDER for name in names}
    order = (tuple(strange), *STOP_ORDER)
    ended = [name for names in order for name in end_parts(names, state, GRACE_S)]
    left = [str(one.pid) for group in find_groups(state).values() for one in group.members]
    if left:
        raise UnhealthyError(
            f"down: processes {', '.join(left)} do not end: "
            f"see why with ps -p {','.join(left)}, then run down again."
        )
    forget_wanted(state)
    return ended


def remove_data(state: Path) -> None:
    """Remove the files of the stack from `state`, and no others."""
    for name in DATA_FOLDERS:
        if (state / name).is_dir():
            shutil.rmtree(state / name)


def conditions(parts: Sequence[NativePart], state: Path) -> list[Condition]:
    """Return the state of each part now."""
    groups = find_groups(state)
    states = []
    for part in parts:
        group = groups.get(part.name)
        leader = group.leader if group else None
        uptime_s = group.uptime_s if group else 0.0
        healthy = leader is not None and part.healthy()
        pid = leader.pid if leader else None
        said = "" if healthy else tail(part.log)
        log = str(part.log)
        states.append(Condition(part.name, healthy, pid, uptime_s, part.where, log, said))
    return states


def _foreign_ports(
    part: NativePart, groups: Mapping[str, Group], leaving: Iterable[Group]
) -> Iterator[tuple[str, int]]:
    """Yield the ports that `part` needs and that neither it nor an ending part holds."""
    holders = [*([groups[part.name]] if part.name in groups else []), *leaving]
    held = {(key, one.environ.get(key)) for one in holders for key in part.ports}
    return (item for item in part.ports.items() if (item[0], str(item[1])) not in held)


def _is_well(part: NativePart, state: Path, say: Callable[[str], object]) -> bool:
    """Return True when it runs with the current settings, and is or gets healthy by itself."""
    group = find_groups(state).get(part.name)
    if group is None or group.leader is None or group.settings != part.settings:
        return False
    if part.healthy():
        return True
    say(f"Waiting for {part.name}, which runs but is not healthy")
    return _within(_RECOVERS_WITHIN_S, part.healthy)


def start_part(part: NativePart, state: Path) -> None:
    """Start a part: make its folders and put its former log aside."""
    for name in DATA_FOLDERS:
        (state / name).mkdir(exist_ok=True)
    part.log.parent.mkdir(exist_ok=True)
    _put_aside(part.log, part.max_log_bytes)
    for file in part.stale:
        file.unlink(missing_ok=True)
    spawn(part, state)


def _put_aside(log: Path, max_bytes: int) -> None:
    """Put a log of more than `max_bytes` aside, in place of the log put aside before."""
    if log.is_file() and log.stat().st_size > max_bytes:
        log.replace(log.with_name(f"{log.name}.1"))


def _wait_until_healthy(part: NativePart, state: Path) -> bool:
    """Wait until it is healthy, has ended, or its time is over; return False in the last case."""
    return _within(part.within_s, lambda: _has_settled(part, state, part.settles_s))


def _has_settled(part: NativePart, state: Path, after_s: float = 0) -> bool:
    """Return True when it has ended, or is healthy and has run for `after_s` seconds."""
    group = find_groups(state).get(part.name)
    if group is None or group.leader is None:
        return True
    return part.healthy() and group.uptime_s >= after_s


def _within(limit_s: float, check: Callable[[], bool]) -> bool:
    """Wait until `check` returns True; return False after the time."""
    deadline = time.monotonic() + limit_s
    while not (good := check()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return good
