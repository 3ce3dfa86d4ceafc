"""Bounds on what comes in: bytes a second, and streams at the same time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from lokikit.store.logql.quoting import format_labels
from lokikit.store.segments.streams import Labels, sorted_labels

if TYPE_CHECKING:
    from lokikit.store.segments.schema import PushedEntry

_IDLE_S = 1800.0
"""A stream without lines for so long counts no more, as with the kit's `chunk_idle_period`."""


class ByteRate:
    """A limit of incoming bytes: `per_s` a second, and `burst` at once after a quiet time."""

    def __init__(self, per_s: int, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_s, self._burst, self._clock = per_s, burst, clock
        self._lock = threading.Lock()
        self._left, self._since_s = float(burst), clock()

    def admit(self, size: int) -> bool:
        """Take `size` bytes off; False when they are too many now."""
        with self._lock:
            now_s = self._clock()
            grown = self._left + (now_s - self._since_s) * self.per_s
            self._left, self._since_s = min(grown, self._burst), now_s
            if size > self._left:
                return False
            self._left -= size
            return True


class ActiveStreams:
    """The streams that got lines lately."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._lock = threading.Lock()
        self._last_s: dict[Labels, float] = {}

    def admit(self, entries: Sequence[PushedEntry]) -> tuple[Sequence[PushedEntry], str]:
        """The entries of streams that are known or fit in, and Loki's text when some do not."""
        by_id: dict[int, Mapping[str, str]] = {id(entry.labels): entry.labels for entry in entries}
        keys = {one: sorted_labels(labels) for one, labels in by_id.items()}
        with self._lock:
            refused = {one for one, key in keys.items() if not self._touch(key)}
        if not refused:
            return entries, ""
        stream = format_labels(by_id[min(refused)])
        kept = [entry for entry in entries if id(entry.labels) not in refused]
        return kept, (
            f"maximum active stream limit exceeded when trying to create stream {stream}, reduce "
            "the number of active streams (reduce labels or reduce label values), or contact your "
            "Loki administrator to see if the limit can be increased, user: 'fake'"
        )

    def _touch(self, key: Labels) -> bool:
        now_s = self._clock()
        if key not in self._last_s and len(self._last_s) >= self._limit:
            self._last_s = {
                one: last_s for one, last_s in self._last_s.items() if last_s > now_s - _IDLE_S
            }
            if len(self._last_s) >= self._limit:
                return False
        self._last_s[key] = now_s
        return True
