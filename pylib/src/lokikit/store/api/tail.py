"""`tail`: new lines over a websocket, as soon as they are stored."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.store.api.parameters import QUERY_SINCE_NS, read_limit, read_positive_limit, read_span
from lokikit.store.api.results import CATEGORIZE, categories
from lokikit.store.errors import QueryError
from lokikit.store.logql.matchers import selects
from lokikit.store.logql.parser import parse_log_query
from lokikit.store.logql.pipeline import compile_pipeline
from lokikit.store.rows import Row

if TYPE_CHECKING:
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.http import Form, Send
    from lokikit.store.api.metrics import ServerCounters
    from lokikit.store.logql.labels_builder import Processed
    from lokikit.store.logql.syntax import LogExpression
    from lokikit.store.segments.schema import PushedEntry

_MAX_DELAY_S = 5
_MAX_WAITING = 10_000
_MAX_FRAME = 500
_MAX_DROPPED = 1000
_AHEAD_NS = 600 * 10**9
"""Lines may be stamped as far ahead of the clock as pushes may be."""


@dataclass(frozen=True)
class TailRequest:
    """The parameters of a tail.

    Args:
        query: selects lines.
        start_ns: lines stored before the request are sent from this time on.
        limit: largest number of these lines, the newest.
        delay_s: time for which lines wait for earlier lines that arrive later.
        flags: of the encoding.
    """

    query: LogExpression
    start_ns: int
    limit: int
    delay_s: int
    flags: tuple[str, ...]


def read_tail(form: Form, now_ns: int, flags: tuple[str, ...]) -> TailRequest:
    """The request.

    Raises:
        QueryError: a parameter is wrong.
    """
    query = parse_log_query(form.get("query"))
    limit = read_positive_limit(form)
    delay_s = read_limit(form, "delay_for", 0)
    if delay_s > _MAX_DELAY_S:
        raise QueryError(f"delay_for can't be greater than {_MAX_DELAY_S}")
    span = read_span(form, now_ns, QUERY_SINCE_NS)
    return TailRequest(query, span.start_ns, limit, max(delay_s, 0), flags)


class Queue:
    """New lines on their way to one client; lines over the bound are dropped and reported."""

    def __init__(
        self,
        query: LogExpression,
        loop: asyncio.AbstractEventLoop,
        counters: ServerCounters,
        max_waiting: int = _MAX_WAITING,
    ) -> None:
        self._matchers, self._loop, self._counters = query.matchers, loop, counters
        self._max_waiting = max_waiting
        self._selected: dict[int, tuple[Mapping[str, str], bool]] = {}
        self._lock = threading.Lock()
        self._waiting: deque[PushedEntry] = deque()
        self._dropped: deque[dict[str, Any]] = deque(maxlen=_MAX_DROPPED)
        self.arrived = asyncio.Event()

    def take(self, entries: list[PushedEntry]) -> None:
        """Take the selected lines of a batch; called by the thread that pushed it."""
        self._selected.clear()
        found = [entry for entry in entries if self._selects(entry.labels)]
        if not found:
            return
        with self._lock:
            room = max(self._max_waiting - len(self._waiting), 0)
            self._waiting.extend(found[:room])
            self._dropped.extend(map(_described, found[room:]))
        self._counters.add("tail_dropped_lines", len(found[room:]))
        with contextlib.suppress(RuntimeError):  # the loop is closed: the server ends
            self._loop.call_soon_threadsafe(self.arrived.set)

    def _selects(self, labels: Mapping[str, str]) -> bool:
        known = self._selected.get(id(labels))
        if known is None:
            known = self._selected[id(labels)] = (labels, selects(self._matchers, labels))
        return known[1]

    def give(self) -> tuple[list[PushedEntry], list[dict[str, Any]]]:
        """The lines since the last call, and the dropped lines."""
        self.arrived.clear()
        with self._lock:
            count = min(len(self._waiting), _MAX_FRAME)
            entries = [self._waiting.popleft() for _ in range(count)]
            dropped, self._dropped = list(self._dropped), deque(maxlen=_MAX_DROPPED)
            if self._waiting:
                self.arrived.set()
        return entries, dropped


def _described(entry: PushedEntry) -> dict[str, Any]:
    return {"labels": dict(entry.labels), "timestamp": str(entry.timestamp_ns)}


class Tailing:
    """One client's tail; its queue gets new lines already."""

    def __init__(self, engine: Engine, request: TailRequest, queue: Queue, send: Send) -> None:
        self._engine, self._request, self._queue, self._send = engine, request, queue, send
        self._pipeline = compile_pipeline(request.query.stages)
        self._sent: set[tuple[int, str, tuple[tuple[str, str], ...]]] = set()

    def read_stored(self, check: Callable[[], None]) -> list[Processed]:
        """The stored lines to begin with, the oldest first; for the thread of a query."""
        request, end_ns = self._request, time.time_ns() + _AHEAD_NS
        limit = min(request.limit, self._engine.limits.max_entries)
        evaluator = self._engine.evaluator(check)
        found = evaluator.entries(request.query, request.start_ns, end_ns, limit, "backward")
        self._sent = set(map(_key, found))
        return found[::-1]

    async def send_all(self, stored: Sequence[Processed]) -> None:
        """Send the stored lines, then new lines for ever."""
        await self._send_frame(stored, [])
        while True:
            await self._queue.arrived.wait()
            if self._request.delay_s:
                await asyncio.sleep(self._request.delay_s)
            entries, dropped = self._queue.give()
            found = sorted(self._process(entries), key=lambda entry: entry.timestamp_ns)
            if found or dropped:
                await self._send_frame(found, dropped)

    def _process(self, entries: Iterable[PushedEntry]) -> Iterable[Processed]:
        for new in entries:
            row = Row(new.timestamp_ns, new.labels, new.all_metadata(), new.line)
            entry = self._pipeline.process(row)
            if entry is None:
                continue
            if self._sent and _key(entry) in self._sent:
                self._sent.discard(_key(entry))
                continue
            yield entry

    async def _send_frame(
        self, entries: Sequence[Processed], dropped: list[dict[str, Any]]
    ) -> None:
        if not entries and not dropped:
            return
        flags = self._request.flags
        frame: dict[str, Any] = {"streams": [_stream(entry, flags) for entry in entries]}
        if dropped:
            frame["dropped_entries"] = dropped
        if flags:
            frame["encodingFlags"] = list(flags)
        await self._send({"type": "websocket.send", "text": orjson.dumps(frame).decode()})


def _key(entry: Processed) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    return entry.timestamp_ns, entry.line, tuple(sorted(entry.labels().items()))


def _stream(entry: Processed, flags: Sequence[str]) -> dict[str, Any]:
    if CATEGORIZE not in flags:
        labels, value = entry.labels(), (str(entry.timestamp_ns), entry.line)
        return {"stream": labels, "values": [value]}
    value_with = (str(entry.timestamp_ns), entry.line, categories(entry))
    return {"stream": dict(entry.stream), "values": [value_with]}
