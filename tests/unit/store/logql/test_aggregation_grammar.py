from __future__ import annotations

import pytest

from lokikit.store.errors import SyntaxProblem
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.pipeline_syntax import JsonParser, Matcher
from lokikit.store.logql.syntax import (
    Grouping,
    LogExpression,
    LogRange,
    RangeAggregation,
    Unwrap,
    VectorAggregation,
    VectorFunction,
)

M, H = 60_000_000_000, 3_600_000_000_000
PLAIN = LogExpression((Matcher("a", "=", "b"),))
PARSED = LogExpression((Matcher("a", "=", "b"),), (JsonParser(),))


@pytest.mark.parametrize(
    ("text", "log_range"),
    [
        ('{a="b"}[5m]', LogRange(PLAIN, 5 * M)),
        ('({a="b"}[5m])', LogRange(PLAIN, 5 * M)),
        ('({a="b"})[5m]', LogRange(PLAIN, 5 * M)),
        ('(({a="b"})[5m])', LogRange(PLAIN, 5 * M)),
        ('{a="b"} | json [5m]', LogRange(PARSED, 5 * M)),
        ('{a="b"}[5m] | json', LogRange(PARSED, 5 * M)),
        ('({a="b"} | json)[5m]', LogRange(PARSED, 5 * M)),
        ('({a="b"}[5m] | json)', LogRange(PARSED, 5 * M)),
        ('{a="b"}[5m] offset 1h', LogRange(PLAIN, 5 * M, H)),
        ('{a="b"}[5m] offset -1h', LogRange(PLAIN, 5 * M, -H)),
        ('{a="b"}[5m] offset 1d', LogRange(PLAIN, 5 * M, 24 * H)),
        ('{a="b"}[5m] offset 1h | json', LogRange(PARSED, 5 * M, H)),
        ('{a="b"} | json [5m] offset 1h', LogRange(PARSED, 5 * M, H)),
        ('{a="b"} | json | unwrap x [5m]', LogRange(PARSED, 5 * M, 0, Unwrap("x"))),
        ('{a="b"}[5m] | json | unwrap x', LogRange(PARSED, 5 * M, 0, Unwrap("x"))),
        ('({a="b"} | json | unwrap x)[5m]', LogRange(PARSED, 5 * M, 0, Unwrap("x"))),
        ('({a="b"})[5m] offset 1h | unwrap x', LogRange(PLAIN, 5 * M, H, Unwrap("x"))),
    ],
)
def test_places_of_the_range(text: str, log_range: LogRange) -> None:
    """Behind the selector, the pipeline or a parenthesis; the offset always behind it."""
    assert parse_query(f"rate({text})") == RangeAggregation("rate", log_range)


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ('{a="b"}', 13, "unexpected )"),
        ('{a="b"} | unwrap x', 24, "unexpected ), expecting RANGE or |"),
        ('({a="b"} | json)', 22, "unexpected ), expecting RANGE"),
        ('({a="b"}[5m]) | json', 20, "unexpected |, expecting )"),
        ('({a="b"})[5m] | json', 22, "unexpected json, expecting unwrap"),
        ('{a="b"}[5m][5m]', 17, "unexpected RANGE, expecting )"),
        ('{a="b"} offset 5m', 14, "unexpected offset"),
        ('{a="b"}[5m] offset 5', 25, "unexpected NUMBER, expecting DURATION"),
        ('{a="b"}[5m] @ 5', 18, "unexpected IDENTIFIER, expecting )"),
        ("vector(1)", 6, "unexpected VECTOR, expecting NUMBER or { or ("),
    ],
)
def test_problems_of_ranges(text: str, column: int, problem: str) -> None:
    """With the words and columns of Loki, which has no `@`."""
    with pytest.raises(SyntaxProblem) as caught:
        parse_query(f"rate({text})")
    assert (caught.value.column, caught.value.problem) == (column, f"syntax error: {problem}")


@pytest.mark.parametrize("grouping", ["by (x)", "without (x)", "by ()"])
@pytest.mark.parametrize("op", ["avg", "max", "min", "first", "last", "stdvar", "stddev"])
def test_grouped_range_aggregations(op: str, grouping: str) -> None:
    """`by ()` keeps no label at all, so it stays."""
    query = parse_query(f'{op}_over_time({{a="b"}} | unwrap x [5m]) {grouping}')
    assert isinstance(query, RangeAggregation)
    assert query.grouping is not None


def test_the_parameter_of_a_quantile() -> None:
    """In front of the range."""
    query = parse_query('quantile_over_time(0.9, {a="b"} | unwrap x [5m])')
    assert isinstance(query, RangeAggregation)
    assert query.parameter == 0.9


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'count_over_time({a="b"}[5m]) by (x)',
            "grouping not allowed for count_over_time aggregation",
        ),
        (
            'sum_over_time({a="b"} | unwrap x [5m]) by (x)',
            "grouping not allowed for sum_over_time aggregation",
        ),
        ('sum_over_time({a="b"}[5m])', "invalid aggregation sum_over_time without unwrap"),
        ('bytes_rate({a="b"} | unwrap x [5m])', "invalid aggregation bytes_rate with unwrap"),
        (
            'quantile_over_time({a="b"} | unwrap x [5m])',
            "parameter required for operation quantile_over_time",
        ),
        ('rate(1, {a="b"}[5m])', "parameter 1 not supported for operation rate"),
        ("topk(vector(1))", "parameter required for operation topk"),
        ("topk(0, vector(1))", "invalid parameter (must be greater than 0) topk(0"),
        ("topk(1.5, vector(1))", "invalid parameter topk(1.5,"),
        ("sum(5, vector(1))", "unsupported parameter for operation sum(5,"),
        ("sort by (x) (vector(1))", "sort and sort_desc doesn't allow grouping by "),
    ],
)
def test_rules_of_aggregations(text: str, problem: str) -> None:
    """In the words of Loki."""
    with pytest.raises(SyntaxProblem) as caught:
        parse_query(text)
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "parameter", "grouping"),
    [
        ("sum(vector(1))", None, None),
        ("sum by (x) (vector(1))", None, Grouping(("x",))),
        ("sum(vector(1)) by (x, y)", None, Grouping(("x", "y"))),
        ("sum without () (vector(1))", None, Grouping((), without=True)),
        ("sum by () (vector(1))", None, None),
        ("topk(5, vector(1)) without (x)", 5.0, Grouping(("x",), without=True)),
        ("bottomk by (x) (5, vector(1))", 5.0, Grouping(("x",))),
    ],
)
def test_vector_aggregations(text: str, parameter: float | None, grouping: Grouping | None) -> None:
    """The grouping stands in front or behind; `by ()` is the same as none."""
    op = text.partition("(")[0].split()[0]
    assert parse_query(text) == VectorAggregation(op, VectorFunction(1.0), parameter, grouping)


@pytest.mark.parametrize(
    "text",
    [
        "sum by (x,) (vector(1))",
        "sum by (x) (vector(1)) by (y)",
        "sum x",
        "quantile(0.5, vector(1))",
        'avg_over_time by (x) ({a="b"} | unwrap y [5m])',
    ],
)
def test_wrong_aggregations(text: str) -> None:
    """No trailing comma, no second grouping, no unknown name."""
    with pytest.raises(SyntaxProblem, match="syntax error"):
        parse_query(text)
