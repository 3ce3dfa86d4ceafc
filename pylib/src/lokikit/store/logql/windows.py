"""The samples of one series that lie in the window of the current step."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Protocol

_MIN_DEAD = 4096
"""Samples before the window that are worth a removal from the front of an array."""


class Window(Protocol):
    """Samples of one series, added in the order of time."""

    def add(self, time_ns: int, value: float) -> None:
        """Append a sample."""

    def move(self, start_ns: int) -> None:
        """Forget the samples at or before `start_ns`, the start of the next window."""

    def __len__(self) -> int: ...

    def values(self) -> array[float]:
        """The values, oldest first."""

    def times_ns(self) -> array[int]:
        """The times of the values."""


class CountWindow:
    """Counts samples of windows that do not overlap."""

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = 0

    def add(self, _time_ns: int, _value: float) -> None:
        """Count a sample."""
        self._count += 1

    def move(self, _start_ns: int) -> None:
        """Begin anew."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def values(self) -> array[float]:
        """Nothing is kept."""
        return array("d")

    def times_ns(self) -> array[int]:
        """Nothing is kept."""
        return array("q")


class SumWindow(CountWindow):
    """Sums up the values of windows that do not overlap, in the order of time."""

    __slots__ = ("_sum",)

    def __init__(self) -> None:
        super().__init__()
        self._sum = 0.0

    def add(self, _time_ns: int, value: float) -> None:
        """Add a value."""
        self._count += 1
        self._sum += value

    def move(self, _start_ns: int) -> None:
        """Begin anew."""
        self._count = 0
        self._sum = 0.0

    def values(self) -> array[float]:
        """The sum alone."""
        return array("d", (self._sum,))


class SlidingCountWindow:
    """Keeps times alone, 8 bytes a sample, for counting in windows that overlap."""

    __slots__ = ("_first", "_times_ns")

    def __init__(self) -> None:
        self._times_ns = array("q")
        self._first = 0

    def add(self, time_ns: int, _value: float) -> None:
        """Append a sample."""
        self._times_ns.append(time_ns)

    def move(self, start_ns: int) -> None:
        """Forget the samples at or before `start_ns`."""
        first = bisect_right(self._times_ns, start_ns, self._first)
        if first >= _MIN_DEAD and first * 2 >= len(self._times_ns):
            self._drop(first)
            first = 0
        self._first = first

    def _drop(self, count: int) -> None:
        del self._times_ns[:count]

    def __len__(self) -> int:
        return len(self._times_ns) - self._first

    def values(self) -> array[float]:
        """Nothing is kept."""
        return array("d")

    def times_ns(self) -> array[int]:
        """The times of the samples, oldest first."""
        return self._times_ns[self._first :]


class SlidingWindow(SlidingCountWindow):
    """Keeps times and values, 16 bytes a sample, for windows that may overlap."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        super().__init__()
        self._values = array("d")

    def add(self, time_ns: int, value: float) -> None:
        """Append a sample."""
        self._times_ns.append(time_ns)
        self._values.append(value)

    def _drop(self, count: int) -> None:
        super()._drop(count)
        del self._values[:count]

    def values(self) -> array[float]:
        """The values, oldest first."""
        return self._values[self._first :]
