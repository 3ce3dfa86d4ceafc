"""Decodes the messages of a push: a few lines instead of a library and generated code.

The messages are those of Loki's public API: a push has streams (1); a stream labels as text (1)
and entries (2); an entry a timestamp (1), a line (2) and pairs of structured metadata (3); a
timestamp seconds (1) and nanoseconds (2); a pair a name (1) and a value (2).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lokikit.store.errors import PushError
from lokikit.times import NS_PER_S

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_SHIFT = 63
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
LONE_BYTE = re.compile("[\udc80-\udcff]")
_MORE = 0x80

Entry = tuple[int, str, dict[str, str]]


def decode_push(body: bytes) -> Iterator[tuple[str, list[Entry]]]:
    """The streams of a push: labels as text, and timestamps, lines and metadata.

    Raises:
        PushError: the bytes are no push.
    """
    try:
        for number, stream in _fields(memoryview(body)):
            if number == 1:
                yield _stream(stream)
    except (IndexError, TypeError, ValueError) as error:
        raise PushError(f"the body is no protobuf message of a push: {error}") from error


def _stream(message: memoryview | int) -> tuple[str, list[Entry]]:
    labels, entries = "", []
    for number, value in _fields(message):
        if number == 1:
            labels = _labels_text(value)
        elif number == 2:  # noqa: PLR2004 - the number of `entries`
            entries.append(_entry(value))
    return labels, entries


def _entry(message: memoryview | int) -> Entry:
    time_ns, line, metadata = 0, "", {}
    for number, value in _fields(message):
        if number == 1:
            time_ns = _time_ns(value)
        elif number == 2:  # noqa: PLR2004 - the number of `line`
            line = _text(value)
        elif number == 3:  # noqa: PLR2004 - the number of `structuredMetadata`
            pair = dict(_fields(value))
            metadata[_text(pair.get(1, b""))] = _text(pair.get(2, b""))
    return time_ns, line, metadata


def _time_ns(message: memoryview | int) -> int:
    parts = dict(_fields(message))
    seconds, rest_ns = _signed(parts.get(1, 0)), _signed(parts.get(2, 0))
    if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= rest_ns < NS_PER_S):
        raise ValueError(f"no timestamp: {seconds} s and {rest_ns} ns")
    return seconds * NS_PER_S + rest_ns


def _signed(value: memoryview | int) -> int:
    if not isinstance(value, int):
        raise TypeError("a timestamp is no number")
    return value - (1 << 64) if value >> _MAX_SHIFT else value


def _text(value: memoryview | bytes | int) -> str:
    if isinstance(value, int):
        raise TypeError("a text is a number")
    return read_text(value)


def _labels_text(value: memoryview | int) -> str:
    try:
        return str(value, "utf-8") if not isinstance(value, int) else _text(value)
    except UnicodeDecodeError as error:
        raise PushError(f"couldn't parse labels: invalid UTF-8: {error.reason}") from error


def read_text(data: memoryview | bytes) -> str:
    """The text of bytes; each byte that is no UTF-8 becomes U+FFFD, as in Loki's answers."""
    try:
        return str(data, "utf-8")
    except UnicodeDecodeError:
        return LONE_BYTE.sub("\ufffd", str(data, "utf-8", "surrogateescape"))


def _fields(message: memoryview | int) -> Iterator[tuple[int, memoryview | int]]:
    """The fields of a message: numbers, and values as bytes or numbers."""
    if isinstance(message, int):
        raise TypeError("a message is a number")
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _BYTES:
            size, position = _varint(message, position)
            if position + size > end:
                raise ValueError("unexpected EOF")
            yield key >> 3, message[position : position + size]
            position += size
        elif kind == _VARINT:
            value, position = _varint(message, position)
            yield key >> 3, value
        elif kind in {_FIXED64, _FIXED32}:
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind} is unknown")


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < _MORE:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
        shift += 7
        if shift > _MAX_SHIFT:
            raise ValueError("a number has more than 64 bits")
