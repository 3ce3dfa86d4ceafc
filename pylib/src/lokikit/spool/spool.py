"""Batches on disk while Loki is away: in order, checked, capped, inherited by one process."""

from __future__ import annotations

import errno
import os
import threading
import time
from bisect import insort
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.spool.segment import Segment, segment_paths, size_bytes, sync_folder
from lokikit.spool.segment_format import HEADER_BYTES, pack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lokikit.spool.segment_format import Span

_LEAST_SEGMENTS = 8
_MOST_ADOPTED = 128  # each takes a file descriptor of the application
_SEGMENT_BYTES = 4 * 1024 * 1024
DEAD_LETTERS = "dead-letters.ndjson"
"""The name of the dead-letter file in a spool's folder."""


@dataclass(frozen=True)
class Reading:
    """Records handed out to be delivered: give them to `Spool.done` or `Spool.put_back`."""

    bodies: list[bytes]
    entries: int
    segment: Segment
    span: Span


class _Turn:
    """A lock that tells how deep its holder is in: a signal handler may enter once more."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> int:
        self._lock.acquire()
        self._depth += 1
        return self._depth

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        self._lock.release()


class Spool:
    """Ready batches on disk, oldest first; thread-safe; one process owns a segment.

    Args:
        folder: made, for its owner only, unless it is there; may be shared by processes.
        max_bytes: the most that all segments in `folder` take together. Processes that share it
            may each be late by one segment.
        max_age_s: segments begun longer ago are dropped.
        segment_bytes: the size of a segment, an eighth of `max_bytes` at most.
        sync: what `append` has taken survives a power cut too, and not only the process.
        time_s: the clock, in seconds since 1970.

    Attributes:
        adopted: what came from dead processes so far: entries, and one for each tear.

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
        self._numbers = 0
        self._last_ns = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._begin()

    def _begin(self) -> None:
        self._dropped: Counter[str] = Counter()
        self._lock = _Turn()
        self._segments: list[Segment] = []
        self._arriving: list[Segment] = []
        self._aside: list[Segment] = []
        self._active: Segment | None = None
        self._size = 0
        self.adopted = 0
        self._others_bytes = 0

    @property
    def entries(self) -> int:
        """Entries on disk that are not handed out."""
        with self._lock:
            return sum(segment.entries for segment in self._segments)

    @property
    def size_bytes(self) -> int:
        """What this process's segments take on disk."""
        return self._size

    @property
    def dropped(self) -> Counter[str]:
        """Lost entries: `spool_full`, `spool_expired`, `spool_torn` (one a tear, at least)."""
        with self._lock:
            return self._dropped.copy()

    def append(self, body: bytes, entries: int, since_ns: int | None = None) -> None:
        """Keep one batch: when this returns, the end of the process does not lose it.

        What a power cut loses is the system's to decide, unless the spool was opened with `sync`.

        Drops the oldest segments when the cap would be passed, and a batch over the cap itself.

        Args:
            body: the batch.
            entries: how many are in it.
            since_ns: since when it was due, in nanoseconds since 1970; now unless given. What came
                after that is read after it, and is not dropped for it.

        Raises:
            OSError: the disk is full or read-only; all that was there is as it was.
        """
        record = pack(body, entries)
        with self._lock as depth:
            if HEADER_BYTES + len(record) > self.max_bytes:
                self._count("spool_full", entries)
                return
            try:
                if depth > 1:  # a signal handler, in the middle of anything
                    self._append_aside(record, entries)
                elif since_ns is not None:
                    self._append_between(record, entries, since_ns)
                else:
                    self._append(record, entries)
            except OSError as error:
                text = f"cannot write to the spool {self.folder}: {error.strerror}"
                raise OSError(error.errno, text) from error

    def read(self, max_bytes: int, max_entries: int) -> Reading | None:
        """The oldest records not handed out, one at least whatever its size; `None` at the end."""
        with self._lock:
            self._settle()
            for segment in list(self._segments):
                while piece := segment.take(max_bytes, max_entries):
                    if piece.bodies:
                        return Reading(piece.bodies, piece.span.entries, segment, piece.span)
                    self._count("spool_torn", max(1, piece.span.entries))
                self._delete_finished(segment)
        return None

    def done(self, reading: Reading) -> None:
        """Forget records that are delivered; their segment goes with the last of them."""
        with self._lock:
            if reading.segment.gone is None:
                reading.segment.done(reading.span)
                self._delete_finished(reading.segment)

    def put_back(self, reading: Reading) -> None:
        """Have records that are not delivered be read again, before all younger ones."""
        with self._lock:
            gone = reading.segment.gone
            if gone is None:
                reading.segment.put_back(reading.span)
            elif gone:  # dropped meanwhile, while it was handed out
                self._count(gone, reading.entries)

    def adopt(self) -> int:
        """Take over the segments of dead processes, oldest first; the entries gained.

        Opens a limited number of files: call it again when the spool has been read.
        """
        room = _MOST_ADOPTED - len(self._segments)
        gained = 0
        for path in self._others()[: max(0, room)]:
            if segment := Segment.claim(path):
                self._arriving.append(segment)  # before the long look: a fork must close it
                gained += self._take_in(segment)
        with self._lock:
            self._others_bytes = self._measure_others()
        return gained

    def close(self) -> None:
        """Let go of all segments: what is undelivered stays for whoever adopts it."""
        with self._lock:
            for segment in (*self._segments, *self._aside):
                with suppress(OSError):
                    if segment.is_finished:
                        segment.delete()
                segment.forget()
            self._segments, self._aside, self._active, self._size = [], [], None, 0

    def after_fork_in_child(self) -> None:
        """Leave everything to the parent, and begin with own segments."""
        for segment in (*self._segments, *self._arriving, *self._aside):
            segment.forget()
        self._begin()

    def _take_in(self, segment: Segment) -> int:
        whole = segment.load()
        with self._lock:
            self._arriving.remove(segment)
            self._add(segment)
            entries, tears = segment.entries, 0 if whole else 1
            self._count("spool_torn", tears)
            self.adopted += entries + tears
            self._delete_finished(segment)
            return entries

    def _writable(self, size: int) -> Segment:
        """The segment for a record of `size`, with room for it under the cap."""
        active = self._active
        if active is not None and self._is_full(active, size):
            self._active = None
            self._delete_finished(active)
        if self._active is None:
            self._others_bytes = self._measure_others()
        self._make_room(HEADER_BYTES + size)
        if self._active is None:  # also when the making of room has dropped it
            self._active = self._create()
            self._add(self._active)
        return self._active

    def _append(self, record: bytes, entries: int) -> None:
        self._settle()
        self._writable(len(record)).append(record, entries, sync=self._sync)
        self._size += len(record)

    def _append_between(self, record: bytes, entries: int, since_ns: int) -> None:
        self._settle()
        self._others_bytes = self._measure_others()
        size = HEADER_BYTES + len(record)
        while not self._fits(size):
            if not self._segments or self._segments[0].created_s * 1e9 >= since_ns:
                self._count("spool_full", entries)
                return
            self._drop(self._segments[0], "spool_full")
        segment = self._create(since_ns)
        self._add(segment)
        segment.append(record, entries, sync=self._sync)
        self._size += len(record)

    def _append_aside(self, record: bytes, entries: int) -> None:
        segment = self._create()
        segment.append(record, entries, sync=self._sync)
        self._aside.append(segment)

    def _settle(self) -> None:
        while self._aside:
            self._add(self._aside.pop())
        oldest_s = self._time_s() - self.max_age_s
        with suppress(OSError):  # one that cannot be removed
            while self._segments and self._segments[0].created_s < oldest_s:
                self._drop(self._segments[0], "spool_expired")

    def _add(self, segment: Segment) -> None:
        insort(self._segments, segment, key=lambda one: one.path.name)
        self._size += segment.end

    def _is_full(self, segment: Segment, size: int) -> bool:
        age_s = self._time_s() - segment.created_s
        return segment.end + size > self.segment_bytes or age_s > self.max_age_s / _LEAST_SEGMENTS

    def _create(self, since_ns: int | None = None) -> Segment:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if since_ns is None:
            # Own segments stay in order when the clock steps back.
            since_ns = self._last_ns = max(self._last_ns, int(self._time_s() * 1e9))
        while True:
            self._numbers += 1
            name = f"{since_ns:020d}-{os.getpid():010d}-{self._numbers % 1_000_000:06d}.spool"
            if segment := Segment.create(self.folder / name):
                if self._sync:
                    sync_folder(self.folder)
                return segment

    def _make_room(self, size: int) -> None:
        if not self._fits(size):
            self.adopt()
        while not self._fits(size):
            if not self._segments and not self.adopt() and not self._segments:
                kept = f"other processes keep {self._others_bytes} of {self.max_bytes} bytes in it"
                raise OSError(errno.ENOSPC, kept)
            self._drop(self._segments[0], "spool_full")

    def _fits(self, size: int) -> bool:
        return self._size + self._others_bytes + size <= self.max_bytes

    def _drop(self, segment: Segment, reason: str) -> None:
        self._delete(segment, reason)
        self._count(reason, segment.entries)

    def _delete_finished(self, segment: Segment) -> None:
        if segment.is_finished and segment is not self._active:
            with suppress(OSError):  # the next start finds it empty
                self._delete(segment)

    def _delete(self, segment: Segment, reason: str = "") -> None:
        segment.delete(reason)
        self._segments.remove(segment)
        self._size -= segment.end
        if segment is self._active:
            self._active = None

    def _count(self, reason: str, entries: int) -> None:
        if entries:
            self._dropped[reason] += entries

    def _others(self) -> list[Path]:
        """Segments that are not this spool's, oldest first."""
        with self._lock:
            own = {segment.path.name for segment in self._segments}
        return [path for path in segment_paths(self.folder) if path.name not in own]

    def _measure_others(self) -> int:
        return sum(size_bytes(path) for path in self._others())
