"""Strictly increasing RFC 3339 timestamps, so that Loki never merges two equal lines."""

from __future__ import annotations

import os
import threading
import time
from collections import deque

MICROSECONDS_PER_S = 1_000_000
MAX_STEP_BACK_US = MICROSECONDS_PER_S
"""A clock set back by up to this is bridged; beyond, the timestamps follow the clock."""
_MAX_RECENT = 1024
"""Stamps that a record which comes late is compared with."""
_DIGITS = [f"{number:03d}" for number in range(1000)]
_LAST_DIGITS = [f"{digits}Z" for digits in _DIGITS]
"""Looked up, for formatting a number takes as long as the rest of a timestamp."""


_END_US = 253_402_300_800 * MICROSECONDS_PER_S
"""The year 10000, which RFC 3339 cannot write."""


def _seconds(created_s: float) -> float:
    """The seconds of a time that relayed records have in milliseconds, or finer; else now."""
    while created_s * MICROSECONDS_PER_S >= _END_US:
        created_s /= 1000
    return created_s if created_s >= 0 else time.time()


class _LastEvent(threading.local):
    """What a thread stamped last."""

    last: tuple[object, str] = (None, "")


class StampClock:
    """Turns times of events into timestamps, no two of which are equal in one process."""

    def __init__(self) -> None:
        self._last_us = 0
        self._last_late_us = 0
        self._recent: deque[int] = deque(maxlen=_MAX_RECENT)
        self._second_us = -MICROSECONDS_PER_S
        self._prefix = ""
        self._lock = threading.RLock()
        self._of_thread = _LastEvent()

    def stamp_event(self, event: object, created_s: float) -> str:
        """The timestamp of an event; the same again while this thread stamps no other event.

        Args:
            event: an object that this event alone has, and its copies; `None` is never the same.
            created_s: seconds since the epoch, as in `LogRecord.created`.
        """
        last, stamp = self._of_thread.last
        if last is not event or event is None:
            stamp = self.stamp_text(created_s)
            # One assignment: a signal handler may stamp an event of its own at any moment.
            self._of_thread.last = (event, stamp)
        return stamp

    def stamp(self, created_s: float) -> bytes:
        """The same as bytes without the `Z`, as items of a push queue have it."""
        return self.stamp_text(created_s)[:-1].encode()

    def stamp_text(self, created_s: float) -> str:
        """The timestamp of an event, a microsecond or more after the timestamp before.

        Args:
            created_s: seconds since the epoch, as in `LogRecord.created`.
        """
        time_us = int(created_s * 1e6 + 0.5)
        # A signal handler may log in here too: the lock lets its own thread in again, and no
        # call stands between reading and writing the last time, where it could get between.
        with self._lock:
            last_us = self._last_us
            if time_us > last_us:
                self._last_us = time_us
            elif last_us < time_us + MAX_STEP_BACK_US:
                time_us = self._last_us = last_us + 1
            else:
                time_us = self._late_time(time_us)
            fraction_us = time_us - self._second_us
            if not 0 <= fraction_us < MICROSECONDS_PER_S:
                if not 0 <= time_us < _END_US:
                    self._last_us = last_us
                    return self.stamp_text(_seconds(created_s))
                fraction_us = self._start_second(time_us)
            self._recent.append(time_us)
            return self._prefix + _DIGITS[fraction_us // 1000] + _LAST_DIGITS[fraction_us % 1000]

    def _late_time(self, time_us: int) -> int:
        """A free time for a record that waited somewhere, or after the clock was set back."""
        if time_us <= self._last_late_us < time_us + MAX_STEP_BACK_US:
            time_us = self._last_late_us + 1
        while time_us in self._recent:
            time_us += 1
        self._last_late_us = time_us
        return time_us

    def _start_second(self, time_us: int) -> int:
        second, fraction_us = divmod(time_us, MICROSECONDS_PER_S)
        self._second_us = time_us - fraction_us
        self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        return fraction_us

    def reset_lock(self) -> None:
        """Give a forked child a free lock; the stamps go on from where the parent stood."""
        self._lock = threading.RLock()


process_clock = StampClock()
"""The clock that all formatters of this process share."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process_clock.reset_lock)
