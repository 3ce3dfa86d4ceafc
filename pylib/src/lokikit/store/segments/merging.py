"""Merging of neighbouring small segments into a larger one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.store.segments.database import Cursor, quoted
from lokikit.store.segments.schema import COLUMNS, LINE_BYTES, LINE_BYTES_SQL
from lokikit.store.segments.segment import Segment, write_segment

if TYPE_CHECKING:
    from lokikit.store.segments.settings import StoreSettings

_SPANS_IN_RETENTION = 8
"""A merged segment spans at most this part of the retention: it is deleted as a whole."""


def choose_merge(segments: Sequence[Segment], settings: StoreSettings) -> list[Segment]:
    """The first neighbours that are enough, of one size, and together not too large."""
    run: list[Segment] = []
    for segment in segments:
        if run and _tier(run[0], settings) != _tier(segment, settings):
            run = []
        run.append(segment)
        if not _fits(run, settings):
            run = [segment]
        if len(run) >= settings.merge_count:
            return run
    return []


def _tier(segment: Segment, settings: StoreSettings) -> int:
    return int(math.log(max(segment.summary.line_bytes, 1), settings.merge_count))


def _fits(run: Sequence[Segment], settings: StoreSettings) -> bool:
    if sum(segment.summary.line_bytes for segment in run) > settings.merged_max_bytes:
        return False
    span_ns = max(one.name.max_ns for one in run) - min(one.name.min_ns for one in run)
    max_span_ns = settings.retention_s * 1e9 / _SPANS_IN_RETENTION
    return not max_span_ns or span_ns <= max_span_ns


def merge_segments(
    cursor: Cursor,
    folder: Path,
    segments: Sequence[Segment],
    labels: Callable[[int], Mapping[str, str]],
    zstd_level: int,
) -> Segment:
    """Write the rows of neighbouring segments into a new segment; the old segments stay.

    Segments that follow each other in time are copied as they come, without sorting.
    """
    logs = (segments[0].name.first_log, segments[-1].name.last_log)
    by_time = sorted(segments, key=lambda segment: segment.name.min_ns)
    files = ", ".join(quoted(str(segment.path)) for segment in by_time)
    columns = ", ".join(COLUMNS).replace(LINE_BYTES, f"{LINE_BYTES_SQL} AS {LINE_BYTES}")
    select = f"SELECT {columns} FROM read_parquet([{files}])"
    ends = [one.name.max_ns for one in by_time[:-1]]
    starts = [one.name.min_ns for one in by_time[1:]]
    if any(end >= start for end, start in zip(ends, starts, strict=True)):
        select = (
            f"SELECT {columns} FROM read_parquet([{files}], filename=true, file_row_number=true) "
            "ORDER BY ts, filename, file_row_number"
        )
    return write_segment(
        cursor, folder, logs=logs, select=select, zstd_level=zstd_level, labels=labels
    )
