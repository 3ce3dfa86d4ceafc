"""The pattern of `|>` and `!>`: literals, and `<_>` for one or more characters."""

from __future__ import annotations

from collections.abc import Callable

from lokikit.store.errors import QueryError
from lokikit.store.logql.patterns import consecutive_captures, split_pattern


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
    if consecutive_captures(parts):
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
