"""Batches on disk while Loki is away: in order, checked, capped, inherited by one process."""

from __future__ import annotations

import errno
import time
from bisect import insort
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lokikit.spool.depth_lock import DepthLock
from lokikit.spool.segment import SpoolSegment
from lokikit.spool.segment_folder import SegmentFolder
from lokikit.spool.segment_format import HEADER_BYTES, RecordSpan, pack

_LEAST_SEGMENTS = 8
_MOST_ADOPTED = 128  # each takes a file descriptor of the application
_SEGMENT_BYTES = 4 * 1024 * 1024
DEAD_LETTERS = "dead-letters.ndjson"
"""The name of the dead-letter file in a spool's folder."""


@dataclass(frozen=True)
class SpoolReading:
    """Records handed out for delivery; they go back to `Spool.done` or `Spool.put_back`."""

    bodies: list[bytes]
    entries: int
    segment: SpoolSegment
    span: RecordSpan


class Spool:
    """Batches on disk, oldest first; thread-safe; each process owns the segments it writes.

    Args:
        folder: made, for its owner only, if it does not exist; processes may share it.
        max_bytes: limit of all segments in `folder` together. Processes that share it may each
            exceed it by one segment.
        max_age_s: segments begun longer ago are dropped.
        segment_bytes: size of a segment, at most an eighth of `max_bytes`.
        sync: True syncs each append to the disk, so that a power cut does not lose it.
        time_s: clock in seconds since 1970.

    Attributes:
        adopted: entries taken over from dead processes so far, plus one for each torn segment.

    Raises:
        OSError: `folder` cannot be made.
    """

    def __init__(  # noqa: PLR0913 - all but the first by keyword
        self,
        folder: Path,
        *,
        max_bytes: int,
        max_age_s: float,
        segment_bytes: int = _SEGMENT_BYTES,
        sync: bool = False,
        time_s: Callable[[], float] = time.time,
    ) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.max_age_s = max_age_s
        self.segment_bytes = min(segment_bytes, max_bytes // _LEAST_SEGMENTS)
        self._sync = sync
        self._time_s = time_s
        self._folder = SegmentFolder(folder, sync=sync, time_s=time_s)
        self._begin()

    def _begin(self) -> None:
        self._dropped: Counter[str] = Counter()
        self._lock = DepthLock()
        self._segments: list[SpoolSegment] = []
        self._arriving: list[SpoolSegment] = []
        self._aside: list[SpoolSegment] = []
        self._active: SpoolSegment | None = None
        self._size = 0
        self.adopted = 0
        self._others_bytes = 0

    @property
    def entries(self) -> int:
        """Number of entries on disk that are not handed out."""
        with self._lock:
            return sum(segment.entries for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk of this process's segments."""
        return self._size

    @property
    def dropped(self) -> Counter[str]:
        """Lost entries: `spool_full`, `spool_expired`, `spool_torn` (one for each tear)."""
        with self._lock:
            return +self._dropped  # without zeros

    def append(self, body: bytes, entries: int, since_ns: int | None = None) -> None:
        """Write one batch; after the return the end of the process does not lose it.

        Drops the oldest segments to stay under the cap, and a batch that is over the cap itself.

        Args:
            body: the batch.
            entries: number of entries in it.
            since_ns: when the batch was due, in nanoseconds since 1970; now by default. Batches
                that came later are read after it, and are not dropped for it.

        Raises:
            OSError: the disk is full or read-only; the spool stays as it was.
        """
        record = pack(body, entries)
        size = HEADER_BYTES + len(record)
        with self._lock as depth:
            try:
                if size > self.max_bytes:
                    self._dropped["spool_full"] += entries
                elif depth > 1:  # a signal handler has interrupted another method
                    self._write_aside(record, entries)
                elif since_ns is None:
                    self._settle()
                    self._write(self._writable(len(record)), record, entries)
                elif self._make_room_before(since_ns, size):
                    self._write(self._begin_segment(since_ns), record, entries)
                else:
                    self._dropped["spool_full"] += entries
            except OSError as error:
                text = f"cannot write to the spool {self.folder}: {error.strerror}"
                raise OSError(error.errno, text) from error

    def read(self, max_bytes: int, max_entries: int) -> SpoolReading | None:
        """Hand out the oldest records, at least one of any size; `None` when all are out."""
        with self._lock:
            self._settle()
            for segment in list(self._segments):
                while piece := segment.take(max_bytes, max_entries):
                    if piece.bodies:
                        return SpoolReading(piece.bodies, piece.span.entries, segment, piece.span)
                    self._dropped["spool_torn"] += max(1, piece.span.entries)
                self._delete_finished(segment)
        return None

    def done(self, reading: SpoolReading) -> None:
        """Forget delivered records; their segment is deleted with the last of them."""
        with self._lock:
            if reading.segment.gone is None:
                reading.segment.done(reading.span)
                self._delete_finished(reading.segment)

    def put_back(self, reading: SpoolReading) -> None:
        """Let undelivered records be read again, before all younger records."""
        with self._lock:
            gone = reading.segment.gone
            if gone is None:
                reading.segment.put_back(reading.span)
            elif gone:  # dropped while the records were handed out
                self._dropped[gone] += reading.entries

    def adopt(self) -> int:
        """Take over the segments of dead processes, oldest first; return the entries gained.

        Opens a limited number of files: call it again when the spool has been read.
        """
        room = _MOST_ADOPTED - len(self._segments)
        gained = 0
        with self._lock:
            others = self._folder.others(self._segments)
        for path in others[: max(0, room)]:
            if segment := SpoolSegment.claim(path):
                self._arriving.append(segment)  # before the slow load: a fork must close it
                gained += self._take_in(segment)
        with self._lock:
            self._measure_others()
        return gained

    def close(self) -> None:
        """Close all segments; undelivered records stay for the next process to adopt."""
        with self._lock:
            for segment in (*self._segments, *self._aside):
                with suppress(OSError):
                    if segment.is_finished:
                        segment.delete()
                segment.forget()
            self._segments, self._aside, self._active, self._size = [], [], None, 0

    def after_fork_in_child(self) -> None:
        """Leave all segments to the parent and begin with none."""
        for segment in (*self._segments, *self._arriving, *self._aside):
            segment.forget()
        self._begin()

    def _take_in(self, segment: SpoolSegment) -> int:
        whole = segment.load()
        with self._lock:
            self._arriving.remove(segment)
            self._add(segment)
            entries, tears = segment.entries, 0 if whole else 1
            self._dropped["spool_torn"] += tears
            self.adopted += entries + tears
            self._delete_finished(segment)
            return entries

    def _write(self, segment: SpoolSegment, record: bytes, entries: int) -> None:
        segment.append(record, entries, sync=self._sync)
        self._size += len(record)

    def _write_aside(self, record: bytes, entries: int) -> None:
        segment = self._folder.create()
        self._aside.append(segment)
        segment.append(record, entries, sync=self._sync)

    def _writable(self, size: int) -> SpoolSegment:
        """Return the segment for a record of `size` bytes, with room for it under the cap."""
        active = self._active
        if active is not None and self._is_full(active, size):
            self._active = None
            self._delete_finished(active)
        if self._active is None:
            self._measure_others()
        self._make_room(HEADER_BYTES + size)
        if self._active is None:  # making room may have dropped it
            self._active = self._begin_segment()
        return self._active

    def _is_full(self, segment: SpoolSegment, size: int) -> bool:
        age_s = self._time_s() - segment.created_s
        return segment.end + size > self.segment_bytes or age_s > self.max_age_s / _LEAST_SEGMENTS

    def _settle(self) -> None:
        while self._aside:
            self._add(self._aside.pop())
        oldest_s = self._time_s() - self.max_age_s
        with suppress(OSError):  # a file that cannot be removed
            while self._segments and self._segments[0].created_s < oldest_s:
                self._drop(self._segments[0], "spool_expired")

    def _add(self, segment: SpoolSegment) -> None:
        insort(self._segments, segment, key=lambda known: known.path.name)
        self._size += segment.end

    def _begin_segment(self, since_ns: int | None = None) -> SpoolSegment:
        segment = self._folder.create(since_ns)
        self._add(segment)
        return segment

    def _make_room(self, size: int) -> None:
        if not self._fits(size):
            self.adopt()
        while not self._fits(size):
            if not self._segments and not self.adopt() and not self._segments:
                kept = f"other processes keep {self._others_bytes} of {self.max_bytes} bytes in it"
                raise OSError(errno.ENOSPC, kept)
            self._drop(self._segments[0], "spool_full")

    def _make_room_before(self, since_ns: int, size: int) -> bool:
        """Drop segments older than `since_ns` until `size` bytes fit; return False if not."""
        self._settle()
        self._measure_others()
        while not self._fits(size):
            if not self._segments or self._segments[0].created_s * 1e9 >= since_ns:
                return False
            self._drop(self._segments[0], "spool_full")
        return True

    def _fits(self, size: int) -> bool:
        return self._size + self._others_bytes + size <= self.max_bytes

    def _drop(self, segment: SpoolSegment, reason: str) -> None:
        self._delete(segment, reason)
        self._dropped[reason] += segment.entries

    def _delete_finished(self, segment: SpoolSegment) -> None:
        if segment.is_finished and segment is not self._active:
            with suppress(OSError):  # the next start finds it empty
                self._delete(segment)

    def _delete(self, segment: SpoolSegment, reason: str = "") -> None:
        segment.delete(reason)
        self._segments.remove(segment)
        self._size -= segment.end
        if segment is self._active:
            self._active = None

    def _measure_others(self) -> None:
        self._others_bytes = self._folder.others_bytes(self._segments)
