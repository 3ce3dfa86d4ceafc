from __future__ import annotations

import math

import pytest
from tests.unit.store.logql.evaluation import instant, row

from lokikit.store.errors import QueryError

ROWS = [
    row(1, "x", app="a", host="1"),
    row(2, "x", app="a", host="2"),
    row(3, "x", app="b", host="1"),
    row(4, "x", app="b", host="1"),
]
HOSTS = 'sum by (app, host) (count_over_time({app=~".+"}[1m]))'
APPS = 'sum by (app) (count_over_time({app=~".+"}[1m]))'


def test_arithmetic_with_a_scalar():
    assert instant(f"10 - {APPS}", *ROWS) == {"app=a": 8, "app=b": 8}


def test_comparison_drops_samples():
    assert instant(f"{HOSTS} > 1", *ROWS) == {"app=b,host=1": 2}


def test_comparison_with_a_scalar_at_the_left_keeps_the_sample():
    assert instant(f"1 < {HOSTS}", *ROWS) == {"app=b,host=1": 2}


def test_bool_answers_zero_or_one():
    assert set(instant(f"{HOSTS} > bool 1", *ROWS).values()) == {0, 1}


def test_division_by_zero_is_nan():
    assert math.isnan(instant("vector(1) / vector(0)")[""])


def test_vectors_match_by_all_labels():
    assert instant(f"{APPS} + {APPS}", *ROWS) == {"app=a": 4, "app=b": 4}


def test_group_left_takes_many_to_one():
    query = f"{HOSTS} / on (app) group_left () {APPS}"
    assert instant(query, *ROWS)["app=a,host=1"] == 0.5


def test_group_right_swaps_the_sides():
    query = f"{APPS} / on (app) group_right () {HOSTS}"
    assert instant(query, *ROWS)["app=a,host=1"] == 2


def test_group_left_includes_labels_of_the_one_side():
    query = f"{HOSTS} * ignoring (host) group_left (host) {APPS}"
    with pytest.raises(QueryError, match="grouping labels must ensure unique matches"):
        instant(query, *ROWS)


def test_many_to_one_must_be_explicit():
    with pytest.raises(QueryError, match="many-to-one matching must be explicit"):
        instant(f"{HOSTS} / on (app) {APPS}", *ROWS)


def test_many_to_many_is_refused():
    with pytest.raises(QueryError, match="duplicate series on the right hand-side"):
        instant(f"{APPS} / on (app) {HOSTS}", *ROWS)


def test_many_to_many_is_refused_beside_an_empty_side_too():
    nothing = 'sum by (app) (count_over_time({app="nobody"}[1m]))'
    with pytest.raises(QueryError, match="duplicate series on the right hand-side"):
        instant(f"{nothing} / on (app) {HOSTS}", *ROWS)
    assert instant(f"{HOSTS} / on (app) {nothing}", *ROWS) == {}


def test_refusal_comes_before_the_comparison():
    """A real Loki refuses though the comparison would drop the samples."""
    with pytest.raises(QueryError, match="many-to-one matching must be explicit"):
        instant(f"{HOSTS} > on (app) {APPS}", *ROWS)


def test_and():
    assert set(instant(f"{HOSTS} and on (host) (vector(1) > 2)", *ROWS)) == set()


def test_or_adds_what_does_not_match():
    assert instant(f"({APPS} > 5) or vector(0)", *ROWS) == {"": 0}


def test_unless():
    assert instant(f"{HOSTS} unless ({HOSTS} > 1)", *ROWS) == {
        "app=a,host=1": 1,
        "app=a,host=2": 1,
    }


def test_empty_labels_do_not_pass_an_operation():
    rows = [row(1, '{"k":""}')]
    query = 'sum by (k) (count_over_time({app="a"} | json [1m]))'
    assert instant(f"{query} + {query}", *rows) == {"": 2}
