from __future__ import annotations

import pytest

from lokikit.query.client import _log_query, is_log_query


@pytest.mark.parametrize(
    "query",
    ['{a="b"}', ' ( {a="b"} |= "x")', '# errors\n{a="b"}', '(# a\n({a="b"}))'],
)
def test_log_queries(query: str) -> None:
    """A query for lines begins with its selector, behind comments and parentheses."""
    assert is_log_query(query)


@pytest.mark.parametrize(
    "query", ["", "1", "-1", '# {a="b"}', 'rate({a="b"}[1m])', '(sum(rate({a="b"}[1m])))']
)
def test_other_queries(query: str) -> None:
    """Anything else is for metrics, or for Loki to find wrong."""
    assert not is_log_query(query)


def test_parentheses_are_taken_off() -> None:
    """A stage can follow the query: Loki allows none behind parentheses."""
    assert _log_query(' ( ({a="b"} |= "(x)") )') == '{a="b"} |= "(x)"'


def test_parentheses_of_metrics_stay() -> None:
    """A metrics query goes to Loki as it is."""
    assert _log_query("(1) + (2)") == "(1) + (2)"
