"""One sealed segment: a Parquet file that never changes, and its summary beside it."""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from lokikit.store.segments.database import Cursor, quoted
from lokikit.store.segments.disk import TEMPORARY, put_in_place, remove_files, write_file
from lokikit.store.segments.schema import LINE_BYTES, LINE_BYTES_SQL, ROW_GROUP_ROWS, Part
from lokikit.store.segments.summary import Summary, file_checksum, summarize

_NAME = re.compile(r"seg-(\d{10})-(\d{10})-(-?\d+)-(-?\d+)\.parquet")


class SegmentName(NamedTuple):
    """The parts of the name of a segment's file: its first and last log, oldest and newest row."""

    first_log: int
    last_log: int
    min_ns: int
    max_ns: int

    @property
    def file(self) -> str:
        """The name of the file."""
        first, last, min_ns, max_ns = self
        return f"seg-{first:010}-{last:010}-{min_ns}-{max_ns}.parquet"

    def covers(self, other: SegmentName) -> bool:
        """True when the other's rows are all in this larger one."""
        inside = self.first_log <= other.first_log and other.last_log <= self.last_log
        return inside and self[:2] != other[:2]


def segment_name(path: Path) -> SegmentName | None:
    """The parts of a segment's name; None for other files."""
    match = _NAME.fullmatch(path.name)
    return SegmentName(*map(int, match.groups())) if match else None


def summary_path(path: Path) -> Path:
    """The file with the summary of a segment."""
    return path.with_suffix(".summary")


class Segment:
    """One segment; `is_verified` when its checksum is known to be right."""

    def __init__(
        self, path: Path, name: SegmentName, summary: Summary, *, is_verified: bool = False
    ) -> None:
        self.path, self.name, self.summary = path, name, summary
        self.streams = frozenset(summary.streams)
        self.is_verified = is_verified
        self._lock = threading.Lock()

    def is_intact(self) -> bool:
        """True when the file has its checksum; the file is read once in a process."""
        with self._lock:
            if not self.is_verified:
                self.is_verified = self._has_checksum()
            return self.is_verified

    def _has_checksum(self) -> bool:
        try:
            return file_checksum(self.path) == (self.summary.crc32, self.summary.size)
        except OSError:
            return False

    def remove_when_unused(self, remove: Callable[[list[Path]], None]) -> None:
        """Pass the files to `remove` when no query references the segment any more."""
        files = [self.path, summary_path(self.path)]
        weakref.finalize(self, remove, files).atexit = False

    def part(self) -> Part:
        """Its rows, as SQL reads them."""
        relation = f"read_parquet({quoted(str(self.path))})"
        if not self.summary.has_sizes:
            relation = f"(SELECT *, {LINE_BYTES_SQL} AS {LINE_BYTES} FROM {relation})"
        return Part(
            relation=relation,
            min_ns=self.name.min_ns,
            max_ns=self.name.max_ns,
            rows=self.summary.rows,
            streams=self.streams,
            sealed=True,
            pin=self,
        )


def write_segment(  # noqa: PLR0913 - all but the first two by keyword
    cursor: Cursor,
    folder: Path,
    *,
    logs: tuple[int, int],
    select: str,
    zstd_level: int,
    labels: Callable[[int], Mapping[str, str]],
    source: str = "",
) -> Segment:
    """Seal the rows of a SELECT; from the renaming on, the segment exists as a whole.

    Args:
        cursor: of the database.
        folder: of the store.
        logs: numbers of the first and the last log whose rows these are.
        select: returns all columns, ordered by time.
        zstd_level: of the compression.
        labels: returns the labels of a stream, by its number.
        source: a table with the same rows, when there is one.
    """
    temporary = folder / f"seg-{logs[0]:010}-{logs[1]:010}{TEMPORARY}"
    try:
        cursor.execute(
            f"COPY ({select}) TO {quoted(str(temporary))} (FORMAT parquet, COMPRESSION zstd, "
            f"COMPRESSION_LEVEL {zstd_level}, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
        )
        summary = summarize(cursor, temporary, labels, source)
        min_ns = min(stream.min_ns for stream in summary.streams.values())
        max_ns = max(stream.max_ns for stream in summary.streams.values())
        name = SegmentName(*logs, min_ns, max_ns)
        path = folder / name.file
        write_file(summary_path(path), summary.encode())
        put_in_place(temporary, path)
    except BaseException:
        remove_files([temporary])
        raise
    return Segment(path, name, summary, is_verified=True)
