"""A line sent on each way into Loki, and the check that it arrives unchanged, with its latency."""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from lokikit import fields as f
from lokikit.delivery.entry import read_entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.times import NS_PER_S, format_time

if TYPE_CHECKING:
    from lokikit.query.client import Loki

CHECK_SERVICE = "lokikit-check"
DOUBLES_SINCE_S = 600
_MAX_DOUBLES_READ = 5_000
_POLL_S = 0.1
_SKEW_NS = 60 * NS_PER_S


@dataclass(frozen=True)
class CheckedWay:
    """A way into Loki.

    Args:
        name: its name.
        send: sends a line; returns the reason of a failure, or "".
        absent: reason why it is not checked; empty when it is.
    """

    name: str
    send: Callable[[bytes], str]
    absent: str = ""


@dataclass(frozen=True)
class Finding:
    """The result for a way.

    Args:
        way: its name.
        latency_s: seconds from sending the line to reading it back, `None` when it did not come.
        reason: reason why it was not checked, or of the loss.
        lost: True when it was checked and the line did not come.
    """

    way: str
    latency_s: float | None = None
    reason: str = ""
    lost: bool = False


def by_push(pusher: Pusher) -> CheckedWay:
    """Return the way to Loki's push API."""

    def send(line: bytes) -> str:
        entry = read_entry(line, default_service=None, platform={}, now_ns=time.time_ns)
        answer = pusher.push([entry])
        return "" if answer.outcome is Outcome.DONE else answer.reason

    return CheckedWay("push", send)


def by_file(name: str, file: Path) -> CheckedWay:
    """Return the way through an agent that follows `file`."""

    def send(line: bytes) -> str:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as log:
                log.write(line + b"\n")
        except OSError as error:
            return f"cannot write to {file}: {error.strerror}"
        return ""

    return CheckedWay(name, send)


def check_ways(ways: Sequence[CheckedWay], loki: Loki, timeout_s: float) -> list[Finding]:
    """Check the ways one after the other, and return their results.

    Raises:
        LokikitError: Loki does not answer queries.
    """
    return [
        Finding(way.name, reason=way.absent) if way.absent else _check(way, loki, timeout_s)
        for way in ways
    ]


def _check(way: CheckedWay, loki: Loki, timeout_s: float) -> Finding:
    marker, start_ns, start_s = uuid.uuid4().hex, time.time_ns(), time.monotonic()
    line = marked_line(marker, way.name, start_ns)
    if reason := way.send(line):
        return Finding(way.name, reason=reason, lost=True)
    query = f'{{{f.LABEL_SERVICE}="{CHECK_SERVICE}"}} |= "{marker}"'
    span = (start_ns - _SKEW_NS, start_ns + _SKEW_NS)
    while True:
        found = [entry.line.encode() for entry in loki.query_range(query, *span, limit=2)]
        latency_s = time.monotonic() - start_s
        if found == [line]:
            return Finding(way.name, latency_s)
        if found:
            return Finding(way.name, reason="it came changed, or twice", lost=True)
        if latency_s > timeout_s:
            return Finding(way.name, reason=f"nothing came within {timeout_s:g} s", lost=True)
        time.sleep(_POLL_S)


def doubled_services(loki: Loki, now_ns: int) -> dict[str, int]:
    """Return services with lines of the last ten minutes that are stored twice, and their number.

    Loki stores an entry once, however often the same carrier sends it. The same line at the same
    time with other metadata came through a second carrier: push and agent.
    """
    since_ns = now_ns - DOUBLES_SINCE_S * NS_PER_S
    entries = loki.query_range(f.EVERY_STREAM, since_ns, now_ns, _MAX_DOUBLES_READ, "backward")
    times = Counter(
        (entry.labels[f.LABEL_SERVICE], entry.timestamp_ns, entry.line) for entry in entries
    )
    return Counter(service for (service, *_), count in times.items() if count > 1)


def marked_line(marker: str, way: str, now_ns: int) -> bytes:
    """Return a line of the contract that can be found by `marker`."""
    return orjson.dumps(
        {
            f.TIMESTAMP: format_time(now_ns),
            f.LEVEL: "info",
            f.LOGGER: __name__,
            f.MESSAGE: f"check of the way in by {way}",
            f.SERVICE: CHECK_SERVICE,
            f.HOST: socket.gethostname(),
            f.PID: os.getpid(),
            f.THREAD: threading.current_thread().name,
            f.CALLER: f"{__name__} marked_line",
            f.REQUEST_ID: marker,
        }
    )
