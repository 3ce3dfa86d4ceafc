from __future__ import annotations

import pytest

from lokikit.store.errors import QueryError
from lokikit.store.logql.matchers import (
    compile_label_matcher,
    compile_matcher,
    contained_text,
    label_words,
)
from lokikit.store.logql.pipeline_syntax import Matcher


def test_a_selector_matches_the_whole_value():
    takes = compile_matcher(Matcher("a", "=~", "5.*"))
    assert takes("5x")
    assert not takes("15x")


def test_a_filter_looks_for_the_text_beside_dot_star_anywhere():
    takes = compile_label_matcher(Matcher("a", "=~", "5.*"))
    assert takes("15x")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        (".*a", ("a", False)),
        (r"a\.b.*", ("a.b", False)),
        ("(?i)a.*", ("a", True)),
        ("(.*)a(.*)", ("a", False)),
        ("a", None),
        ("a.+", None),
        ("(a|b).*", None),
        ("(?i)é.*", None),
        ("^a.*", None),
    ],
)
def test_which_expressions_look_for_a_text(pattern: str, found: tuple[str, bool] | None):
    assert contained_text(pattern) == found


def test_an_empty_alternative_is_ignored():
    assert label_words("a|") == ["a"]


def test_the_empty_expression_takes_all_values():
    assert compile_label_matcher(Matcher("a", "=~", ""))("x")
    assert not compile_label_matcher(Matcher("a", "!~", ""))("x")


def test_a_wrong_expression_is_refused():
    with pytest.raises(QueryError):
        compile_matcher(Matcher("a", "=~", "("))
