"""The clock of alerts: the time of day, and jumps of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

_JUMP_NS = 5 * NS_PER_S
"""What is less is a clock that is drawn to the right time, or a wait between two readings."""


@dataclass(frozen=True)
class Clock:
    """Two clocks of a machine.

    Args:
        wall_ns: the time of day, nanoseconds since 1970; somebody may set it.
        steady_ns: nanoseconds of a clock that nobody sets, from any start.
    """

    wall_ns: Callable[[], int] = time.time_ns
    steady_ns: Callable[[], int] = time.monotonic_ns


class Jumps:
    """Notices that the time of day was set, or that the machine slept."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall_ns, self._steady_ns = clock.wall_ns(), clock.steady_ns()

    def since_last_ns(self) -> int:
        """How far the time of day has jumped since the last call; 0 when it ran on."""
        wall_ns, steady_ns = self._clock.wall_ns(), self._clock.steady_ns()
        jump_ns = (wall_ns - self._wall_ns) - (steady_ns - self._steady_ns)
        self._wall_ns, self._steady_ns = wall_ns, steady_ns
        return jump_ns if abs(jump_ns) > _JUMP_NS else 0
