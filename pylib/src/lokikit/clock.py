"""Strictly increasing RFC 3339 timestamps, so that Loki never merges two equal lines."""

from __future__ import annotations

import os
import threading
import time

MICROSECONDS_PER_S = 1_000_000
MAX_STEP_BACK_US = MICROSECONDS_PER_S
"""A clock set back by up to this is bridged; beyond, the timestamps follow the clock."""


class StampClock:
    """Turns times of events into timestamps, no two of which are equal in one process."""

    def __init__(self) -> None:
        self._last_us = 0
        self._second = -1
        self._prefix = ""
        self._lock = threading.Lock()

    def stamp(self, created_s: float) -> str:
        """The timestamp of an event, at least one microsecond after the one before.

        Args:
            created_s: seconds since the epoch, as in `LogRecord.created`.
        """
        time_us = round(created_s * MICROSECONDS_PER_S)
        with self._lock:
            if 0 <= self._last_us - time_us < MAX_STEP_BACK_US:
                time_us = self._last_us + 1
            self._last_us = time_us
            second, micro = divmod(time_us, MICROSECONDS_PER_S)
            if second != self._second:
                self._second = second
                self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            return f"{self._prefix}.{micro:06d}Z"

    def reset_lock(self) -> None:
        """Give a forked child a free lock; the stamps go on from where the parent stood."""
        self._lock = threading.Lock()


process_clock = StampClock()
"""The one clock that every formatter of this process shares."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=process_clock.reset_lock)
