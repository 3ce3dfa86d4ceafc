from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lokikit.store.logql.line_filters import compile_line_filter
from lokikit.store.logql.matchers import compile_label_matcher
from lokikit.store.logql.pipeline_syntax import LineFilter, LineText, Matcher
from lokikit.store.logql.unwrapping import parse_number
from lokikit.store.sql.predicates import (
    NotProvenError,
    cheapest_first,
    is_number,
    line_condition,
    literal,
    match_condition,
)

_TEXTS = (
    "",
    "error",
    "an ERROR",
    "one\ntwo",
    "a|b",
    "it's",
    "ümläut ß \u017f \u212a",
    "{}[]().*+?\\^$",
    "1.5",
    " tab\t",
    "nul\0 in it",
)
_PATTERNS = (
    "",
    ".*",
    ".+",
    "error|an ERROR",
    "(?i)error",
    "(?i)s+",
    "^one$",
    "(?m)^two$",
    "(?s)one.two",
    "one.two",
    "a|",
    r"\Qa|b\E",
    r"\d\.\d",
    r"[[:punct:]]+",
    r"\bERROR\b",
    "[^x]*",
    ".*error",
    "one.*",
    r".*a\|b.*",
    r"\s",
    "e{2,3}",
    "(e)(r+)",
    r"^\s*\{",
)


def _holds(condition: str, text: str | None) -> bool:
    query = f"SELECT {condition} FROM (SELECT ?::VARCHAR AS line, TRUE AS odd)"  # noqa: S608 - what is tested
    ((found,),) = duckdb.execute(query, [text]).fetchall()
    assert found is not None
    return bool(found)


@pytest.mark.parametrize("op", ["|=", "!=", "|~", "!~"])
@pytest.mark.parametrize("pattern", _PATTERNS)
def test_line_filters_take_the_lines_that_the_pipeline_takes(op: str, pattern: str):
    for other in ((), ("",), ("it's",), (".*",)):
        stage = LineFilter(op, tuple(LineText(text) for text in (pattern, *other)))  # type: ignore[arg-type]
        takes, condition = compile_line_filter(stage), line_condition(stage)
        assert [_holds(condition, text) for text in _TEXTS] == [takes(text) for text in _TEXTS]


@pytest.mark.parametrize("op", ["=", "!=", "=~", "!~"])
@pytest.mark.parametrize("pattern", _PATTERNS)
def test_matchers_take_the_texts_that_the_pipeline_takes(op: str, pattern: str):
    matcher = Matcher("name", op, pattern)  # type: ignore[arg-type]
    takes = compile_label_matcher(matcher)
    for value in ("line", "coalesce(line, '')"):
        condition = match_condition(value, op, pattern)  # type: ignore[arg-type]
        for text in _TEXTS:
            assert _holds(condition, text) == takes(text), text
        assert _holds(condition, None) == takes("")


@pytest.mark.parametrize(
    "pattern",
    [r"\C", r"\pL", "ü+", "(?<name>x)", pytest.param(".{1000}" * 80, id="large")],
)
def test_patterns_that_versions_of_re2_may_read_otherwise_are_not_proven(pattern: str):
    with pytest.raises(NotProvenError):
        line_condition(LineFilter("|~", (LineText(pattern),)))


def test_a_text_with_nul_is_not_proven():
    with pytest.raises(NotProvenError):
        literal("a\0b")


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**18), 10**18))
def test_plain_numbers_are_read_to_the_last_bit(number: float):
    text = str(number)
    query = f"SELECT {is_number('t')}, TRY_CAST(t AS DOUBLE) FROM (SELECT ?::VARCHAR AS t)"  # noqa: S608 - what is tested
    ((plain, found),) = duckdb.execute(query, [text]).fetchall()
    if plain:
        assert found == parse_number(text)


@pytest.mark.parametrize(
    "text", ["", "-0", "-0.5", "+5", "1_000", "0x10", "inf", "nan", " 1", "1 ", "1e999", "01", ".5"]
)
def test_other_texts_are_left_to_the_pipeline(text: str):
    assert not _holds(is_number("line"), text)


def test_regular_expressions_see_only_what_cheaper_conditions_leave():
    condition = cheapest_first(["regexp_matches(line, 'x')", "contains(line, 'y')"])
    assert (
        condition == "CASE WHEN contains(line, 'y') THEN regexp_matches(line, 'x') ELSE FALSE END"
    )
