"""Lines cut to a size, still valid JSON."""

from __future__ import annotations

from typing import Any

import orjson

from lokikit.fields import LINE_FIELDS, STACK, STACKTRACE, TRUNCATED

_TAIL_COUNTS = frozenset({STACK, STACKTRACE})
"""Fields whose end is kept, because it holds the raise."""
_MIN_CUT_BYTES = 64
"""A field with less room than this is left out."""
_SMALL_BYTES = 256
_FRAME_BYTES = 64
"""Braces, and `TRUNCATED` itself."""


def cut_line(fields: dict[str, Any], max_bytes: int) -> bytes:
    """Return the fields as a JSON line of at most `max_bytes`, marked with `TRUNCATED`.

    Small fields stay whole, but foreign fields take at most half of the line; large fields share
    the rest, fields of the contract first.

    Args:
        fields: fields of the line, with values that orjson writes.
        max_bytes: size of the line, without its line end.
    """
    small = {name for name in fields if _size(fields[name]) <= _SMALL_BYTES} - {TRUNCATED}
    ours = {name for name in fields if name in LINE_FIELDS}
    foreign = fields.keys() - ours - {TRUNCATED}
    kept: dict[str, Any] = {}
    room = _share(fields, small & ours, max_bytes - _FRAME_BYTES, kept)
    half = room // 2
    room += _share(fields, small & foreign, half, kept) - half
    room = _share(fields, ours - small, room, kept)
    _share(fields, foreign - small, room, kept)
    ordered = {name: kept[name] for name in fields if name in kept}
    return orjson.dumps({**ordered, TRUNCATED: True})


def _share(fields: dict[str, Any], names: set[str], room: int, kept: dict[str, Any]) -> int:
    """Move the named fields into `kept`, the smallest first; return the room that is left."""
    sizes = {name: _size(name) + _size(fields[name]) for name in names}
    for done, name in enumerate(sorted(names, key=sizes.__getitem__)):
        share = max(room // (len(names) - done), _MIN_CUT_BYTES)
        if sizes[name] <= min(share, room):
            kept[name] = fields[name]
            room -= sizes[name]
        elif (left := min(share, room) - _size(name)) >= _MIN_CUT_BYTES:
            kept[name] = _cut(fields[name], left, keep_tail=name in _TAIL_COUNTS)
            room -= _size(name) + _size(kept[name])
    return room


def _size(value: Any) -> int:
    """Return the bytes in JSON, with the comma or colon behind."""
    return len(orjson.dumps(value)) + 1


def _cut(value: Any, max_bytes: int, *, keep_tail: bool) -> str:
    string = value if isinstance(value, str) else orjson.dumps(value).decode()
    length = min(len(string), max_bytes)
    while True:
        piece = string[-length:] if keep_tail else string[:length]
        excess = _size(piece) - max_bytes
        if excess <= 0:
            return piece
        # An escape takes at most six bytes a character, so this shrinks fast, and never too far.
        length -= max(1, excess // 6)
