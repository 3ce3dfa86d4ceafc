"""A query followed for ever: live messages for speed, queries for completeness.

Loki's live tail alone is not complete: Loki leaves entries out when its reader is slow, sends
nothing from before it has registered the reader, and ends with the connection. So its messages are
shown at once, and the same stretch of time is queried again: behind each burst, and over each gap
between two connections. Each entry is shown when it first appears, and remembered.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TYPE_CHECKING

import orjson

from lokikit.delivery.retry import backoff_s
from lokikit.errors import LokikitError
from lokikit.query.http import is_passing
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lokikit.query.live_tail import Feed
    from lokikit.query.results import LogEntry

_REGISTERED_S = 1
"""Loki sends new entries at the latest this long after the handshake."""
_SETTLE_S = 5
"""Seconds after a burst before the query that checks that it was complete."""
_LATE_NS = 5 * NS_PER_S
"""An entry that Loki left out is found if it is at most this far behind the newest entry."""
_GAP_LATE_NS = 60 * NS_PER_S
"""The same while there is no connection."""
AHEAD_NS = 600 * NS_PER_S
"""Loki takes timestamps up to ten minutes in the future (`limits_config.creation_grace_period`)."""
_NEVER = math.inf
_LISTEN_S = 1
"""Seconds of silence after which `is_stopped` is called."""
_MAX_REMEMBERED = 250_000


class Seen:
    """Remembers entries: at least the last `capacity`, at most twice as many.

    Args:
        capacity: number of entries; 250,000 take up to 60 MB.
    """

    def __init__(self, capacity: int = _MAX_REMEMBERED) -> None:
        self._capacity = capacity
        self._older: set[bytes] = set()
        self._newer: set[bytes] = set()

    def add(self, entry: LogEntry) -> bool:
        """Return True when the entry is new, and remember it."""
        key = _key(entry)
        if key in self._newer or key in self._older:
            return False
        self._newer.add(key)
        if len(self._newer) >= self._capacity:
            self._older, self._newer = self._newer, set()
        return True


def _key(entry: LogEntry) -> bytes:
    parts = (entry.timestamp_ns, entry.line, entry.labels, entry.metadata, entry.parsed)
    packed = orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(packed, digest_size=16).digest()


class Tail:
    """Follows a query.

    An entry that arrives more than a minute behind the newest entry while there is no connection is
    not shown, because nothing shows when to look for it.

    Args:
        ask: returns the entries from a nanosecond on and before another.
        connect: opens the live connection.
        on_lost: gets the reason of each lost connection, once.
        is_stopped: called at least every second; the entries end when it returns True.
        clock: seconds of a monotonic clock.
        now_ns: clock in nanoseconds since 1970.
        sleep: waits for a number of seconds.
    """

    def __init__(  # noqa: PLR0913 - the last three are for tests
        self,
        ask: Callable[[int, int], Iterator[LogEntry]],
        connect: Callable[[], AbstractContextManager[Feed]],
        *,
        on_lost: Callable[[LokikitError], None] = lambda _: None,
        is_stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
        now_ns: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._ask, self._connect, self._on_lost = ask, connect, on_lost
        self._is_stopped = is_stopped
        self._clock, self._now_ns, self._sleep = clock, now_ns, sleep
        self._seen = Seen()
        self._newest_ns = self._complete_ns = 0
        self._random = random.Random()  # noqa: S311 - jitter is no secret
        self._failures = 0

    def entries(self, since_ns: int | None = None) -> Generator[LogEntry, None, None]:
        """Yield the entries from `since_ns` on (by default now), each once, as they arrive.

        Raises:
            LokikitError: the first answer is an error, or a new connection does not solve it.
        """
        self._newest_ns = self._complete_ns = self._now_ns() if since_ns is None else since_ns
        yield from self._sweep(late_ns=0)
        late_ns = _LATE_NS
        while not self._is_stopped():
            try:
                yield from self._live(late_ns)
            except LokikitError as error:
                self._pause(error)
            late_ns = _GAP_LATE_NS

    def _live(self, late_ns: int) -> Iterator[LogEntry]:
        """Yield the entries of a connection, until it is lost."""
        with self._connect() as feed:
            self._sleep(_REGISTERED_S)
            yield from self._sweep(late_ns)
            self._failures = 0
            heard, sweep_at = False, self._clock() + _SETTLE_S
            while not self._is_stopped():
                entries, left_out = feed.receive(min(sweep_at - self._clock(), _LISTEN_S))
                yield from self._fresh(entries)
                self._complete_ns = min([self._complete_ns, *left_out])
                if entries or left_out:
                    heard, sweep_at = True, min(sweep_at, self._clock() + _SETTLE_S)
                if self._clock() >= sweep_at:
                    yield from self._sweep(_LATE_NS)
                    # A query behind the last message: Loki may have left out later entries.
                    sweep_at = self._clock() + _SETTLE_S if heard else _NEVER
                    heard = False

    def _sweep(self, late_ns: int) -> Iterator[LogEntry]:
        """Query all entries since the time up to which all are known; yield the new entries."""
        now_ns = self._now_ns()
        yield from self._fresh(self._ask(self._complete_ns - late_ns, now_ns + AHEAD_NS))
        self._complete_ns = max(self._complete_ns, min(self._newest_ns, now_ns))

    def _fresh(self, entries: Iterable[LogEntry]) -> Iterator[LogEntry]:
        for entry in entries:
            self._newest_ns = max(self._newest_ns, entry.timestamp_ns)
            if self._seen.add(entry):
                yield entry

    def _pause(self, error: LokikitError) -> None:
        """Wait before the next connection; longer after each failure.

        Raises:
            LokikitError: `error`, when a new connection does not solve it.
        """
        if not is_passing(error):
            raise error
        if not self._failures:
            self._on_lost(error)
        self._sleep(backoff_s(self._failures, self._random))
        self._failures += 1
