"""Integers of any length from the outside: `int` refuses more than 4,300 digits."""

from __future__ import annotations

_MAX_DIGITS = 100
"""More than any integer has that the store can use."""


def read_decimal(text: str) -> int:
    """The integer of decimal digits with or without a sign; a part of it where it is beyond use.

    Args:
        text: digits that `int` takes; the part of a long number is beyond 64 bits too.
    """
    if len(text) <= _MAX_DIGITS:
        return int(text)
    size = int(text.lstrip("+-").lstrip("0")[:_MAX_DIGITS] or "0")
    return -size if text[0] == "-" else size
