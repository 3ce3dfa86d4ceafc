"""The pattern of `|>` and `!>`: literals, and `<_>` for one or more characters."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from lokikit.store.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

_CAPTURE = re.compile(r"<([a-zA-Z_][a-zA-Z0-9_]*)>")


def split_pattern(pattern: str) -> list[tuple[bool, str]]:
    """The parts of a pattern in order: (True, name of a capture) or (False, literal)."""
    parts: list[tuple[bool, str]] = []
    position = 0
    for match in _CAPTURE.finditer(pattern):
        if match.start() > position:
            parts.append((False, pattern[position : match.start()]))
        parts.append((True, match[1]))
        position = match.end()
    if position < len(pattern):
        parts.append((False, pattern[position:]))
    return parts


def compile_pattern_filter(pattern: str) -> Callable[[str], bool]:
    """True for lines that the pattern describes up to their end.

    The first literal may begin anywhere when no `<_>` stands before it; each literal is looked
    for once, at its first place, and what `<_>` stands for may not be empty.

    Raises:
        QueryError: the pattern names a capture, or has two in a row.
    """
    if not pattern:
        return lambda line: not line
    parts = split_pattern(pattern)
    for before, part in pairwise(parts):
        if before[0] and part[0]:
            raise QueryError(f"invalid pattern {pattern!r}: consecutive captures")
    named = next((name for captures, name in parts if captures and name != "_"), None)
    if named is not None:
        raise QueryError(f"invalid pattern {pattern!r}: named captures (<{named}>) are not allowed")
    literals = [text for captures, text in parts if not captures]
    opens, trails = parts[0][0], parts[-1][0]

    def matches(line: str) -> bool:
        position = 0
        leads = opens
        for literal in literals:
            found = line.find(literal, position)
            if found < 0 or (leads and found == position):
                return False
            position = found + len(literal)
            leads = True
        return (position < len(line)) == trails

    return matches
