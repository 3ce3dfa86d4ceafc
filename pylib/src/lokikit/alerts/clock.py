"""The clock of alerts: the time of day, and its jumps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from lokikit.times import NS_PER_S

_JUMP_NS = 5 * NS_PER_S
"""Smaller differences come from a clock that is corrected, or from a wait between two readings."""


@dataclass(frozen=True)
class Clock:
    """Two clocks of a machine.

    Args:
        wall_ns: returns the time of day in nanoseconds since 1970, which can be set.
        steady_ns: returns nanoseconds of a clock that cannot be set.
    """

    wall_ns: Callable[[], int] = time.time_ns
    steady_ns: Callable[[], int] = time.monotonic_ns


class Jumps:
    """Measures jumps of the time of day: it was set, or the machine slept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall_ns, self._steady_ns = clock.wall_ns(), clock.steady_ns()

    def since_last_ns(self) -> int:
        """Return the jump of the time of day since the last call, 0 without a jump."""
        wall_ns, steady_ns = self._clock.wall_ns(), self._clock.steady_ns()
        jump_ns = (wall_ns - self._wall_ns) - (steady_ns - self._steady_ns)
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        return jump_ns if abs(jump_ns) > _JUMP_NS else 0
