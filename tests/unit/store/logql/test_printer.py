from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.store.logql.trees import expressions, samples

from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.printer import print_query
from lokikit.store.logql.syntax import BinaryOperation, Expression, Number, VectorFunction

LONG = '{env="dev", service_name="shop", namespace="a namespace with a longer name", cluster="c"}'
quickly = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quickly
@given(expressions)
def test_a_printed_tree_reads_back(tree: Expression) -> None:
    """Whatever the tree, on one line or on several."""
    assert parse_query(print_query(tree)) == tree


@quickly
@given(samples)
def test_printing_is_stable(tree: Expression) -> None:
    """The text of a text's tree is that text."""
    text = print_query(tree)
    assert print_query(parse_query(text)) == text


def test_short_queries_stay_on_one_line() -> None:
    """In the canonical form of Loki."""
    text = 'sum(rate({a="b"}|json|x>5[5m]))by(y)/on(z)group_left vector(1)'
    assert print_query(parse_query(text)) == (
        '(sum by (y)(rate({a="b"} | json | x>5[5m])) / on (z) group_left vector(1.000000))'
    )


def test_long_queries_take_several_lines() -> None:
    """What fits into a hundred columns stays together."""
    text = f'topk(5, sum by (x) (count_over_time({LONG} | json | y="z" [5m] offset 1d))) > 3'
    assert (
        print_query(parse_query(text))
        == """\
  topk(
    5,
    sum by (x)(
      count_over_time(
        {env="dev", service_name="shop", namespace="a namespace with a longer name", cluster="c"}
          | json
          | y="z" [5m] offset 1d
      )
    )
  )
>
  3"""
    )


@pytest.mark.parametrize(
    ("inner", "outer", "needs_parentheses"),
    [("+", "*", True), ("*", "+", False), ("-", "-", True), ("and", "or", False)],
)
def test_long_operations_keep_their_grouping(
    inner: str, outer: str, needs_parentheses: object
) -> None:
    """Parentheses stand around a right side that binds no stronger than its operator."""
    rate = f"rate({LONG}[5m])"
    tree = parse_query(f"{rate} {outer} ({rate} {inner} {rate})")
    text = print_query(tree)
    assert ("(\n    " in text.partition(f"\n{outer}\n")[2]) is needs_parentheses
    assert parse_query(text) == tree


def test_a_group_without_labels_is_closed_in_front_of_a_parenthesis() -> None:
    """Otherwise the parenthesis would hold its labels."""
    tree = parse_query("vector(1) + on (x) group_left () (vector(2) + vector(3))")
    assert " group_left () (vector(2" in print_query(tree)
    assert parse_query(print_query(tree)) == tree


@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_infinities_read_back(value: float) -> None:
    """LogQL has no literal for them."""
    tree = BinaryOperation("*", VectorFunction(1), Number(value))
    assert parse_query(print_query(tree)) == tree


def test_nan_reads_back() -> None:
    """As an operation that gives NaN."""
    number = parse_query(print_query(Number(math.nan)))
    assert isinstance(number, Number)
    assert math.isnan(number.value)
