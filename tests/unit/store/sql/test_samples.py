from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.store.sql.corpus import SECOND_NS, START_NS, SpySampler, end_ns, leaves
from tests.unit.store.sql.generated_queries import metric_queries
from tests.unit.store.sql.kit_queries import kit_queries

from lokikit.store.errors import LimitError, QueryError, StoppedError
from lokikit.store.logql.evaluator import Evaluator
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.series import Steps
from lokikit.store.logql.syntax import LogExpression
from lokikit.store.sql.samples import SqlSampler, refuse_too_many

if TYPE_CHECKING:
    from lokikit.store.logql.series import Sampler
    from lokikit.store.segments.store import Store

_INSTANT = Steps.instant(end_ns())
_STEPS = (
    _INSTANT,
    Steps(START_NS - 5 * SECOND_NS, end_ns() + 40 * SECOND_NS, 20 * SECOND_NS),
    Steps(START_NS, end_ns(), 7 * SECOND_NS),
    Steps(START_NS, end_ns(), 45 * SECOND_NS),
)
_METRICS = [text for text in kit_queries() if not isinstance(parse_query(text), LogExpression)]
_PRECISION = 1e-12
"""Of sums: samples of one moment are added in no certain order."""


def _answer(store: Store, text: str, steps: Steps, samplers: tuple[Sampler, ...] = ()) -> Any:
    """The series of a query, or its error."""
    try:
        found = Evaluator(store, samplers).samples(parse_query(text), steps)
    except QueryError as error:
        return str(error)
    return {tuple(sorted(one.labels.items())): one.values for one in found}


def _is_same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    is_nan = math.isnan(found) and math.isnan(expected)
    return is_nan or math.isclose(found, expected, rel_tol=_PRECISION)


def _assert_equal(store: Store, text: str, steps: Steps) -> SpySampler:
    spy = SpySampler(SqlSampler(store))
    found, expected = _answer(store, text, steps, (spy,)), _answer(store, text, steps)
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
    else:
        assert found.keys() == expected.keys()
        for labels, values in expected.items():
            assert all(map(_is_same, found[labels], values)), (labels, found[labels], values)
    return spy


def _assert_fast(store: Store, text: str, steps: Steps) -> None:
    spy = _assert_equal(store, text, steps)
    assert {*leaves(parse_query(text))} == {*spy.answered}


@pytest.mark.parametrize(("number", "text"), list(enumerate(_METRICS)))
def test_each_metric_query_of_the_kit_is_answered_fast_and_as_the_evaluator_does(
    store: Store, number: int, text: str
):
    """At one moment or over one of the ranges in turn; over all of them in `make soak`."""
    _assert_fast(store, text, _STEPS[number % len(_STEPS)])


@pytest.mark.soak
@pytest.mark.parametrize("text", _METRICS)
def test_each_metric_query_of_the_kit_is_answered_so_over_every_range(store: Store, text: str):
    for steps in _STEPS:
        _assert_fast(store, text, steps)


@pytest.mark.parametrize("steps", _STEPS, ids=range(len(_STEPS)))
def test_a_key_in_quotes_is_looked_for_in_lines_that_are_no_plain_json_too(
    store: Store, steps: Steps
):
    """Such lines have no columns of their own."""
    query = 'sum(count_over_time({service_name=~".+"} |= `"exc_type"` [1m]))'
    _assert_fast(store, query, steps)


@settings(max_examples=100, deadline=None)
@given(text=metric_queries(), steps=st.sampled_from(_STEPS))
def test_generated_queries_are_answered_as_the_evaluator_does(
    store: Store, text: str, steps: Steps
):
    _assert_equal(store, text, steps)


@pytest.mark.parametrize(
    "text",
    [
        'count_over_time({service_name=~".+"} | logfmt [1m])',
        'count_over_time({service_name=~".+"} | json [1m])',
        'sum without (env) (count_over_time({service_name=~".+"} | json [1m]))',
        'avg(count_over_time({service_name=~".+"} | json [1m]))',
        'sum(sum_over_time({service_name=~".+"} | json a | unwrap duration(a) [1m]))',
        'absent_over_time({service_name=~".+"}[1m])',
    ],
)
def test_what_sql_does_not_prove_is_left_to_the_evaluator(store: Store, text: str):
    spy = SpySampler(SqlSampler(store))
    _answer(store, text, _INSTANT, (spy,))
    assert spy.answered == []


def test_a_query_that_has_to_stop_raises_the_reason(store: Store):
    def check() -> None:
        raise StoppedError("the client left", 499)

    with pytest.raises(StoppedError, match="the client left"):
        _answer(
            store,
            'sum(count_over_time({service_name=~".+"}[1m]))',
            _STEPS[1],
            (SqlSampler(store, check),),
        )


@pytest.mark.parametrize(("series", "points"), [(100_001, 1), (1000, 10_001)])
def test_more_series_than_memory_holds_are_refused(series: int, points: int):
    refuse_too_many(series - 1, max(points - 1, 1))
    with pytest.raises(LimitError, match=f"more than .* series of {points} points"):
        refuse_too_many(series, points)
