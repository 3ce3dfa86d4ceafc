from __future__ import annotations

import pytest

from lokikit.store.logql.patterns import check_captures, check_pattern, check_regex, matches_empty

EMPTY = (
    "parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL"
)


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("[", "missing closing ]: `[`"),
        ("x(y", "missing closing ): `x(y`"),
        ("x)", "unexpected ): `x)`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("x{1001}", "invalid repeat count: `{1001}`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("x(?=y)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P<x-y>.)", "invalid named capture: `(?P<x-y>`"),
        ("(?P<é>.)", "invalid named capture: `(?P<é>`"),
        (r"a\C", r"invalid escape sequence: `\C`"),
        ("\\", "trailing backslash at end of expression: ``"),
    ],
)
def test_refused_expressions_in_the_words_of_go(pattern: str, problem: str) -> None:
    """RE2's library has other words for the same problems."""
    assert check_regex(pattern) == f"error parsing regexp: {problem}"


@pytest.mark.parametrize(
    "pattern", ["", ".*", "(?i)x", r"\bx\d+", r"\\C", "(?P<a>.)", "(?<a>.)", "é"]
)
def test_good_expressions(pattern: str) -> None:
    """Nothing to say."""
    assert check_regex(pattern) == ""


@pytest.mark.parametrize(
    ("pattern", "is_matched"), [("", True), (".*", True), ("|x", True), (".+", False), ("x", False)]
)
def test_expressions_that_take_the_empty_text(pattern: str, is_matched: object) -> None:
    """From its beginning to its end."""
    assert matches_empty(pattern) is is_matched


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("(?P<a>.)(?P<b>.)", ""),
        ("(?<a>.)", ""),
        ("(.)", "at least one named capture must be supplied"),
        ("(?P<a>.)(?P<a>.)", "duplicate extracted label name 'a'"),
        ("(", "error parsing regexp: missing closing ): `(`"),
    ],
)
def test_expressions_of_the_regexp_parser(pattern: str, problem: str) -> None:
    """Named groups, each name once."""
    assert check_captures(pattern) == problem


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("<a> <_> <b>", ""),
        (
            "",
            EMPTY,
        ),
        ("x", "at least one capture is required"),
        ("<_> <_>", "at least one capture is required"),
        ("<a-b>", "at least one capture is required"),
        ("<a><b>", "found consecutive capture '<a><b>': invalid expression"),
        ("<a> <a>", "duplicate capture name (a): invalid expression"),
    ],
)
def test_patterns_of_the_pattern_parser(pattern: str, problem: str) -> None:
    """Captures with text between them, each name once."""
    assert check_pattern(pattern) == problem
