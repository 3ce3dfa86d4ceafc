"""A file of the spool: its owner, and its records that are still to deliver.

The owner holds an exclusive `flock` for as long as it lives, so that no process id has to be
checked. A flock belongs to the open file, which forked children
share: a child must `forget` its parent's segments.
"""

from __future__ import annotations

import os
import re
from bisect import insort
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from lokikit.spool.file_lock import HAS_LOCKS, try_lock
from lokikit.spool.segment_format import (
    HEADER_BYTES,
    PLACE_AT,
    RecordSpan,
    delivered_up_to,
    header,
    is_foreign,
    packed_place,
    records,
)

_NAME = re.compile(r"\d{20}-\d{10}-\d{6}\.spool")
"""Time of creation in ns, process id, number: names sort by age."""

_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0)


class Piece(NamedTuple):
    """Records taken from a segment for delivery; without bodies, records that cannot be read."""

    bodies: list[bytes]
    span: RecordSpan


class Look(NamedTuple):
    """A segment as a process sees it that does not own it.

    Args:
        entries: number of entries that are still to deliver.
        owned: True while a living process owns it.
        foreign: True when another version of lokikit wrote it.
    """

    path: Path
    created_s: float
    size_bytes: int
    entries: int
    owned: bool
    foreign: bool


class SpoolSegment:
    """A file that this process owns; not thread-safe.

    Attributes:
        end: offset of the next record, and the size of the file.
        gone: `None` while it is open; the reason why it was dropped; "" after `forget`.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.created_s = created_s(path)
        self.end = HEADER_BYTES
        self.gone: str | None = None
        self._descriptor = descriptor
        self._unread: list[RecordSpan] = []
        self._out: list[RecordSpan] = []
        self._place = HEADER_BYTES

    @classmethod
    def create(cls, path: Path) -> SpoolSegment | None:
        """Create a segment and own it; return `None` when the name is taken.

        Raises:
            OSError: the disk is full or read-only; no file is left.
        """
        try:
            descriptor = os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return None
        segment = cls(path, descriptor)
        try:
            if _lock(descriptor):
                segment._write(header(HEADER_BYTES), 0)
                return segment
        except OSError:
            with suppress(OSError):
                segment.delete()
            segment.forget()
            raise
        segment.forget()  # an adopter was quicker; it removes the empty file
        return None

    @classmethod
    def claim(cls, path: Path) -> SpoolSegment | None:
        """Own the orphan at `path` without reading it; return `None` when it is owned or gone."""
        if not HAS_LOCKS:
            return None
        try:
            descriptor = os.open(path, _FLAGS)
        except OSError:
            return None
        with suppress(OSError):
            if _lock(descriptor) and not is_foreign(descriptor):
                return cls(path, descriptor)
        os.close(descriptor)
        return None

    def load(self) -> bool:
        """Find the records to deliver; return False when the file was torn, and is cut now."""
        size = os.fstat(self._descriptor).st_size
        self._place = self.end = delivered_up_to(self._descriptor)
        entries = 0
        for _, span in records(self._descriptor, self._place, size):
            entries += span.entries
            self.end = span.end
        if self.end > self._place:
            self._unread = [RecordSpan(self._place, self.end, entries)]
        if self.end >= size:
            return True
        with suppress(OSError):
            os.ftruncate(self._descriptor, self.end)
        return False

    @property
    def entries(self) -> int:
        """Number of entries that are not handed out."""
        return sum(span.entries for span in self._unread)

    @property
    def is_finished(self) -> bool:
        """True when every record is delivered."""
        return not self._unread and not self._out

    def append(self, record: bytes, entries: int, *, sync: bool = False) -> None:
        """Write a packed record; with `sync` a power cut does not lose it either.

        Raises:
            OSError: the disk does not take the record; the file stays as it was.
        """
        try:
            self._write(record, self.end)
            if sync:
                os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self.end)
            raise
        span = RecordSpan(self.end, self.end + len(record), entries)
        self.end = span.end
        self._unread[-1:] = _joined(self._unread[-1:], span)

    def take(self, max_bytes: int, max_entries: int) -> Piece | None:
        """Hand out the oldest unread records, at least one; return `None` when all are out."""
        if not self._unread:
            return None
        whole = self._unread.pop(0)
        bodies, size, at, entries = list[bytes](), 0, whole.start, 0
        with suppress(OSError):  # records that the disk cannot read count as torn
            for body, span in records(self._descriptor, whole.start, whole.end):
                size += len(body)
                if bodies and (size > max_bytes or entries + span.entries > max_entries):
                    break
                bodies.append(body)
                at, entries = span.end, entries + span.entries
        if not bodies:
            return Piece([], whole)
        if at < whole.end:
            self._unread.insert(0, RecordSpan(at, whole.end, whole.entries - entries))
        self._out.append(RecordSpan(whole.start, at, entries))
        return Piece(bodies, self._out[-1])

    def put_back(self, span: RecordSpan) -> None:
        """Mark records that were taken as unread."""
        self._out.remove(span)
        insort(self._unread, span)
        spans, self._unread = self._unread, []
        for unread in spans:
            self._unread[-1:] = _joined(self._unread[-1:], unread)

    def done(self, span: RecordSpan) -> None:
        """Mark records that were taken as delivered; on disk, up to the first that is not."""
        self._out.remove(span)
        place = min((left.start for left in (*self._unread[:1], *self._out)), default=self.end)
        if place != self._place:
            with suppress(OSError):  # the next process sends them again, and Loki stores them once
                self._write(packed_place(place), PLACE_AT)
                self._place = place

    def delete(self, reason: str = "") -> None:
        """Remove the file; `reason` counts records that are still handed out, when put back.

        Raises:
            OSError: the file cannot be removed, and is still owned.
        """
        if not HAS_LOCKS:  # Windows removes no open file
            self.forget()
        self.path.unlink(missing_ok=True)
        self.forget()
        self.gone = reason

    def forget(self) -> None:
        """Close the file and leave it to the next process to adopt."""
        if self.gone is None:
            os.close(self._descriptor)
            self.gone = ""

    def _write(self, data: bytes, at: int) -> None:
        os.lseek(self._descriptor, at, os.SEEK_SET)
        written = os.write(self._descriptor, data)
        while written < len(data):  # the second write raises the reason, such as a full disk
            written += os.write(self._descriptor, data[written:])


def look(path: Path) -> Look | None:
    """Read a segment without changing it; return `None` when it is gone.

    Raises:
        OSError: this process may not read it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        return None
    try:
        size = os.fstat(descriptor).st_size
        foreign = is_foreign(descriptor)
        read = () if foreign else records(descriptor, delivered_up_to(descriptor), size)
        entries = sum(span.entries for _, span in read)
        return Look(path, created_s(path), size, entries, not _lock(descriptor), foreign)
    finally:
        os.close(descriptor)


def segment_paths(folder: Path) -> list[Path]:
    """Return all segments of a folder, oldest first; none when it cannot be read."""
    try:
        return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    except OSError:
        return []


def created_s(path: Path) -> float:
    """Return when the segment was begun, in seconds since 1970."""
    return int(path.name[:20]) / 1e9


def _lock(descriptor: int) -> bool:
    """Lock an open file; return True when it has the lock and is not deleted.

    Raises:
        OSError: this file system has no locks.
    """
    return try_lock(descriptor) and (not HAS_LOCKS or os.fstat(descriptor).st_nlink > 0)


def _joined(before: list[RecordSpan], span: RecordSpan) -> list[RecordSpan]:
    if before and before[0].end == span.start:
        return [RecordSpan(before[0].start, span.end, before[0].entries + span.entries)]
    return [*before, span]
