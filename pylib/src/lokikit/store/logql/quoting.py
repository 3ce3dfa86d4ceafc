"""Literals as Go writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal

_SHORT = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
}
_LONE_BYTES = range(0xDC80, 0xDD00)
_ASCII, _BASIC = 0x80, 0x10000
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"])|x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|.?)"
)
SHORT_ESCAPES = {'"': '"'} | {escape[1]: character for character, escape in _SHORT.items()}
_MAX_BYTE, _MAX_CODE = 0xFF, 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)
_FIXED_EXPONENTS = range(-4, 6)


def quote(text: str, *, mark: str = '"', ascii_only: bool = False) -> str:
    """A literal as `strconv.Quote` writes it.

    Args:
        text: text of the literal.
        mark: a single quotation mark writes a rune as `strconv.QuoteRune` does.
        ascii_only: escape all other characters too, as `strconv.QuoteToASCII`.
    """
    is_plain = text.isprintable() and mark not in text and "\\" not in text
    if is_plain and (text.isascii() or not ascii_only):
        return f"{mark}{text}{mark}"
    escaped = "".join(_escaped(character, ascii_only=ascii_only) for character in text)
    return mark + escaped.replace(mark, f"\\{mark}") + mark


def _escaped(character: str, *, ascii_only: bool) -> str:
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code in _LONE_BYTES:
        return f"\\x{code - 0xDC00:02x}"
    if character.isprintable() and (code < _ASCII or not ascii_only):
        return character
    if code < _ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BASIC else f"\\U{code:08x}"


def format_labels(labels: Mapping[str, str]) -> str:
    """Labels as Go prints them: `{a="b", c="d"}`, sorted by name."""
    return f"{{{', '.join(f'{name}={quote(labels[name])}' for name in sorted(labels))}}}"


def unescape(content: str) -> str:
    """Text of a literal's content in double quotes; bytes that are no UTF-8 become surrogates.

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
        return SHORT_ESCAPES[simple]
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
    return write_short(value)


def write_short(value: float) -> str:
    """A finite number as `%v` prints it in Go: the shorter form where it needs no exponent."""
    number = Decimal(repr(value)).normalize()
    power = number.adjusted()
    if not value or power in _FIXED_EXPONENTS:
        return write_fixed(value)
    sign, digits, _ = number.as_tuple()
    first, rest = digits[0], "".join(map(str, digits[1:]))
    return f"{'-' if sign else ''}{first}{'.' if rest else ''}{rest}e{power:+03d}"
