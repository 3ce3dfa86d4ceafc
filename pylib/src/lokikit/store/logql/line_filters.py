"""Filters of the line: text, regular expressions, addresses, patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError
from lokikit.store.logql.ip_matcher import addresses_in, compile_ip
from lokikit.store.logql.pattern_filter import compile_pattern_filter
from lokikit.store.logql.regular_expressions import compile_regex, line_words

if TYPE_CHECKING:
    from lokikit.store.logql.pipeline_syntax import LineFilter, LineText


def compile_line_filter(line_filter: LineFilter) -> Callable[[str], bool]:
    """True for the lines that stay.

    Raises:
        QueryError: an expression, address or pattern is wrong.
    """
    op, is_alone = line_filter.op, len(line_filter.operands) == 1
    tests = [_test(op, one, alone=is_alone) for one in line_filter.effective]
    if not tests:
        return lambda _: True
    if op in {"|=", "|~", "|>"}:
        return tests[0] if len(tests) == 1 else lambda line: any(test(line) for test in tests)
    if len(tests) == 1:
        only = tests[0]
        return lambda line: not only(line)
    return lambda line: not any(test(line) for test in tests)


def _test(op: str, operand: LineText, *, alone: bool) -> Callable[[str], bool]:
    """True for lines that the operand describes; next to `or`, Loki reads `ip` as plain text."""
    text = operand.text
    if operand.is_ip and alone:
        if op not in {"|=", "!="}:
            raise QueryError(f"ip: invalid operation {op}: only |= and != look for addresses")
        return _holds_address(text)
    if op in {"|>", "!>"}:
        return compile_pattern_filter(text)
    if op in {"|=", "!="}:
        return lambda line: text in line
    words = line_words(text)
    if words is not None:
        return _holds_word(words)
    search = compile_regex(text).search
    return lambda line: search(line) is not None


def _holds_word(words: list[str]) -> Callable[[str], bool]:
    if len(words) == 1:
        only = words[0]
        return lambda line: only in line
    return lambda line: any(word in line for word in words)


def _holds_address(pattern: str) -> Callable[[str], bool]:
    takes = compile_ip(pattern)
    return lambda line: any(takes(address) for address in addresses_in(line))
