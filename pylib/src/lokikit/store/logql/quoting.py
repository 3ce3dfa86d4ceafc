"""Literals as Go writes them."""

from __future__ import annotations

import math

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
_FIXED_EXPONENTS = range(-4, 21)


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


def write_number(value: float) -> str:
    """A number in the fewest digits that read back; infinities and NaN as an operation."""
    if math.isnan(value):
        return "(0 / 0)"
    if math.isinf(value):
        return "(1e+308 * 10)" if value > 0 else "(-1e+308 * 10)"
    digits, _, exponent = f"{value!r}".partition("e")
    if not value or math.floor(math.log10(abs(value))) in _FIXED_EXPONENTS:
        return _fixed(value)
    mantissa, exponent = _scientific(digits, exponent)
    return f"{mantissa}e{exponent}"


def _fixed(value: float) -> str:
    if value == int(value):
        return f"{'-' if math.copysign(1, value) < 0 and not value else ''}{int(value)}"
    return repr(value) if "e" not in repr(value) else f"{value:.20f}".rstrip("0")


def _scientific(digits: str, exponent: str) -> tuple[str, str]:
    return digits.removesuffix(".0"), f"{int(exponent):+03d}"
