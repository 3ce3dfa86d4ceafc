from __future__ import annotations

import math

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.range_functions import (
    counter_increase,
    largest,
    mean,
    quantile,
    smallest,
    variance,
    vector_variance,
    window_function,
)
from lokikit.store.logql.syntax import LogExpression, LogRange, RangeAggregation
from lokikit.store.logql.windows import SlidingWindow

SECOND_NS = 1_000_000_000


def test_quantile_interpolates():
    assert quantile(0.5, [1.0, 4.0]) == 2.5


@pytest.mark.parametrize(("rank", "value"), [(-0.1, -math.inf), (1.1, math.inf)])
def test_quantile_outside_of_its_range_is_infinite(rank, value):
    assert quantile(rank, [1.0]) == value


def test_quantile_of_nothing_is_nan():
    assert math.isnan(quantile(0.5, []))


def test_quantile_sorts_nan_first():
    assert quantile(1, [math.nan, 1.0, 3.0]) == 3.0


@pytest.mark.parametrize("function", [largest, smallest])
def test_extremes_pass_over_nan(function):
    assert function([math.nan, 2.0, math.nan]) == 2.0


def test_mean():
    assert mean([1.0, 2.0, 6.0]) == 3.0


def test_variance_is_that_of_a_population():
    assert variance([1.0, 3.0]) == 1.0


def test_variance_of_a_single_infinity_among_series_is_zero():
    """Asked of a real Loki, which answers NaN for the same value in a window."""
    assert vector_variance([math.inf]) == 0.0


def test_counter_with_one_value_has_no_increase():
    window = SlidingWindow()
    window.add(1, 5.0)
    assert counter_increase(window, 2) == 0.0


def test_counter_reset_counts_from_zero():
    window = SlidingWindow()
    for second, value in enumerate((4.0, 6.0, 1.0, 3.0)):
        window.add(second * SECOND_NS, value)
    assert counter_increase(window, 3 * SECOND_NS) == pytest.approx(5, rel=1e-5)


def test_unknown_aggregation_is_named():
    aggregation = RangeAggregation("mode_over_time", LogRange(LogExpression(()), 1))
    with pytest.raises(QueryError, match="mode_over_time is not supported"):
        window_function(aggregation)
