"""Conditions on one text, as matchers state them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from lokikit.store.logql.regular_expressions import compile_regex, is_literal

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import Matcher

_MAX_COMPILED = 1000


def selects(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """True when the labels fulfil all matchers; an absent label counts as empty.

    Raises:
        QueryError: the regular expression of a matcher is wrong.
    """
    return all(compile_matcher(matcher)(labels.get(matcher.name, "")) for matcher in matchers)


@lru_cache(_MAX_COMPILED)
def compile_matcher(matcher: Matcher) -> Callable[[str], bool]:
    """True for the values that a selector takes; a missing label counts as the empty text.

    Raises:
        QueryError: the regular expression is wrong.
    """
    op, value = matcher.op, matcher.value
    if op in {"=~", "!~"}:
        takes = _regex_test(value, dot_all=True)
        return takes if op == "=~" else lambda text: not takes(text)
    if op == "=":
        return lambda text: text == value
    return lambda text: text != value


_CONTAINED = re.compile(
    r"(?P<fold>\(\?i\))?(?P<before>(?:\.\*\??|\(\.\*\))*)"
    r"(?P<text>(?:[^\\.+*?()|\[\]{}^$]|\\[^a-zA-Z0-9])+)(?P<after>(?:\.\*\??|\(\.\*\))*)"
)


def contained_text(pattern: str) -> tuple[str, bool] | None:
    """The text that a label filter's `.*text`, `text.*` or `.*text.*` looks for anywhere.

    Loki's filters on labels drop the anchors of these forms, where its selectors keep them.

    Returns:
        The text, and True when case does not count; None for all other expressions.
    """
    match = _CONTAINED.fullmatch(pattern)
    if match is None or not (match["before"] or match["after"]):
        return None
    fold = match["fold"] is not None
    text = re.sub(r"\\(.)", r"\1", match["text"])
    if fold and not text.isascii():
        return None
    return text, fold


def label_words(pattern: str) -> list[str] | None:
    """The words of a label filter's `a|b`, in which Loki ignores an empty one.

    None for all other expressions.
    """
    words = pattern.split("|")
    if not all(map(is_literal, words)):
        return None
    return [word for word in words if word] or [""]


def compile_label_matcher(matcher: Matcher) -> Callable[[str], bool]:
    """True for the values that a filter on a label takes, with the looseness of Loki's.

    Raises:
        QueryError: the regular expression is wrong.
    """
    if matcher.op not in {"=~", "!~"}:
        return compile_matcher(matcher)
    takes = _loose_test(matcher.value)
    return takes if matcher.op == "=~" else lambda value: not takes(value)


def _loose_test(pattern: str) -> Callable[[str], bool]:
    if pattern in {"", ".*"}:
        return lambda _: True
    if pattern == ".+":
        return bool
    words = label_words(pattern)
    if words is not None:
        return frozenset(words).__contains__
    contained = contained_text(pattern)
    if contained is None:
        return _regex_test(pattern, dot_all=False)
    text, folds_case = contained
    if folds_case:
        search = compile_regex(f"(?i){re.escape(text)}").search
        return lambda value: search(value) is not None
    return lambda value: text in value


def _regex_test(pattern: str, *, dot_all: bool) -> Callable[[str], bool]:
    """True for values that the expression matches whole; selectors let `.` take a line break."""
    literals = pattern.split("|")
    if all(map(is_literal, literals)):
        return frozenset(literals).__contains__
    fullmatch = compile_regex(f"(?s:{pattern})" if dot_all else pattern).fullmatch
    return lambda text: fullmatch(text) is not None
