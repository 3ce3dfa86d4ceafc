from __future__ import annotations

import pytest

from lokikit.store.errors import SyntaxProblem
from lokikit.store.logql.parser import parse_log_query
from lokikit.store.logql.pipeline_syntax import (
    AndFilter,
    BytesFilter,
    DurationFilter,
    IpFilter,
    LabelFilter,
    LabelFilterStage,
    Matcher,
    NumberFilter,
    OrFilter,
    StringFilter,
)

A, B, C, D = (NumberFilter(name, "==", 1.0) for name in "abcd")


def condition(text: str) -> LabelFilter:
    """The tree of a label filter."""
    (stage,) = parse_log_query(f'{{x="y"}} | {text}').stages
    assert isinstance(stage, LabelFilterStage)
    return stage.condition


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ('a="b"', StringFilter(Matcher("a", "=", "b"))),
        ('a!="b"', StringFilter(Matcher("a", "!=", "b"))),
        ("a=~`b.*`", StringFilter(Matcher("a", "=~", "b.*"))),
        ('a!~"b"', StringFilter(Matcher("a", "!~", "b"))),
        ("a = 5", NumberFilter("a", "==", 5.0)),
        ("a == 5", NumberFilter("a", "==", 5.0)),
        ("a != -1.5e3", NumberFilter("a", "!=", -1500.0)),
        ("a >= 5m", DurationFilter("a", ">=", 300_000_000_000)),
        ("a < -5s", DurationFilter("a", "<", -5_000_000_000)),
        ("a > 1d", DurationFilter("a", ">", 86_400_000_000_000)),
        ("a <= 20MB", BytesFilter("a", "<=", 20_000_000)),
        ("a = 1KiB", BytesFilter("a", "==", 1024)),
        ('a = ip("10.0.0.0/8")', IpFilter("a", "=", "10.0.0.0/8")),
        ('a != ip("::1")', IpFilter("a", "!=", "::1")),
        ('ip = "x"', StringFilter(Matcher("ip", "=", "x"))),
        ("duration > 1s", DurationFilter("duration", ">", 1_000_000_000)),
    ],
)
def test_the_value_decides_on_the_kind(text: str, tree: LabelFilter) -> None:
    """Text, number, duration, size or address."""
    assert condition(text) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a=1 and b=1 or c=1", OrFilter(AndFilter(A, B), C)),
        ("a=1 or b=1 and c=1", OrFilter(A, AndFilter(B, C))),
        ("a=1 or b=1 or c=1", OrFilter(OrFilter(A, B), C)),
        ("a=1 and b=1 and c=1", AndFilter(AndFilter(A, B), C)),
        ("(a=1 or b=1) and c=1", AndFilter(OrFilter(A, B), C)),
        ("a=1, b=1", AndFilter(A, B)),
        ("a=1 b=1", AndFilter(A, B)),
        ("a=1 (b=1)", AndFilter(A, B)),
        ("a=1, b=1 or c=1", AndFilter(A, OrFilter(B, C))),
        ("a=1 or b=1, c=1", OrFilter(A, AndFilter(B, C))),
        ("a=1 and b=1, c=1 or d=1", AndFilter(A, AndFilter(B, OrFilter(C, D)))),
        ("a=1 AND b=1 OR c=1", OrFilter(AndFilter(A, B), C)),
    ],
)
def test_precedence(text: str, tree: LabelFilter) -> None:
    """Asked of a running Loki, which differs from its page."""
    assert condition(text) == tree


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("a", 12, "unexpected $end"),
        ("a >", 14, "unexpected $end"),
        ('a > "x"', 15, "unexpected STRING"),
        ('a == "x"', 16, "unexpected STRING"),
        ("a =~ 5", 16, "unexpected NUMBER, expecting STRING"),
        ('a == ip("x")', 16, "unexpected ip"),
        ("a > x", 15, "unexpected IDENTIFIER"),
        ("a > -5MB", 16, "unexpected BYTES, expecting NUMBER"),
        ("(a > 5", 17, "unexpected $end"),
        ("a > 5 and", 20, "unexpected $end, expecting IDENTIFIER or ("),
        ("a > 5 ,", 18, "unexpected $end, expecting IDENTIFIER or ("),
        ("a.b > 5", 12, "unexpected ."),
        ("a + 5", 13, "unexpected +"),
    ],
)
def test_problems(text: str, column: int, problem: str) -> None:
    """With the words and columns of Loki."""
    with pytest.raises(SyntaxProblem) as caught:
        condition(text)
    assert (caught.value.column, caught.value.problem) == (column, f"syntax error: {problem}")
