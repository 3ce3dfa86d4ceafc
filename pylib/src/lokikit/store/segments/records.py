"""Records of the store's logs: `[marker][length][crc32][payload]`.

The marker lets a reader find the next record behind damaged bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MARKER = b"\x93LKR"
_NUMBERS = struct.Struct("<II")
_HEADER_BYTES = len(MARKER) + _NUMBERS.size


@dataclass(frozen=True)
class AppendRecord:
    """One intact record, which ends at the offset `end`."""

    payload: bytes
    end: int


@dataclass(frozen=True)
class Damage:
    """Bytes that are no intact record.

    Args:
        start: offset of the first.
        end: offset behind the last.
        torn: True when they are the beginning of a record that the file ends within, as a
            killed process leaves it.
    """

    start: int
    end: int
    torn: bool


def encode_record(payload: bytes) -> bytes:
    """The record with this payload."""
    length = len(payload).to_bytes(4, "little")
    checksum = zlib.crc32(payload, zlib.crc32(length))
    return b"".join((MARKER, length, checksum.to_bytes(4, "little"), payload))


def read_records(data: bytes) -> Iterator[AppendRecord | Damage]:
    """The records of a file and the damage between them, in order."""
    at = 0
    while at < len(data):
        record = _record_at(data, at)
        if record is None:
            yield _damage_at(data, at)
            at = _next_intact(data, at + 1)
        else:
            yield record
            at = record.end


def _record_at(data: bytes, at: int) -> AppendRecord | None:
    if not data.startswith(MARKER, at) or at + _HEADER_BYTES > len(data):
        return None
    length, checksum = _NUMBERS.unpack_from(data, at + len(MARKER))
    start, end = at + _HEADER_BYTES, at + _HEADER_BYTES + length
    if end > len(data):
        return None
    payload = data[start:end]
    if zlib.crc32(payload, zlib.crc32(length.to_bytes(4, "little"))) != checksum:
        return None
    return AppendRecord(payload, end)


def _damage_at(data: bytes, at: int) -> Damage:
    end = _next_intact(data, at + 1)
    return Damage(at, end, torn=end == len(data) and _is_cut_short(data, at))


def _is_cut_short(data: bytes, at: int) -> bool:
    head = data[at : at + _HEADER_BYTES]
    if not head.startswith(MARKER[: len(head)]):
        return False
    if len(head) < _HEADER_BYTES:
        return True
    length, _ = _NUMBERS.unpack_from(head, len(MARKER))
    return at + _HEADER_BYTES + int(length) > len(data)


def _next_intact(data: bytes, at: int) -> int:
    while (at := data.find(MARKER, at)) >= 0:
        if _record_at(data, at) is not None:
            return at
        at += 1
    return len(data)
