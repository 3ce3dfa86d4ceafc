"""Equal rows are stored once: which rows of a batch the store has already.

Rows newer than all sealed rows of their stream, whose hash no unsealed row has, are new without
a look: the normal case. The others are looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lokikit.store.segments.database import Cursor
    from lokikit.store.segments.schema import Part
    from lokikit.store.segments.segment import Segment
    from lokikit.store.segments.stored_rows import StoredRow

_TIMES = "ts BETWEEN ? AND ? AND ts IN (SELECT unnest(?::BIGINT[]))"


def newest_sealed(segments: Iterable[Segment]) -> dict[int, int]:
    """Stream -> time of its newest sealed row."""
    newest: dict[int, int] = {}
    for segment in segments:
        for number, stream in segment.summary.streams.items():
            newest[number] = max(newest.get(number, stream.max_ns), stream.max_ns)
    return newest


def late_rows(rows: Iterable[StoredRow], newest: Mapping[int, int]) -> list[StoredRow]:
    """The rows that are not newer than all sealed rows of their stream."""
    first_ns = -(1 << 63)
    return [row for row in rows if row.ts <= newest.get(row.stream, first_ns)]


def stored_in_segments(
    cursor: Cursor, rows: Sequence[StoredRow], segments: Iterable[Segment]
) -> set[StoredRow]:
    """The rows that are in one of the segments."""
    found: set[StoredRow] = set()
    for segment in segments:
        streams = segment.summary.streams
        candidates = [
            row
            for row in rows
            if (stream := streams.get(row.stream)) and stream.min_ns <= row.ts <= stream.max_ns
        ]
        if candidates and segment.is_intact():
            found |= stored_in_part(cursor, candidates, segment.part())
    return found


def stored_in_part(cursor: Cursor, rows: Sequence[StoredRow], part: Part) -> set[StoredRow]:
    """The rows that are in the part: times are compared first, texts only where times are equal."""
    times = _stored_times(cursor, sorted({row.ts for row in rows}), part)
    if not times:
        return set()
    stored = cursor.execute(
        f"SELECT ts, stream, line, meta, level FROM {part.relation} WHERE {_TIMES}",
        [times[0], times[-1], times],
    ).fetchall()
    return set(rows) & set(stored)


def _stored_times(cursor: Cursor, times: list[int], part: Part) -> list[int]:
    found = cursor.execute(
        f"SELECT DISTINCT ts FROM {part.relation} WHERE {_TIMES} ORDER BY ts",
        [times[0], times[-1], times],
    ).fetchall()
    return [ts for (ts,) in found]
