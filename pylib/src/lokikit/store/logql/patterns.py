"""Checks of regular expressions and of the patterns of `| pattern`, with Loki's error texts."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from lokikit.store.errors import QueryError
from lokikit.store.logql.regular_expressions import compile_regex

_MAX_COMPILED = 1000
_CAPTURE = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")
_ANY_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")  # RE2's library has it, Go's package has not
_NAMED_GROUP = re.compile(r"(?<!\\)\(\?P?<(\w+)>")


@lru_cache(_MAX_COMPILED)
def check_regex(pattern: str) -> str:
    """The problem of a regular expression, in the words of Go; empty for a valid expression."""
    try:
        compile_regex(pattern)
    except QueryError as error:
        return str(error)
    if _ANY_BYTE.search(pattern):
        return "error parsing regexp: invalid escape sequence: `\\C`"
    return ""


@lru_cache(_MAX_COMPILED)
def matches_empty(pattern: str) -> bool:
    """True when an anchored regular expression takes the empty text."""
    return compile_regex(pattern).fullmatch("") is not None


@lru_cache(_MAX_COMPILED)
def check_captures(pattern: str) -> str:
    """The problem of the regular expression of `| regexp`; empty for a valid expression."""
    why = check_regex(pattern)
    if why:
        return why
    names = _NAMED_GROUP.findall(pattern)
    if not compile_regex(pattern).groupindex:
        return "at least one named capture must be supplied"
    repeated = next((name for name in names if names.count(name) > 1), None)
    return f"duplicate extracted label name '{repeated}'" if repeated else ""


def split_pattern(pattern: str) -> list[tuple[bool, str]]:
    """The parts of a pattern in order: (True, name of a capture) or (False, literal)."""
    pieces = _CAPTURE.split(pattern)
    parts = [(number % 2 == 1, piece) for number, piece in enumerate(pieces)]
    return [part for part in parts if part[1]]


def consecutive_captures(parts: list[tuple[bool, str]]) -> str:
    """The first two captures without text between them, as `<a><b>`; empty for none."""
    for (is_capture, first), (is_next, second) in pairwise(parts):
        if is_capture and is_next:
            return f"<{first}><{second}>"
    return ""


def check_pattern(pattern: str) -> str:
    """The problem of the pattern of `| pattern`; empty for a valid pattern."""
    if not pattern:
        return (
            "parse error at line 1, col 1: syntax error: unexpected $end, "
            "expecting IDENTIFIER or LITERAL"
        )
    parts = split_pattern(pattern)
    if consecutive := consecutive_captures(parts):
        return f"found consecutive capture '{consecutive}': invalid expression"
    names = [name for captures, name in parts if captures and name != "_"]
    if not names:
        return "at least one capture is required"
    repeated = next((name for name in names if names.count(name) > 1), None)
    return f"duplicate capture name ({repeated}): invalid expression" if repeated else ""
