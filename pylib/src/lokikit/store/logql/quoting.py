"""Literals as Go writes them."""

from __future__ import annotations

import math
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
