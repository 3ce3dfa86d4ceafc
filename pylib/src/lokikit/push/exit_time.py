"""The time that push handlers share for flushing and closing at the exit."""

from __future__ import annotations

import time

CLOSE_S = 5.0
"""Seconds that flushing and closing at the exit may take together."""


class ExitTime:
    """The time that handlers share for flushing and closing at the exit.

    Attributes:
        by_s: end of the time, by `time.monotonic`; `None` until a flush has timed out.
    """

    def __init__(self) -> None:
        self.by_s: float | None = None

    def left_s(self) -> float:
        """Return the seconds that are left; a flush of long ago does not count."""
        now_s = time.monotonic()
        if self.by_s is None or now_s >= self.by_s + CLOSE_S:
            self.by_s = now_s + CLOSE_S
        return max(0.0, self.by_s - now_s)
