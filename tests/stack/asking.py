"""Rows pushed to a real Loki, and `lokikit` as a process that asks for them."""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

import requests
from tests.command_line import run_command
from tests.waiting import eventually

from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.query.client import Loki

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

    from lokikit.query.results import LogEntry

Row = tuple[int, str]
_BATCH = 2000
HOUR_NS = 3600 * 10**9


def new_labels() -> dict[str, str]:
    """Labels that no other test uses."""
    return {"service_name": f"ask-{uuid.uuid4().hex[:12]}", "env": "test"}


def selector(labels: dict[str, str]) -> str:
    """The query for all lines with these labels."""
    return f'{{service_name="{labels["service_name"]}"}}'


def recent_entries(loki: Loki, query: str) -> list[LogEntry]:
    """What Loki has of an hour ago to an hour ahead, by time."""
    now_ns = time.time_ns()
    return list(loki.query_range(query, now_ns - HOUR_NS, now_ns + HOUR_NS))


def push(url: str, labels: dict[str, str], rows: Sequence[Row]) -> None:
    """Store rows of time and line."""
    pusher = Pusher(url)
    for start in range(0, len(rows), _BATCH):
        entries = [Entry(time_ns, line, labels, {}) for time_ns, line in rows[start:][:_BATCH]]
        answer = pusher.push(entries)
        assert answer.outcome is Outcome.DONE, answer
    pusher.close()


def flush(url: str, lines: int, now_ns: int) -> None:
    """Have Loki store what it holds in memory, where queries for old lines do not look.

    Returns once all `lines` of the last days are found.
    """
    requests.post(f"{url}/flush", timeout=60).raise_for_status()
    query = 'sum(count_over_time({service_name=~".+"} [3d]))'
    loki = Loki(url, timeout_s=60)
    eventually(lambda: [int(one.value) for one in loki.instant(query, now_ns)] == [lines], 180)


def command(*arguments: str) -> list[str]:
    """The command line of `lokikit`."""
    return [sys.executable, "-m", "lokikit", *arguments]


def environment(url: str, **variables: str) -> dict[str, str]:
    """An environment in which `lokikit` asks the Loki at `url`."""
    return {**os.environ, "LOKI_URL": url, **variables}


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `lokikit` said and returned."""
    return run_command(arguments, environment(url))
