"""Keys and values of logfmt lines, as the Go library `go-logfmt` scans them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lokikit.store.logql.json_scanner import REPLACEMENT
from lokikit.store.logql.quoting import SHORT_ESCAPES

_SPACE = re.compile(r"[\x00-\x20]*")
_KEY = re.compile(r'[^\x00-\x20="]*')
_VALUE = re.compile(r'[^\x00-\x20="]*')
_QUOTED = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_REST = re.compile(r"[^\x00-\x20]*")
_ESCAPE = re.compile(
    r'\\(?:(["\\/\'bfnrt])|u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})'
    r"|u([0-9a-fA-F]{4})|)"
)
"""One character, the halves of a surrogate pair, or any other code."""
_SURROGATES = range(0xD800, 0xE000)


class LogfmtProblem(Exception):  # noqa: N818 - it never leaves the parsers
    """Raised where a line is no logfmt; the text is Loki's `__error_details__`."""

    def __init__(self, line: str, position: int, what: str) -> None:
        at_byte = len(line[:position].encode("utf-8", "surrogatepass")) + 1
        super().__init__(f"logfmt syntax error at pos {at_byte} : {what}")


def read_logfmt(line: str, *, strict: bool) -> Iterator[tuple[str, str | None]]:
    """Each key with its value; None for a value with runes that cannot be read.

    Args:
        line: the text.
        strict: raise at the first broken pair; otherwise it is left out.

    Raises:
        LogfmtProblem: a pair is broken.
    """
    position = _end(_SPACE, line, 0)
    while position < len(line):
        try:
            key, value, position = _read_pair(line, position)
        except _BrokenPair as broken:
            if strict:
                raise LogfmtProblem(line, broken.position, broken.what) from None
            position = broken.resume
        else:
            yield key, value
        position = _end(_SPACE, line, position)


class _BrokenPair(Exception):  # noqa: N818 - it never leaves this module
    def __init__(self, position: int, what: str, resume: int) -> None:
        super().__init__(what)
        self.position, self.what, self.resume = position, what, resume


def _end(pattern: re.Pattern[str], line: str, position: int) -> int:
    return pattern.match(line, position).end()  # type: ignore[union-attr]  # it matches always


def _read_pair(line: str, position: int) -> tuple[str, str, int]:
    begin, position = position, _end(_KEY, line, position)
    key = line[begin:position]
    char = line[position : position + 1]
    if char == '"' or (char == "=" and not key):
        raise _unexpected(line, position)
    if REPLACEMENT in key:
        raise _BrokenPair(position, "invalid key", _end(_REST, line, position))
    if char != "=":
        return key, "", position
    begin = position + 1
    if line[begin : begin + 1] == '"':
        return _read_quoted(line, key, begin)
    position = _end(_VALUE, line, begin)
    char = line[position : position + 1]
    if char and char in '="':
        raise _unexpected(line, position)
    return key, line[begin:position], position


def _unexpected(line: str, position: int) -> _BrokenPair:
    """The problem of a character that may not stand here; the rest of its word is left out."""
    return _BrokenPair(position, f"unexpected '{line[position]}'", _end(_REST, line, position))


def _read_quoted(line: str, key: str, position: int) -> tuple[str, str, int]:
    match = _QUOTED.match(line, position)
    if match is None:
        raise _BrokenPair(len(line), "unterminated quoted value", len(line))
    try:
        value = _ESCAPE.sub(_unescaped, match[1])
    except ValueError:
        raise _BrokenPair(match.end(), "invalid quoted value", match.end()) from None
    return key, value, match.end()


def _unescaped(match: re.Match[str]) -> str:
    character, high, low, code = match.groups()
    if character:
        return SHORT_ESCAPES.get(character, character)
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if not code:
        raise ValueError("no escape")
    return REPLACEMENT if int(code, 16) in _SURROGATES else chr(int(code, 16))
