from __future__ import annotations

import pytest
from tests.unit.store.logql.evaluation import instant, row

from lokikit.store.errors import QueryError

COUNT = 'sum by (app) (count_over_time({app="a1"}[1m]))'
ROW = row(1, "x", app="a1")


@pytest.mark.parametrize(
    ("replacement", "pattern", "value"),
    [("$1", "a(.)", "1"), ("${n}-$$", "a(?P<n>.)", "1-$"), ("$2", "a(.)", None), ("x", "a", None)],
)
def test_replacement(replacement, pattern, value):
    """The pattern has to match the whole value; unknown groups are empty."""
    answer = instant(f'label_replace({COUNT}, "x", "{replacement}", "app", "{pattern}")', ROW)
    assert list(answer) == ["app=a1" + (f",x={value}" if value else "")]


def test_missing_source_is_empty():
    assert list(instant(f'label_replace({COUNT}, "x", "y", "none", "")', ROW)) == ["app=a1,x=y"]


def test_empty_replacement_drops_the_label():
    assert list(instant(f'label_replace({COUNT}, "app", "", "app", ".*")', ROW)) == [""]


def test_wrong_pattern_is_refused():
    with pytest.raises(QueryError, match="invalid regex in label_replace"):
        instant(f'label_replace({COUNT}, "app", "", "app", "(")', ROW)
