"""A lenient walk over JSON text: values are taken as they stand, broken text up to its break.

Loki answers `{"a":01 }x` and `{"a":1` with labels, where a strict decoder gives up. Bounds of
strings, objects and arrays are found by their delimiters alone, as Loki finds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from lokikit.store.logql.quoting import SHORT_ESCAPES

Kind = Literal["text", "scalar", "null", "array", "object"]

OPEN_OBJECT = "Value looks like object, but can't find closing '}' symbol"
OPEN_ARRAY = "Value is array, but can't find closing ']' symbol"
OPENSTRING = "Value is string, but can't find closing '\"' symbol"
MALFORMED = "Malformed JSON error"
UNKNOWN_TYPE = "Unknown value type"
BAD_ESCAPE = "Encountered an invalid escape sequence in a string"

_SPACE = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_SCALAR = re.compile(r"[^ \t\n\r,}\]]*")
_STRUCTURE = {
    "{": re.compile(r'"(?:[^"\\]*(?:\\.[^"\\]*)*)"|["{}]', re.DOTALL),
    "[": re.compile(r'"(?:[^"\\]*(?:\\.[^"\\]*)*)"|["\[\]]', re.DOTALL),
}
_ESCAPE = re.compile(
    r'\\(?:(["\\/bfnrt])|u([dD][89a-fA-F][0-9a-fA-F]{2})\\u([0-9a-fA-F]{4})|u([0-9a-fA-F]{4})|)'
)
"""One character, half a surrogate pair with the escape behind it, or any other code."""
_SURROGATES = range(0xD800, 0xE000)
_LOW_SURROGATE = 0xDC00
_MAX_RUNE = 0x10FFFF
REPLACEMENT = "\ufffd"


class JsonProblem(Exception):  # noqa: N818 - it never leaves the parsers
    """Raised where the walk cannot go on; the text is Loki's `__error_details__`."""


def skip_space(text: str, position: int, end: int) -> int:
    """The position of the next character that is no white space, or `end`."""
    return _SPACE.match(text, position, end).end()  # type: ignore[union-attr]  # it matches always


def block_end(text: str, position: int, end: int, known: dict[int, int] | None = None) -> int:
    """The position behind the object or array that opens here, or -1.

    Args:
        text: the JSON.
        position: position of the opening character.
        end: end of the text to read.
        known: beginning -> end of nested blocks that were read before; new blocks are added, so
            that a walk into nested objects reads each character once.
    """
    if known and position in known:
        return known[position]
    opener, opened = text[position], list[int]()
    for match in _STRUCTURE[opener].finditer(text, position, end):
        found = match[0]
        if found == opener:
            opened.append(match.start())
        elif found == '"':
            return -1
        elif found[0] != '"':
            begin = opened.pop()
            if known is not None:
                known[begin] = match.end()
            if not opened:
                return match.end()
    return -1


def read_value(
    text: str, position: int, end: int, known: dict[int, int] | None = None
) -> tuple[Kind, str, int]:
    """Kind, text without quotes and end of the value at `position`; `known` as for `block_end`.

    Raises:
        JsonProblem: no value, a value without an end, or text that is no JSON value.
    """
    position = skip_space(text, position, end)
    if position == end:
        raise JsonProblem(MALFORMED)
    first = text[position]
    if first == '"':
        match = STRING.match(text, position, end)
        if match is None:
            raise JsonProblem(OPENSTRING)
        return "text", match[1], match.end()
    if first in "{[":
        stop = block_end(text, position, end, known)
        if stop < 0:
            raise JsonProblem(OPEN_OBJECT if first == "{" else OPEN_ARRAY)
        return ("object" if first == "{" else "array"), text[position:stop], stop
    value = _SCALAR.match(text, position, end)[0]  # type: ignore[index]  # it matches always
    return _scalar_kind(value), value, position + len(value)


def _scalar_kind(value: str) -> Kind:
    if value[:1] in "0123456789-" and value:
        return "scalar"
    if value in {"true", "false"}:
        return "scalar"
    if value == "null":
        return "null"
    raise JsonProblem(UNKNOWN_TYPE)


def unescape(raw: str) -> str:
    """The string that a JSON string's raw text stands for; an invalid rune becomes U+FFFD.

    Raises:
        JsonProblem: it holds an invalid escape.
    """
    return _ESCAPE.sub(_unescaped, raw) if "\\" in raw else raw


def _unescaped(match: re.Match[str]) -> str:
    character, high, low, code = match.groups()
    if character:
        return SHORT_ESCAPES.get(character, character)
    if high and int(low, 16) >= _LOW_SURROGATE:
        combined = 0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - _LOW_SURROGATE
        return chr(combined) if combined <= _MAX_RUNE else REPLACEMENT
    if not code or int(code, 16) in _SURROGATES:
        raise JsonProblem(BAD_ESCAPE)
    return chr(int(code, 16))


def read_key(text: str, position: int, end: int) -> tuple[str, int]:
    """The unescaped key of the member that begins here, and the position behind its colon.

    Raises:
        JsonProblem: no key, no colon, or an invalid escape.
    """
    if text[position] != '"':
        raise JsonProblem(OPEN_OBJECT)
    match = STRING.match(text, position, end)
    if match is None:
        raise JsonProblem(MALFORMED)
    key = unescape(match[1])
    colon = skip_space(text, match.end(), end)
    if colon == end or text[colon] != ":":
        raise JsonProblem(MALFORMED)
    return key, colon + 1


def members(
    text: str, position: int, end: int, known: dict[int, int] | None = None
) -> Iterator[tuple[str, Kind, str, int]]:
    """Yield key, kind, text and end of each member of an object; `known` as for `block_end`.

    Text behind the closing brace is not read.

    Raises:
        JsonProblem: the walk reaches text that is no JSON.
    """
    position = skip_space(text, position, end)
    if position == end or text[position] != "{":
        raise JsonProblem(OPEN_OBJECT)
    position = skip_space(text, position + 1, end)
    if position == end:
        raise JsonProblem(MALFORMED)
    while text[position] != "}":
        key, position = read_key(text, position, end)
        kind, value, position = read_value(text, position, end, known)
        yield key, kind, value, position
        position = _next_member(text, position, end)
        if position < 0:
            return


def _next_member(text: str, position: int, end: int) -> int:
    """The position of the next key or closing brace, -1 when the object ends here."""
    position = skip_space(text, position, end)
    if position == end:
        raise JsonProblem(OPEN_ARRAY)
    if text[position] == "}":
        return -1
    if text[position] != ",":
        raise JsonProblem(OPEN_OBJECT)
    position = skip_space(text, position + 1, end)
    if position == end:
        raise JsonProblem(OPEN_ARRAY)
    return position
