"""Which streams a selector names, and which of its line filters SQL can apply beforehand."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lokikit.store.logql.syntax import LineFilter, Matcher


@lru_cache(maxsize=1000)
def _condition(matcher: Matcher) -> Callable[[str], bool]:
    wanted = matcher.value
    if matcher.op == "=":
        return lambda value: value == wanted
    if matcher.op == "!=":
        return lambda value: value != wanted
    pattern = re2.compile(f"^(?s:{wanted})$")
    if matcher.op == "=~":
        return lambda value: pattern.search(value) is not None
    return lambda value: pattern.search(value) is None


def selects(matchers: Sequence[Matcher], labels: Mapping[str, str]) -> bool:
    """True when the labels fulfil all matchers; an absent label counts as empty."""
    return all(_condition(matcher)(labels.get(matcher.name, "")) for matcher in matchers)


def line_conditions(filters: Sequence[LineFilter]) -> tuple[list[str], list[str]]:
    """Conditions of SQL on `line` that no row fails which passes the filters.

    Filters that SQL might read otherwise than LogQL give no condition.

    Returns:
        the conditions and their parameters, in order.
    """
    conditions: list[str] = []
    parameters: list[str] = []
    for line_filter in filters:
        texts = [operand.text for operand in line_filter.operands]
        if any(operand.is_ip for operand in line_filter.operands):
            continue
        if line_filter.op == "|=":
            conditions.append(_any("contains(line, ?)", texts))
        elif line_filter.op == "!=" and len(texts) == 1:
            conditions.append("NOT contains(line, ?)")
        elif line_filter.op == "|~" and all(map(_is_safe_pattern, texts)):
            several_lines = "contains(line, chr(10))"
            conditions.append(f"({_any('regexp_matches(line, ?)', texts)} OR {several_lines})")
        else:
            continue
        parameters.extend(texts)
    return conditions, parameters


def _any(condition: str, texts: Sequence[str]) -> str:
    return "(" + " OR ".join(condition for _ in texts) + ")"


def _is_safe_pattern(pattern: str) -> bool:
    r"""True for what RE2 reads everywhere alike: `\C` and characters beyond ASCII are left out."""
    if not pattern.isascii() or "\\C" in pattern or "\0" in pattern:
        return False
    try:
        re2.compile(pattern)
    except re2.error:
        return False
    return True
