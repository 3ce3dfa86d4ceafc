"""The format of a segment on disk: a header, then records, each with its checksum.

The header is `_HEADER`: magic with the version, offset up to which records are delivered, checksum
of the offset. A record is `_RECORD` (checksum of the rest, length of the body, entries) and its
body.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_MAGIC_STEM, _VERSION = b"lokispl", b"1"
_HEADER = struct.Struct("<8sQI")
_PLACE = struct.Struct("<QI")
_RECORD = struct.Struct("<III")
HEADER_BYTES = _HEADER.size
_READ_AHEAD_BYTES = 1 << 18
PLACE_AT = _HEADER.size - _PLACE.size
"""Offset, in the header, of the place up to which records are delivered."""


class RecordSpan(NamedTuple):
    """Neighbouring records of a segment: offsets in the file, and number of entries."""

    start: int
    end: int
    entries: int


def pack(body: bytes, entries: int) -> bytes:
    """Return a record in the form of the file."""
    record = _RECORD.pack(0, len(body), entries) + body
    return struct.pack("<I", zlib.crc32(memoryview(record)[4:])) + record[4:]


def records(descriptor: int, start: int, limit: int) -> Iterator[tuple[bytes, RecordSpan]]:
    """Yield each record from `start`, up to the first that is torn or ends behind `limit`."""
    with open(descriptor, "rb", _READ_AHEAD_BYTES, closefd=False) as file:
        file.seek(start)
        while len(head := file.read(_RECORD.size)) == _RECORD.size:
            checksum, length, entries = _RECORD.unpack(head)
            end = start + _RECORD.size + length
            if end > limit:
                return
            body = file.read(length)
            if zlib.crc32(body, zlib.crc32(head[4:])) != checksum:
                return
            yield body, RecordSpan(start, end, entries)
            start = end


def header(place: int) -> bytes:
    """Return the header of a segment whose records are delivered up to `place`."""
    return _MAGIC_STEM + _VERSION + packed_place(place)


def packed_place(place: int) -> bytes:
    """Return the bytes of `place` and its checksum, which stand at `PLACE_AT`."""
    return _PLACE.pack(place, zlib.crc32(place.to_bytes(8, "little")))


def delivered_up_to(descriptor: int) -> int:
    """Return the offset of the first record to deliver; of the first record if unreadable."""
    os.lseek(descriptor, PLACE_AT, os.SEEK_SET)
    data = os.read(descriptor, _PLACE.size)
    place = int.from_bytes(data[:8], "little")
    return place if data == packed_place(place) else HEADER_BYTES


def is_foreign(descriptor: int) -> bool:
    """Return True when another version of lokikit wrote the file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    magic = os.read(descriptor, len(_MAGIC_STEM) + 1)
    return magic.startswith(_MAGIC_STEM) and magic[-1:] != _VERSION and len(magic) == 8  # noqa: PLR2004
