"""`metrics`: what the server counts, in Prometheus' text format."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from itertools import groupby

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "lokikit_store"
GAUGES = {
    "streams": "Streams that are stored.",
    "segments": "Parquet segments.",
    "segment_bytes": "Bytes of the segments.",
    "sealed_rows": "Lines in segments.",
    "unsealed_rows": "Lines in logs that are not sealed yet.",
    "tails": "Clients that follow new lines.",
}
"""Name of a value of now -> its meaning."""
COUNTERS = {
    "pushes": "Pushes that were answered, by status.",
    "queries": "Queries that were answered, by status.",
    "received_lines": "Lines of pushes that were stored, copies included.",
    "received_bytes": "Bytes of those lines and their metadata.",
    "refused_lines": "Lines that a push was refused for.",
    "refused_pushes": "Pushes that could not be written.",
    "tail_dropped_lines": "Lines that slow tails did not get.",
    "rows": "Lines that were stored, without copies.",
    "duplicate_rows": "Copies of stored lines that pushes brought.",
    "late_rows": "Lines that came when newer ones were sealed.",
    "replayed_rows": "Lines that the start read from the logs.",
    "seals": "Logs that became a segment.",
    "merges": "Merges of small segments.",
    "deleted_segments": "Segments that were older than the retention.",
    "damaged_segments": "Segments that failed their checksum and were moved away.",
    "damaged_records": "Damaged places in logs, kept in a folder of their own.",
    "upkeep_failures": "Turns of sealing, merging or deleting that failed and are tried again.",
}
"""Name of a count since the start -> its meaning."""


class ServerCounters:
    """Counts of one server; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, amount: int = 1, status: int | None = None) -> None:
        """Add to a count; some are counted by status."""
        with self._lock:
            self._counts[name, "" if status is None else f'{{status="{status}"}}'] += amount

    def snapshot(self) -> dict[tuple[str, str], int]:
        """Name and labels -> count."""
        with self._lock:
            return dict(self._counts)


def write_metrics(counters: ServerCounters, stored: Mapping[str, int]) -> str:
    """All counts of the server and of the store as text."""
    values = {**{(name, ""): count for name, count in stored.items()}, **counters.snapshot()}
    lines: list[str] = []
    for name, counts in groupby(sorted(values.items()), key=lambda item: item[0][0]):
        full = full_name(name)
        lines += _head(full, name)
        lines += [f"{full}{labels} {count}" for (_, labels), count in counts]
    return "\n".join(lines) + "\n"


def full_name(name: str) -> str:
    """Return the name that `/metrics` has for a value or a count."""
    return f"{_PREFIX}_{name}" if name in GAUGES else f"{_PREFIX}_{name}_total"


def _head(full: str, name: str) -> list[str]:
    kind, text = ("gauge", GAUGES[name]) if name in GAUGES else ("counter", COUNTERS[name])
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
