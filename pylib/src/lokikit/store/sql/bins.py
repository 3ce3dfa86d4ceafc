"""Bins of time that the windows of a query are unions of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.logql.series import Steps


@dataclass(frozen=True)
class Bins:
    """Spans of time, end included, cut where some window begins or ends.

    Windows begin and end at the same distance from each step, so each span between two steps is
    cut once at most, whatever the range is.

    Args:
        first_end_ns: end of the first window.
        step_ns: between the ends of two windows.
        range_ns: length of a window.
        count: how many windows there are.
    """

    first_end_ns: int
    step_ns: int
    range_ns: int
    count: int

    @classmethod
    def of(cls, steps: Steps, range_ns: int, offset_ns: int) -> Bins:
        """The bins of a query's windows."""
        return cls(steps.start_ns - offset_ns, steps.step_ns or range_ns, range_ns, steps.count)

    @property
    def _lag(self) -> int:
        """How many steps a window reaches back, rounded up."""
        return -(-self.range_ns // self.step_ns)

    @property
    def _cut_ns(self) -> int:
        """Where in each step a window begins; 0 where that is at a step."""
        return self._lag * self.step_ns - self.range_ns

    @property
    def _origin_ns(self) -> int:
        return self.first_end_ns - self._lag * self.step_ns

    @property
    def after_ns(self) -> int:
        """The first window begins after this moment."""
        return self.first_end_ns - self.range_ns

    @property
    def last_ns(self) -> int:
        """The end of the last window."""
        return self.first_end_ns + (self.count - 1) * self.step_ns

    @property
    def has_gaps(self) -> bool:
        """True when some moments between two windows are in no window."""
        return self.range_ns < self.step_ns and self.count > 1

    def bin(self, time_ns: int) -> int | None:
        """The number of the bin of a moment; None where no window has it."""
        if not self.after_ns < time_ns <= self.last_ns:
            return None
        if self.count == 1:
            return self.window(0)[0]
        number, phase_ns = divmod(time_ns - 1 - self._origin_ns, self.step_ns)
        if not self._cut_ns:
            return number
        is_behind = phase_ns >= self._cut_ns
        return None if self.has_gaps and not is_behind else number * 2 + is_behind

    def sql(self) -> str:
        """The number of the bin of the column `ts`."""
        since = f"(ts - {self._origin_ns + 1})"
        if self.count == 1:
            return str(self.window(0)[0])
        if not self._cut_ns:
            return f"{since} // {self.step_ns}"
        behind = f"({since} % {self.step_ns} >= {self._cut_ns})::BIGINT"
        return f"{since} // {self.step_ns} * 2 + {behind}"

    def condition(self) -> str:
        """The condition that some window has the moment `ts`."""
        inside = f"ts > {self.after_ns} AND ts <= {self.last_ns}"
        if not self.has_gaps:
            return inside
        return f"{inside} AND (ts - {self._origin_ns + 1}) % {self.step_ns} >= {self._cut_ns}"

    def window(self, number: int) -> tuple[int, int]:
        """First and last bin of a window."""
        if not self._cut_ns:
            return number, number + self._lag - 1
        return 2 * number + 1, 2 * (number + self._lag) - 1

    def bounds_ns(self, number: int) -> tuple[int, int]:
        """Start, excluded, and end, included, of a window."""
        end_ns = self.first_end_ns + number * self.step_ns
        return end_ns - self.range_ns, end_ns
