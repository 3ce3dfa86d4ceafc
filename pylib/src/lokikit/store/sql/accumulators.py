"""The values that SQL and the pipeline find in each bin, and the values of windows over bins."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING, Any, Protocol

from lokikit.store.logql.range_functions import window_function
from lokikit.store.segments.schema import LINE_BYTES
from lokikit.store.sql.predicates import NotProvenError
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.store.logql.syntax import RangeAggregation
    from lokikit.store.sql.bins import Bins

_COUNTS = frozenset({"count_over_time", "rate"})
_BYTES = frozenset({"bytes_over_time", "bytes_rate"})
_EXTREMES = {"min_over_time": min, "max_over_time": max}
_ENDS = {"first_over_time": 0, "last_over_time": -1}
_TIMED = frozenset(
    {
        "rate_counter",
        "rate",
        "sum_over_time",
        "avg_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        *_ENDS,
    }
)
"""Aggregations whose answer depends on the order of the samples, at least in its last bits."""


class Accumulator(Protocol):
    """The values of one group: a cell for each bin."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the SQL, behind the bin and the group."""

    @property
    def is_grouped(self) -> bool:
        """True when the columns are aggregates."""

    def merge(self, bin_: int, columns: Sequence[Any]) -> None:
        """Take in a row of the SQL's answer."""

    def add(self, bin_: int, time_ns: int, value: float) -> None:
        """Take in a sample of the pipeline."""

    def values(self, bins: Bins) -> list[float | None]:
        """The value of each window, None where it is empty."""


class Totals:
    """Numbers of lines, and of bytes."""

    is_grouped = True

    def __init__(self, aggregation: RangeAggregation) -> None:
        self._is_bytes = aggregation.op in _BYTES
        seconds = aggregation.log_range.range_ns / NS_PER_S
        self._divisor = seconds if aggregation.op in {"rate", "bytes_rate"} else None
        self.columns: tuple[str, ...] = ("count(*)", f"sum({LINE_BYTES})::BIGINT")[
            : 1 + self._is_bytes
        ]
        self._counts: dict[int, int] = {}
        self._totals: dict[int, int] = {} if self._is_bytes else self._counts

    def merge(self, bin_: int, columns: Sequence[Any]) -> None:
        """Take in a row of the SQL's answer."""
        self._counts[bin_] = self._counts.get(bin_, 0) + columns[0]
        if self._is_bytes:
            self._totals[bin_] = self._totals.get(bin_, 0) + columns[1]

    def add(self, bin_: int, _time_ns: int, value: float) -> None:
        """Take in a sample of the pipeline."""
        self.merge(bin_, (1, int(value)))

    def values(self, bins: Bins) -> list[float | None]:
        """The value of each window, None where it is empty."""
        numbers = sorted(self._counts)
        counts = list(accumulate((self._counts[n] for n in numbers), initial=0))
        totals = list(accumulate((self._totals[n] for n in numbers), initial=0))
        return [
            self._scaled(totals[last] - totals[first]) if counts[last] > counts[first] else None
            for first, last in _spans(numbers, bins)
        ]

    def _scaled(self, total: int) -> float:
        return float(total) if self._divisor is None else total / self._divisor


class Extremes:
    """The smallest or the largest value."""

    is_grouped = True

    def __init__(self, aggregation: RangeAggregation) -> None:
        self._choose: Callable[..., float] = _EXTREMES[aggregation.op]
        self.columns: tuple[str, ...] = (f"{aggregation.op[:3]}(value)",)
        self._cells: dict[int, float] = {}

    def merge(self, bin_: int, columns: Sequence[Any]) -> None:
        """Take in a row of the SQL's answer."""
        self.add(bin_, 0, columns[0])

    def add(self, bin_: int, _time_ns: int, value: float) -> None:
        """Take in a sample of the pipeline.

        Raises:
            NotProvenError: it is NaN.
        """
        if value != value:  # noqa: PLR0124 - only NaN differs from itself
            raise NotProvenError("NaN among the samples")
        known = self._cells.get(bin_)
        self._cells[bin_] = value if known is None else self._choose(known, value)

    def values(self, bins: Bins) -> list[float | None]:
        """The value of each window, None where it is empty."""
        numbers = sorted(self._cells)
        cells = [self._cells[number] for number in numbers]
        return [
            self._choose(cells[first:last]) if last > first else None
            for first, last in _spans(numbers, bins)
        ]


class Samples:
    """All values, where the answer cannot be had from less."""

    def __init__(self, aggregation: RangeAggregation) -> None:
        self._is_timed = aggregation.op in _TIMED
        self._end = _ENDS.get(aggregation.op)
        self.is_grouped = not self._is_timed
        self.columns: tuple[str, ...] = ("ts", "value") if self._is_timed else ("list(value)",)
        self._function = window_function(aggregation)
        self._cells: dict[int, tuple[array[int], array[float]]] = {}

    def _cell(self, bin_: int) -> tuple[array[int], array[float]]:
        return self._cells.setdefault(bin_, (array("q"), array("d")))

    def merge(self, bin_: int, columns: Sequence[Any]) -> None:
        """Take in a row of the SQL's answer."""
        if self._is_timed:
            self.add(bin_, columns[0], columns[1])
        else:
            self._cell(bin_)[1].extend(columns[0])

    def add(self, bin_: int, time_ns: int, value: float) -> None:
        """Take in a sample of the pipeline."""
        times, values = self._cell(bin_)
        values.append(value)
        if self._is_timed:
            times.append(time_ns)

    def values(self, bins: Bins) -> list[float | None]:
        """The value of each window, None where it is empty."""
        numbers = sorted(self._cells)
        cells = [self._ordered(*self._cells[number]) for number in numbers]
        return [
            self._value(cells[first:last], bins.bounds_ns(window)) if last > first else None
            for window, (first, last) in enumerate(_spans(numbers, bins))
        ]

    def _ordered(self, times: array[int], values: array[float]) -> tuple[array[int], array[float]]:
        if not self._is_timed or all(a <= b for a, b in pairwise(times)):
            return times, values
        order = sorted(range(len(times)), key=times.__getitem__)
        return (
            array("q", map(times.__getitem__, order)),
            array("d", map(values.__getitem__, order)),
        )

    def _value(
        self, cells: list[tuple[array[int], array[float]]], bounds_ns: tuple[int, int]
    ) -> float:
        window = MergedWindow(cells)
        if self._end is not None:
            self._refuse_tie(window)
        return self._function(window, *bounds_ns)

    def _refuse_tie(self, window: MergedWindow) -> None:
        """Leave it to the evaluator which of several values of one moment is the last."""
        times, values = window.times_ns(), window.values()
        chosen = times[self._end]  # type: ignore[index]  # not None, its only caller looked
        if len({value for time, value in zip(times, values) if time == chosen}) > 1:  # noqa: B905
            raise NotProvenError("several values at one moment")


class MergedWindow:
    """The samples of neighbouring bins, as the evaluator's functions read a window."""

    def __init__(self, cells: list[tuple[array[int], array[float]]]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return sum(len(values) for _, values in self._cells)

    def values(self) -> array[float]:
        """The values, oldest first."""
        if len(self._cells) == 1:
            return self._cells[0][1]
        return array("d", chain.from_iterable(values for _, values in self._cells))

    def times_ns(self) -> array[int]:
        """The times of the values."""
        return array("q", chain.from_iterable(times for times, _ in self._cells))

    def add(self, time_ns: int, value: float) -> None:
        """Nothing is added to a window that is whole."""
        raise NotImplementedError

    def move(self, start_ns: int) -> None:
        """Nothing is taken from it."""
        raise NotImplementedError


def _spans(numbers: list[int], bins: Bins) -> Iterator[tuple[int, int]]:
    """The slice of the sorted bins that each window has."""
    for window in range(bins.count):
        first, last = bins.window(window)
        yield bisect_left(numbers, first), bisect_right(numbers, last)


def accumulator_type(aggregation: RangeAggregation) -> Callable[[RangeAggregation], Accumulator]:
    """The accumulator of a range aggregation.

    Raises:
        NotProvenError: SQL has none for it.
    """
    is_unwrapped = aggregation.log_range.unwrap is not None
    if not is_unwrapped and aggregation.op in _COUNTS | _BYTES:
        return Totals
    if is_unwrapped and aggregation.op in _EXTREMES:
        return Extremes
    if is_unwrapped and aggregation.op in _TIMED | {"quantile_over_time"}:
        return Samples
    raise NotProvenError(aggregation.op)
