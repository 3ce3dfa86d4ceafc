"""The functions of range aggregations over one window."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError
from lokikit.times import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from array import array

    from lokikit.store.logql.syntax import RangeAggregation
    from lokikit.store.logql.windows import Window

    WindowFunction = Callable[[Window, int, int], float]
    """From a window and its bounds (start_ns excluded, end_ns included) to the value."""

_THOUSAND = 1000
COUNTING = frozenset({"count_over_time", "rate", "absent_over_time"})
SUMMING = frozenset({"bytes_over_time", "bytes_rate", "sum_over_time"})


def total(values: Iterable[float]) -> float:
    """The sum, added in the order of time."""
    return reduce(operator.add, values, 0.0)


def mean(values: Iterable[float]) -> float:
    """The mean, moved by each value in turn."""
    result = 0.0
    for count, value in enumerate(values, 1):
        result += (value - result) / count
    return result


def variance(values: Sequence[float]) -> float:
    """The population variance, by Welford's method."""
    return _welford(values, average=0.0, seen=0)


def vector_variance(values: Sequence[float]) -> float:
    """The population variance of a group of samples; 0 for one sample, also an infinite one."""
    return _welford(values, average=values[0], seen=1)


def _welford(values: Sequence[float], *, average: float, seen: int) -> float:
    squares = 0.0
    for count, value in enumerate(values[seen:], seen + 1):
        delta = value - average
        average += delta / count
        squares += delta * (value - average)
    return squares / len(values)


def quantile(rank: float, values: Sequence[float]) -> float:
    """The quantile of `rank`, interpolated between the two nearest values."""
    if not values or math.isnan(rank):
        return math.nan
    if rank < 0:
        return -math.inf
    if rank > 1:
        return math.inf
    ordered = sorted(values, key=_nan_first)
    position = rank * (len(ordered) - 1)
    lower = int(max(0.0, math.floor(position)))
    upper = min(len(ordered) - 1, lower + 1)
    weight = position - math.floor(position)
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


def _nan_first(value: float) -> tuple[bool, float]:
    return (value == value, value)  # noqa: PLR0124 - only NaN differs from itself


def largest(values: Iterable[float]) -> float:
    """The largest value; NaN only where there is nothing else."""
    return reduce(lambda best, value: value if value > best or best != best else best, values)  # noqa: PLR0124 - NaN


def smallest(values: Iterable[float]) -> float:
    """The smallest value; NaN only where there is nothing else."""
    return reduce(lambda best, value: value if value < best or best != best else best, values)  # noqa: PLR0124 - NaN


def counter_increase(window: Window, range_ns: int) -> float:
    """The increase of a counter, over resets, as Loki extrapolates it.

    Loki takes Prometheus' formula with times in nanoseconds and the range in milliseconds, so that
    the increase grows by a millionth part of Prometheus' extrapolation; the divisions by 1000 are
    Loki's too, and show in the last digit.
    """
    values, times = window.values(), window.times_ns()
    if len(values) < 2:  # noqa: PLR2004 - an increase needs two values
        return 0.0
    increase = values[-1] - values[0]
    for before, after in pairwise(values):
        if after < before:
            increase += before
    sampled = (times[-1] - times[0]) / _THOUSAND
    if sampled == 0:
        return math.nan
    to_start = range_ns / NS_PER_MS / _THOUSAND
    if increase > 0 and values[0] >= 0:
        to_start = min(to_start, sampled * (values[0] / increase))
    return increase * ((sampled + to_start) / sampled)


def window_function(aggregation: RangeAggregation) -> WindowFunction:
    """The function of a range aggregation, from a window and its bounds to the value.

    Raises:
        QueryError: the evaluator does not know the aggregation.
    """
    op = aggregation.op
    if op in _PER_SECOND:
        return _per_second(aggregation)
    if op == "quantile_over_time":
        rank = 0.0 if aggregation.parameter is None else aggregation.parameter
        return lambda window, _start, _end: quantile(rank, window.values())
    if op in COUNTING:
        return lambda window, _start, _end: float(len(window))
    function = _OF_VALUES.get(op)
    if function is None:
        raise QueryError(f"{op} is not supported by this store")
    return lambda window, _start, _end: function(window.values())


def _per_second(aggregation: RangeAggregation) -> WindowFunction:
    seconds = aggregation.log_range.range_ns / NS_PER_S
    if aggregation.op == "rate_counter":
        range_ns = aggregation.log_range.range_ns
        return lambda window, _start, _end: counter_increase(window, range_ns) / seconds
    if aggregation.op == "bytes_rate" or aggregation.log_range.unwrap is not None:
        return lambda window, _start, _end: total(window.values()) / seconds
    return lambda window, _start, _end: len(window) / seconds


_PER_SECOND = frozenset({"rate", "bytes_rate", "rate_counter"})
_OF_VALUES: dict[str, Callable[[array[float]], float]] = {
    "sum_over_time": total,
    "bytes_over_time": total,
    "avg_over_time": lambda values: total(values) / len(values),
    "min_over_time": smallest,
    "max_over_time": largest,
    "first_over_time": lambda values: values[0],
    "last_over_time": lambda values: values[-1],
    "stddev_over_time": lambda values: math.sqrt(variance(values)),
    "stdvar_over_time": variance,
}
