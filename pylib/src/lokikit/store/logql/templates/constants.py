"""Constants of templates: strings, numbers, characters, as Go writes them."""

from __future__ import annotations

import math
import re

from lokikit.store.errors import QueryError
from lokikit.store.logql.quoting import SHORT_ESCAPES

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|)"
)
_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)")
MAX_INTEGER = (1 << 63) - 1


def read_string(text: str) -> str:
    """The text of a quoted string, `"…"` or in backquotes.

    Raises:
        QueryError: it is no quoted string, or holds an invalid escape.
    """
    if text[:1] == "`":
        return text[1:-1].replace("\r", "")
    if text[:1] != '"':
        raise QueryError(f"template: unexpected {text!r} where a string belongs")
    return _unescape(text[1:-1])


def _unescape(raw: str) -> str:
    r"""Bytes of `\x` and octal escapes may together make one character, hence the detour."""
    if "\\" not in raw:
        return raw
    parts: list[bytes] = []
    position = 0
    while (found := raw.find("\\", position)) >= 0:
        parts.append(raw[position:found].encode())
        match = _ESCAPE.match(raw, found)
        if match is None or match.end() == found + 1:
            raise QueryError(f'template: invalid syntax in string "{raw}"')
        parts.append(_escaped(match))
        position = match.end()
    parts.append(raw[position:].encode())
    return b"".join(parts).decode("utf-8", "replace")


def _escaped(match: re.Match[str]) -> bytes:
    short, byte, small, large, octal = match.groups()
    if short:
        return SHORT_ESCAPES.get(short, short).encode()
    if byte or octal:
        return bytes([int(byte, 16) if byte else int(octal, 8) & 0xFF])
    try:
        return chr(int(small or large, 16)).encode()
    except (ValueError, UnicodeEncodeError):
        raise QueryError(f"template: {match[0]} is no character") from None


def read_char(text: str) -> int:
    """The number of a character constant.

    Raises:
        QueryError: it is not one character.
    """
    char = _unescape(text[1:-1])
    if len(char) != 1:
        raise QueryError(f"template: malformed character constant: {text}")
    return ord(char)


def read_number(text: str) -> int | float:
    """The number of a constant; whole floats stay floats.

    Raises:
        QueryError: it is no number, or too large.
    """
    plain = text.replace("_", "")
    try:
        if _INTEGER.fullmatch(plain):
            value = _integer(plain)
            if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
                raise QueryError(f"template: integer overflow: {text}")
            return value
        number = float.fromhex(plain) if "x" in plain.lower() else float(plain)
    except (ValueError, OverflowError):
        raise QueryError(f"template: bad number syntax: {text!r}") from None
    if math.isinf(number):
        raise QueryError(f"template: illegal number syntax: {text!r}")
    return number


def _integer(plain: str) -> int:
    digits = plain.lstrip("+-")
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        value = int(digits, 8)
    else:
        value = int(digits, 0)
    return -value if plain[0] == "-" else value
