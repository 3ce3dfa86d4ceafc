"""The agent's numbers: lines read, delivered, retried, dropped, and bytes that wait."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import requests

from lokikit.spool.fluentbit_chunks import begun_s, chunk_paths, read_chunk, rejected_paths
from lokikit.stack.http_probe import get

METRICS_PATH = "/api/v2/metrics/prometheus"
HEALTH_PATH = "/api/v2/health"
OUTPUTS = frozenset({"loki", "loki_http"})
"""Aliases of the outputs to Loki in fluentbit/."""
_TIMEOUT_S = 2
_METRIC = re.compile(r'^fluentbit_(\w+)\{[^}]*?name="([^"]*)"[^}]*\} (\S+)$', re.MULTILINE)
_LONG_LINES = ("input_long_line_truncated_total", "input_long_line_skipped_total")
_SECOND_HAND = ("storage_backlog", "emitter")
"""Internal inputs of Fluent Bit; their lines were read by another input before."""


@dataclass(frozen=True)
class AgentNumbers:
    """Counts since the agent started, and its state now; `None` for unknown values.

    Args:
        read: lines that came in.
        sent: lines that Loki has taken.
        retried: lines that were sent again.
        dropped: lines that Loki will not get by itself, dead letters included; an upper bound,
            because Loki stores the valid lines of a chunk that it refuses.
        dead: lines kept as dead letters.
        cut: lines of files over 4 MiB, whose rest was skipped.
        buffered_bytes: bytes that wait on disk.
        oldest_s: age of the oldest of these; 0 when none wait.
    """

    read: int
    sent: int
    retried: int
    dropped: int
    dead: int | None = None
    buffered_bytes: int | None = None
    oldest_s: float | None = None
    cut: int = 0

    def __str__(self) -> str:
        parts = [f"{self.read} in, {self.sent} out, {self.retried} retried"]
        parts.append(f"{self.dropped} dropped")
        if self.cut:
            parts.append(f"{self.cut} cut")
        if self.dead is not None:
            parts.append(f"{self.dead} dead letters")
        if self.buffered_bytes is not None:
            parts.append(f"{self.buffered_bytes} bytes buffered")
        if self.oldest_s is not None:
            parts.append(f"oldest {self.oldest_s:.0f} s")
        return ", ".join(parts)


def ask_fluent_bit(url: str, storage: Path | None = None) -> AgentNumbers | None:
    """Return the numbers of the Fluent Bit with the admin address `url`, `None` without an answer.

    Args:
        url: address without a path.
        storage: its storage folder, if this process can read it.
    """
    try:
        response = get(url + METRICS_PATH, _TIMEOUT_S)
        response.raise_for_status()
    except requests.RequestException:
        return None
    return read_metrics(response.text, storage)


def read_metrics(
    text: str, storage: Path | None = None, time_s: Callable[[], float] = time.time
) -> AgentNumbers:
    """Return the numbers in Fluent Bit's metrics, and in its storage if that can be read."""
    counts: Counter[str] = Counter()
    for metric, name, value in _METRIC.findall(text):
        if name in OUTPUTS or (metric.startswith("input_") and not name.startswith(_SECOND_HAND)):
            counts[metric] += int(float(value))
    numbers = AgentNumbers(
        read=counts["input_records_total"],
        sent=counts["output_proc_records_total"],
        retried=counts["output_retried_records_total"],
        dropped=counts["output_dropped_records_total"],
        cut=sum(counts[name] for name in _LONG_LINES),
    )
    if storage is None or not storage.is_dir():
        return numbers
    waiting = [found for path in chunk_paths(storage) if (found := _size_and_start(path))]
    starts = [start for _, start in waiting]
    return replace(
        numbers,
        dead=sum(_events(path) for path in rejected_paths(storage)),
        buffered_bytes=sum(size for size, _ in waiting),
        oldest_s=max(0.0, time_s() - min(starts)) if starts else 0.0,
    )


def read_ship_stats(path: Path) -> AgentNumbers | None:
    """Return the numbers in the file of `lokikit ship --stats`, `None` when it has none."""
    try:
        counts = json.loads(path.read_bytes())
        # It buffers nothing: lines that are not delivered are still in the files.
        names = ("read", "sent", "retried", "dropped", "dead_letters")
        return AgentNumbers(*(counts[name] for name in names))
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _size_and_start(path: Path) -> tuple[int, float] | None:
    with suppress(OSError, ValueError):  # delivered meanwhile, or not a chunk
        return path.stat().st_size, begun_s(path)
    return None


def _events(path: Path) -> int:
    try:
        return sum(1 for _ in read_chunk(path.read_bytes(), ""))
    except OSError:
        return 0
