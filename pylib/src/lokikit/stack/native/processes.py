"""The stack's processes: started detached, and found by a mark in their environment.

Children inherit the mark, so a worker whose parent was killed is still found, and no file of
process ids can go stale. Processes without the mark are never touched.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from lokikit.delivery.address import around_loopback
from lokikit.delivery.http_session import BUNDLES
from lokikit.stack.grafana.contacts import PREFIX
from lokikit.stack.kit_files import KIT, kit_root

if TYPE_CHECKING:
    from lokikit.stack.native.native_part import NativePart

MARK = "LOKIKIT_PART"
"""Environment variable: `part@state folder`."""
SETTINGS = "LOKIKIT_PART_SETTINGS"
"""Environment variable: the digest of the part's settings."""
WATCH = "LOKIKIT_WATCH"
"""Environment variable: the state folder of the stack that the process watches."""
_POLL_S = 0.1


@dataclass(frozen=True)
class Group:
    """All live processes of a part.

    Args:
        leader: the process that was started, `None` when only its children are left.
        members: all processes, the leader too.
        environ: environment of the first process.
    """

    leader: psutil.Process | None
    members: tuple[psutil.Process, ...]
    environ: Mapping[str, str]

    @property
    def settings(self) -> str:
        """Digest of the settings that it was started with."""
        return self.environ.get(SETTINGS, "")

    @property
    def uptime_s(self) -> float:
        """Seconds since the start of the oldest process."""
        return max(0.0, time.time() - min(one.create_time() for one in self.members))


def find_groups(state: Path) -> dict[str, Group]:
    """Return part -> its processes, of the stack in `state`."""
    found: dict[str, list[tuple[psutil.Process, dict[str, str]]]] = {}
    for process, environ in environments():
        part, at, folder = environ.get(MARK, "").partition("@")
        if at and folder == str(state):
            found.setdefault(part, []).append((process, environ))
    return {part: _group(processes) for part, processes in found.items()}


def spawn(part: NativePart, state: Path) -> None:
    """Start `part` in a session of its own; stdout and stderr are appended to its log."""
    # setproctitle would write over the environment, and the mark with it.
    marks = {MARK: f"{part.name}@{state}", SETTINGS: part.settings, "SPT_NOENV": "1"}
    # By them the next `up` knows that the part itself holds its ports.
    ports = {key: str(port) for key, port in part.ports.items()}
    variables = {**part.variables, **ports, **marks}
    spawn_detached(part.command, part.log, variables, mark=MARK, cwd=part.cwd)


def spawn_detached(
    command: Sequence[str],
    log: Path,
    variables: Mapping[str, str],
    *,
    mark: str,
    cwd: Path | None = None,
) -> None:
    """Start a process that outlives this one, and return once its mark can be seen.

    Args:
        command: its command line.
        log: file to which stdout and stderr are appended.
        variables: variables of its environment, beside those of this process.
        mark: name of the variable by which the process is found.
        cwd: its working folder; that of this process by default.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**inherited_environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    wait_for_mark(process, mark)
    # It outlives this process: without a return code Popen would warn of a running child.
    process.returncode = 0


def inherited_environment() -> dict[str, str]:
    """Return the part of this environment that new processes get.

    Contacts of alerts are secrets, which Grafana reads from a file, so no part gets them. No proxy
    stands between the parts. They run in a folder of their own, so paths of certificates and of
    the kit are absolute.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(PREFIX) and name != WATCH
    }
    paths = {name: str(Path(kept[name]).absolute()) for name in BUNDLES if kept.get(name)}
    if kept.get(KIT):
        paths[KIT] = str(kit_root())
    return {**kept, **around_loopback(kept), **paths}


def wait_for_mark(process: subprocess.Popen[bytes], mark: str) -> None:
    """Return once the variable can be seen of the process, or it has ended.

    Popen returns a moment before the system shows the environment of the new program.
    """
    with suppress(psutil.Error):
        while process.poll() is None and mark not in psutil.Process(process.pid).environ():
            time.sleep(_POLL_S / 10)


def end_parts(parts: Collection[str], state: Path, grace_s: float) -> list[str]:
    """End the processes of parts, by SIGTERM, then by SIGKILL after `grace_s`; return the parts.

    `find_groups` still finds processes that survive SIGKILL.
    """
    ended = [part for part in find_groups(state) if part in parts]
    for send, wait_s in ((psutil.Process.terminate, grace_s), (psutil.Process.kill, grace_s)):
        for process in _members(parts, state):
            with suppress(psutil.NoSuchProcess):
                send(process)
        deadline = time.monotonic() + wait_s
        while _members(parts, state) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
    return ended


def _members(parts: Collection[str], state: Path) -> list[psutil.Process]:
    groups = find_groups(state)
    return [process for part in parts if part in groups for process in groups[part].members]


def environments() -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Yield each process with a readable environment; a zombie has none."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            yield process, process.environ()


def _group(processes: list[tuple[psutil.Process, dict[str, str]]]) -> Group:
    members = tuple(process for process, _ in processes)
    return Group(next(filter(_leads, members), None), members, processes[0][1])


def _leads(process: psutil.Process) -> bool:
    """Return True for the process that was started: the leader of its session."""
    with suppress(ProcessLookupError):
        return os.getsid(process.pid) == process.pid
    return False
