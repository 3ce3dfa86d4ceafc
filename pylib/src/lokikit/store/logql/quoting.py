"""Literals as Go writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_SHORT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}
_LONE_BYTES = range(0xDC80, 0xDD00)
_ASCII, _BASIC = 0x80, 0x10000
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.?)"
)
_CHARACTERS = {escape[1]: character for character, escape in _SHORT.items()}
_MAX_BYTE, _MAX_CODE = 0xFF, 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_FIXED_EXPONENTS = range(-4, 6)


def quote(text: str) -> str:
    """A literal in double quotes, as `strconv.Quote` writes it."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code in _LONE_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable():
        return character
    if code < _ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BASIC else f"\\U{code:08x}"


def unescape(content: str) -> str:
    """Text of what stands between double quotes; bytes that are no UTF-8 become surrogates.

    Raises:
        ValueError: an escape is malformed.
    """
    content = _ESCAPE.sub(_unescaped, content)
    if content.isascii():
        return content
    return content.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[str]) -> str:
    simple, byte, octal, short, long = match.groups()
    if simple:
        return _CHARACTERS[simple]
    if byte or octal:
        code = int(byte, 16) if byte else int(octal, 8)
        if code > _MAX_BYTE:
            raise ValueError("invalid syntax")
        return chr(code) if code < _ASCII else chr(_SURROGATES.start + 0x400 + code)
    if not short and not long:
        raise ValueError("invalid char escape")
    code = int(short or long, 16)
    if code > _MAX_CODE:
        raise ValueError("invalid char escape")
    return "\N{REPLACEMENT CHARACTER}" if code in _SURROGATES else chr(code)


def write_fixed(value: float) -> str:
    """A finite number in the fewest digits that read back, without an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def write_literal(value: float) -> str:
    """A number as Loki writes literals: from a million and below 1/10,000 with an exponent.

    Infinities and NaN, which have no literals, become an operation.
    """
    if math.isnan(value):
        return "(0 / 0)"
    if math.isinf(value):
        return "(1e+308 * 10)" if value > 0 else "(-1e+308 * 10)"
    if not value or math.floor(math.log10(abs(value))) in _FIXED_EXPONENTS:
        return write_fixed(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:]))
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{first}{'.' if rest else ''}{rest}e{power:+03d}"
