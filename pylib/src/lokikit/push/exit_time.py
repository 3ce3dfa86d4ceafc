"""The time that push handlers share for flushing and closing at the exit."""

from __future__ import annotations

import time

CLOSE_S = 5.0
"""What flushing and closing at the exit may take together."""


class ExitTime:
    """The time that handlers share for flushing and closing at the exit.

    Attributes:
        by_s: when it ends, by `time.monotonic`; `None` before anything took longer.
    """

    def __init__(self) -> None:
        self.by_s: float | None = None

    def left_s(self) -> float:
        """What is left; a flush of long ago takes nothing away."""
        now_s = time.monotonic()
        if self.by_s is None or now_s >= self.by_s + CLOSE_S:
            self.by_s = now_s + CLOSE_S
        return max(0.0, self.by_s - now_s)
