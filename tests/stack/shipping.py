"""A real `lokikit ship` process, lines to feed it, and what Loki has of them."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any

from tests.stack.asking import recent_entries

from lokikit.query.client import LogEntry, Loki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.foreign import Case

_END_S = 60


class Ship:
    """One `lokikit ship` that can be stopped, killed and started again on the same positions.

    Args:
        url: of Loki.
        folder: takes its positions, dead letters, statistics and stderr.
        arguments: the rest of its command line.
    """

    def __init__(self, url: str, folder: Path, *arguments: str) -> None:
        folder.mkdir(exist_ok=True)
        self.positions = folder / "positions.json"
        self.dead_letters = folder / "dead.ndjson"
        self._stats = folder / "stats.json"
        self._stderr = folder / "stderr.txt"
        self._command = [
            *(sys.executable, "-m", "lokikit", "ship", "--url", url),
            *("--positions", str(self.positions), "--stats", str(self._stats)),
            *("--dead-letters", str(self.dead_letters), "--host", "test-host", *arguments),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, stdin: int | IO[bytes] = subprocess.DEVNULL) -> Ship:
        """Start it."""
        with self._stderr.open("ab") as stderr:
            self.process = subprocess.Popen(self._command, stdin=stdin, stderr=stderr)
        return self

    def feed(self, data: bytes) -> int:
        """Give it `data` as its whole stdin; its exit code."""
        self.start(subprocess.PIPE)
        assert self.process is not None
        self.process.communicate(data, timeout=_END_S)
        return self.process.returncode

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal and wait; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(_END_S)

    def stats(self) -> dict[str, Any]:
        """Its last statistics."""
        data = self._stats.read_bytes() if self._stats.exists() else b""
        found: dict[str, Any] = json.loads(data or b"{}")
        return found

    def is_running(self) -> bool:
        """Whether it follows by now."""
        return bool(self.stats())

    def sent(self) -> int:
        """How many lines Loki has from it, as of its last statistics."""
        return int(self.stats().get("sent", 0))

    def said(self) -> str:
        """Its stderr."""
        return self._stderr.read_text()

    def letters(self) -> list[dict[str, Any]]:
        """Its dead letters."""
        return [json.loads(line) for line in self.dead_letters.read_bytes().splitlines()]


def new_service() -> str:
    """A service that no other test uses."""
    return f"ship-{uuid.uuid4().hex[:12]}"


def lines_of(service: str) -> Iterator[bytes]:
    """Lines under the contract without their line ends, each a microsecond after the other."""
    start_us = time.time_ns() // 1_000
    for number in itertools.count():
        yield line_at(service, start_us + number, number)


def line_at(service: str, time_us: int, number: int) -> bytes:
    """A line under the contract with that timestamp."""
    moment = datetime.fromtimestamp(time_us // 1_000_000, timezone.utc)
    stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{time_us % 1_000_000:06d}Z"
    line = {
        "timestamp": stamp,
        "level": "info",
        "message": f"order {number} stored",
        "service": service,
        "env": "test",
        "request_id": f"{number:08x}",
    }
    return json.dumps(line, separators=(",", ":")).encode()


def stored(url: str, service: str) -> list[LogEntry]:
    """All that Loki has of `service`, by time."""
    return recent_entries(Loki(url), f'{{service_name="{service}"}}')


def stored_of_case(url: str, service: str, case: Case) -> list[LogEntry]:
    """What Loki has of a case, by time: under its own service, and under what its lines name."""
    found = stored(url, service)
    for one in case.stored:
        if one.labels:
            selector = ",".join(f'{name}="{value}"' for name, value in one.labels.items())
            found += recent_entries(Loki(url), f"{{{selector}}}")
    return sorted(found, key=lambda entry: entry.timestamp_ns)


def stored_lines(url: str, service: str) -> list[bytes]:
    """The lines of all that, sorted, to compare as a multiset."""
    return sorted(entry.line.encode() for entry in stored(url, service))


def append(path: Path, lines: list[bytes]) -> None:
    """Write lines to the end of a file, in one write."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(descriptor, b"".join(line + b"\n" for line in lines))
    os.close(descriptor)
