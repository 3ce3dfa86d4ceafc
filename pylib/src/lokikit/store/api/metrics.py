"""`metrics`: what the server counts, in Prometheus' text format."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "lokikit_store"
_GAUGES = frozenset(
    {"streams", "segments", "segment_bytes", "sealed_rows", "unsealed_rows", "tails", "disk_bytes"}
)
_HELP = {
    "pushes": "Pushes that were answered, by status.",
    "queries": "Queries that were answered, by status.",
    "received_lines": "Lines of pushes that were stored, copies included.",
    "received_bytes": "Bytes of those lines and their metadata.",
    "refused_lines": "Lines that a push was refused for.",
    "tails": "Clients that follow new lines.",
    "tail_dropped_lines": "Lines that slow tails did not get.",
}


class ServerCounters:
    """Counts of one server; any thread may add."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, amount: int = 1, status: int | None = None) -> None:
        """Add to a count, to that of a status when it has several."""
        with self._lock:
            self._counts[name, "" if status is None else f'{{status="{status}"}}'] += amount

    def snapshot(self) -> dict[tuple[str, str], int]:
        """Name and labels -> count."""
        with self._lock:
            return dict(self._counts)


def write_metrics(counters: ServerCounters, stored: Mapping[str, int]) -> str:
    """All counts as text.

    Args:
        counters: of the server.
        stored: of the store, by name.
    """
    values = {**{(name, ""): count for name, count in stored.items()}, **counters.snapshot()}
    lines: list[str] = []
    for name in sorted({name for name, _ in values}):
        is_gauge = name in _GAUGES
        full = f"{_PREFIX}_{name}" + ("" if is_gauge else "_total")
        lines += _head(full, name, "gauge" if is_gauge else "counter")
        lines += [
            f"{full}{labels} {count}" for (key, labels), count in _sorted(values) if key == name
        ]
    return "\n".join(lines) + "\n"


def _head(full: str, name: str, kind: str) -> list[str]:
    text = _HELP.get(name, f"{name.replace('_', ' ').capitalize()} of the store.")
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]


def _sorted(
    values: Mapping[tuple[str, str], int],
) -> Iterable[tuple[tuple[str, str], int]]:
    return sorted(values.items())
