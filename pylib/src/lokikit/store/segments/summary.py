"""The summary of a segment: its checksum, its streams, its row groups.

It is in a small file next to the segment: a line with its own checksum, and a line of JSON.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from lokikit.store.segments.database import Cursor, quoted
from lokikit.store.segments.schema import LINE_BYTES, LINE_BYTES_SQL

_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class StreamSummary:
    """The rows of one stream in a segment, with its labels, so that a segment explains itself."""

    labels: Mapping[str, str]
    rows: int
    line_bytes: int
    min_ns: int
    max_ns: int


@dataclass(frozen=True)
class Summary:
    """Facts about a segment, known without reading it.

    Args:
        crc32: of the file.
        size: of the file, in bytes.
        rows: how many.
        line_bytes: of the lines, in UTF-8.
        group_starts: time of the first row of each row group.
        streams: number of a stream -> its rows.
        has_sizes: True when the file has the column `line_bytes`, as those of older versions
            have not.
    """

    crc32: int
    size: int
    rows: int
    line_bytes: int
    group_starts: tuple[int, ...]
    streams: Mapping[int, StreamSummary]
    has_sizes: bool = False

    def encode(self) -> bytes:
        """The content of the file beside the segment."""
        body = orjson.dumps(asdict(self), option=orjson.OPT_NON_STR_KEYS)
        return b"%08x\n%s\n" % (zlib.crc32(body), body)


def decode_summary(content: bytes) -> Summary | None:
    """The summary of that file; None when the file is damaged."""
    checksum, _, rest = content.partition(b"\n")
    body = rest.removesuffix(b"\n")
    if checksum != b"%08x" % zlib.crc32(body):
        return None
    values: dict[str, Any] = orjson.loads(body)
    streams = {int(n): StreamSummary(**stream) for n, stream in values.pop("streams").items()}
    starts = tuple(values.pop("group_starts"))
    return Summary(**values, group_starts=starts, streams=streams)


def file_checksum(path: Path) -> tuple[int, int]:
    """CRC-32 and size of a file."""
    checksum = size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
            size += len(chunk)
    return checksum, size


def summarize(
    cursor: Cursor, path: Path, labels: Callable[[int], Mapping[str, str]], source: str = ""
) -> Summary:
    """The summary of a Parquet file.

    Args:
        cursor: of the database.
        path: of the file.
        labels: returns the labels of a stream, by its number.
        source: a table with the same rows, which is counted faster than the file.
    """
    file = quoted(str(path))
    has_sizes = bool(
        cursor.execute(
            f"SELECT 1 FROM parquet_schema({file}) WHERE name = '{LINE_BYTES}'"
        ).fetchone()
    )
    size_sql = LINE_BYTES if has_sizes else LINE_BYTES_SQL
    counted = cursor.execute(
        f"SELECT stream, count(*), sum({size_sql})::BIGINT, min(ts), max(ts) "
        f"FROM {source or f'read_parquet({file})'} GROUP BY stream ORDER BY stream"
    ).fetchall()
    streams = {n: StreamSummary(dict(labels(n)), *values) for n, *values in counted}
    groups = cursor.execute(
        f"SELECT stats_min_value::BIGINT, row_group_num_rows FROM parquet_metadata({file}) "
        "WHERE path_in_schema = 'ts' ORDER BY row_group_id"
    ).fetchall()
    rows = sum(stream.rows for stream in streams.values())
    if rows != sum(count for _, count in groups):
        raise ValueError(f"{path.name} has other rows than what it was written from")
    checksum, size = file_checksum(path)
    return Summary(
        crc32=checksum,
        size=size,
        rows=rows,
        line_bytes=sum(stream.line_bytes for stream in streams.values()),
        group_starts=tuple(start for start, _ in groups),
        streams=streams,
        has_sizes=has_sizes,
    )
