"""Regular expressions as Go reads them, by RE2, with bounded memory."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from lokikit.store.errors import QueryError
from lokikit.store.integers import read_decimal

_MAX_COMPILED = 1000
_MAX_MEMORY_BYTES = 16 << 20
_SMALL_BYTES = 4 << 20
"""Half of the memory that an RE2 takes where nothing else is set."""
_LITERAL = re.compile(r"[^\\.+*?()|\[\]{}^$]*")
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")
_WORDING = (
    ("missing ]", "missing closing ]"),
    ("missing )", "missing closing )"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("invalid repetition size", "invalid repeat count"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("invalid named capture group", "invalid named capture"),
)
"""How a message of RE2 begins, and how Go words the same problem."""


def _options(max_bytes: int) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = max_bytes
    return options


_OPTIONS = _options(_MAX_MEMORY_BYTES)
_SMALL_OPTIONS = _options(_SMALL_BYTES)


@lru_cache(_MAX_COMPILED)
def compile_regex(pattern: str) -> Any:
    """The compiled expression; `search`, `fullmatch` and `groupindex` are those of `re`.

    Raises:
        QueryError: the expression is wrong, or needs more memory than a query may take; in the
            words of Go.
    """
    try:
        regex = re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        raise QueryError(_in_go_words(error)) from None
    except UnicodeEncodeError:
        raise QueryError(f"error parsing regexp: invalid UTF-8: `{pattern!a}`") from None
    foreign = next((name for name in regex.groupindex if not name.isascii()), None)
    if foreign is not None:
        raise QueryError(f"error parsing regexp: invalid named capture: `(?P<{foreign}>`")
    return regex


@lru_cache(_MAX_COMPILED)
def is_small(pattern: str) -> bool:
    """True for a valid expression that any RE2 has the memory for."""
    try:
        re2.compile(pattern, _SMALL_OPTIONS)
    except re2.error:
        return False
    return True


def _in_go_words(error: re2.error) -> str:
    message = error.args[0]
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
    if text.startswith("trailing \\"):
        return "error parsing regexp: trailing backslash at end of expression: ``"
    for theirs, wording in _WORDING:
        if text.startswith(theirs):
            text = wording + text[len(theirs) :]
            break
    problem, _, piece = text.partition(": ")
    return f"error parsing regexp: {problem}: `{piece}`"


def expand(template: str, match: Any) -> str:
    """The template with `$1`, `${1}` and `$name` replaced by groups of a match, and `$$` by `$`.

    As in Go, a group that does not exist is empty.
    """
    numbers, count = match.re.groupindex, match.re.groups

    def text_of(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        number = read_decimal(name) if name.isdecimal() else numbers.get(name, -1)
        return (match[number] or "") if 0 <= number <= count else ""

    return _REFERENCE.sub(text_of, template)


def is_literal(pattern: str) -> bool:
    """True when the expression matches its own text and nothing else."""
    return _LITERAL.fullmatch(pattern) is not None


def line_words(pattern: str) -> list[str] | None:
    """The words of a line filter's `a|b`; None for other expressions.

    As in Loki, an alternative that takes all lines is left out next to others.
    """
    words = pattern.split("|")
    if not all(is_literal(word) or word == ".*" for word in words):
        return None
    return [word for word in words if word not in {"", ".*"}] or [""]
