"""The live tail of the page: arriving lines as server-sent events.

A thread for each open tail follows Loki (`lokikit.query.tail`); it ends within a second after the
browser has closed the connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.errors import LokikitError
from lokikit.page.lines import as_row
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.query.client import Loki

MAX_WAITING = 5000
"""Lines that wait for a slow browser; further lines are counted, and not shown."""
_BATCH = 500
_SILENCE_S = 10
"""Seconds without a line after which the server sends a comment, as a sign of life."""
_GATHER_S = 0.1
_MAX_GAP_NS = 60 * NS_PER_S
_AGAIN_S = 2
"""Seconds between two tries of a tail that the store refuses."""

Event = tuple[str, Any]


class Follower:
    """Follows one query until `stop`, in a thread and with a client of its own."""

    def __init__(
        self, loki: Loki, query: str, since_ns: int, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._loki, self._query, self._since_ns, self._loop = loki, query, since_ns, loop
        self._stopped = threading.Event()
        self._waiting: asyncio.Queue[Event] = asyncio.Queue(MAX_WAITING)
        self._left_out = 0
        self._thread = threading.Thread(target=self._follow, name="lokikit-page-tail", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end."""
        self._stopped.set()

    async def events(self) -> list[Event]:
        """Wait for events, and return those since the last call; none after a long silence."""
        found: list[Event] = []
        with suppress(asyncio.TimeoutError):
            found.append(await asyncio.wait_for(self._waiting.get(), _SILENCE_S))
            await asyncio.sleep(_GATHER_S)
        while not self._waiting.empty() and len(found) < _BATCH:
            found.append(self._waiting.get_nowait())
        if self._left_out:
            found.append(("left_out", self._left_out))
            self._left_out = 0
        return found

    def _follow(self) -> None:
        while not self._stopped.is_set():
            self._follow_once()
        self._loki.close()

    def _follow_once(self) -> None:
        try:
            for entry in self._loki.tail(
                self._query,
                since=self._since_ns,
                on_lost=lambda error: self._put("lost", str(error)),
                is_stopped=self._stopped.is_set,
            ):
                self._since_ns = max(self._since_ns, entry.timestamp_ns + 1)
                self._put("line", as_row(entry))
        except LokikitError as error:
            self._put("lost", str(error))
            self._stopped.wait(_AGAIN_S)

    def _put(self, kind: str, what: Any) -> None:
        with suppress(RuntimeError):  # the server has ended
            self._loop.call_soon_threadsafe(self._take, (kind, what))

    def _take(self, event: Event) -> None:
        try:
            self._waiting.put_nowait(event)
        except asyncio.QueueFull:
            self._left_out += 1


async def live_events(loki: Loki, query: str, since_ns: int) -> AsyncIterator[bytes]:
    """Yield server-sent events: `lines` with rows, `lost` with a reason, `left_out` with a count.

    `lines` have an id, which the browser sends after a lost connection: see `read_since`.
    """
    follower = Follower(loki, query, since_ns, asyncio.get_running_loop())
    follower.start()
    try:
        yield b": following\n\n"
        while True:
            events = await follower.events()
            rows = [what for kind, what in events if kind == "line"]
            if rows:
                yield b"id: %d\n" % max(int(row["ts"]) for row in rows) + _event("lines", rows)
            for kind, what in events:
                if kind != "line":
                    yield _event(kind, what)
            if not events:
                yield b": silence\n\n"
    finally:
        follower.stop()


def read_since(last_event_id: str | None, newest_shown: str | None, now_ns: int) -> int:
    """Return the start of a tail: behind the lines that the browser has, otherwise now.

    Args:
        last_event_id: of a connection that was lost, in nanoseconds since 1970.
        newest_shown: time of the newest line in the list, in the same unit. Of a page that was
            opened long ago only the last `_MAX_GAP_NS` are filled in.
        now_ns: the present in nanoseconds since 1970.
    """
    if last_event_id and last_event_id.isdecimal():
        return int(last_event_id) + 1
    if newest_shown and newest_shown.isdecimal():
        return min(max(int(newest_shown) + 1, now_ns - _MAX_GAP_NS), now_ns)
    return now_ns


def _event(kind: str, what: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), orjson.dumps(what))
