"""An open file that grows, is renamed, truncated or written over while it is read."""

from __future__ import annotations

import os
from collections.abc import Callable

from lokikit.ship.lines import Line, LineCutter
from lokikit.ship.positions import HEAD_BYTES, Position, digest

CHUNK_BYTES = 64 * 1024

FileKey = tuple[int, int]
"""Device and inode."""


class FollowedFile:
    """Reads the lines of an inode, and knows how far they have been delivered.

    Args:
        path: absolute path under which it was opened; its name is the lines' default service.
        descriptor: the open file; `close` closes it.
        offset: where reading continues.
        on_truncated: called with this file when it starts over.
    """

    def __init__(
        self,
        path: str,
        descriptor: int,
        *,
        offset: int = 0,
        on_truncated: Callable[[FollowedFile], object] = lambda _: None,
    ) -> None:
        self.path = path
        status = os.fstat(descriptor)
        self.key: FileKey = (status.st_dev, status.st_ino)
        self.mtime_ns = status.st_mtime_ns
        self.lives = 0
        """Counts truncations: offsets of an earlier life mean nothing."""
        self._descriptor = descriptor
        self._delivered = offset
        self._on_truncated = on_truncated
        self._cutter = LineCutter(offset)
        # Also of a file that is not read yet: a position without it names any file of its inode.
        self._head = os.pread(descriptor, HEAD_BYTES, 0)

    def read(self) -> list[Line]:
        """Return the lines of the next chunk, possibly none; see `at_end`."""
        status = os.fstat(self._descriptor)
        self.mtime_ns = status.st_mtime_ns
        if status.st_size == self._cutter.fed:
            return []
        if status.st_size < self._cutter.fed or self._is_written_over():
            return self._start_over()
        lines = self._read_chunk()
        if len(self._head) < HEAD_BYTES:
            self._head = os.pread(self._descriptor, HEAD_BYTES, 0)
        return lines

    def at_end(self) -> bool:
        """True when the whole file has been read."""
        return os.fstat(self._descriptor).st_size == self._cutter.fed

    def rest(self) -> list[Line]:
        """Return the last line, when it has no line end and the file will not grow."""
        line = self._cutter.rest()
        return [line] if line else []

    def acknowledge(self, life: int, offset: int) -> None:
        """Record that Loki has everything up to `offset` of the file's life number `life`."""
        if life == self.lives:
            self._delivered = max(self._delivered, offset)

    def position(self) -> Position:
        """Return the position to save."""
        return Position(
            path=self.path,
            device=self.key[0],
            inode=self.key[1],
            head_bytes=len(self._head),
            head_sha256=digest(self._head),
            offset=self._delivered,
            mtime_ns=self.mtime_ns,
        )

    def is_delivered(self) -> bool:
        """True when Loki has all lines that were read."""
        return self._delivered == self._cutter.fed

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _read_chunk(self) -> list[Line]:
        chunk = os.pread(self._descriptor, CHUNK_BYTES, self._cutter.fed)
        if chunk.startswith(b"\0"):
            data_at = _data_start(self._descriptor, self._cutter.fed)
            if data_at > self._cutter.fed:
                # Read a chunk at a time, a hole of gigabytes would take hours.
                self._cutter.skip(data_at)
                return []
        return self._cutter.feed(chunk)

    def _is_written_over(self) -> bool:
        """Return True when the file was truncated and has grown past the last offset since."""
        return os.pread(self._descriptor, len(self._head), 0) != self._head

    def _start_over(self) -> list[Line]:
        rest = self.rest()
        self.lives += 1
        self._delivered = 0
        self._head = b""
        self._cutter = LineCutter()
        self._on_truncated(self)
        # It stood in the earlier life, so it says nothing about how far this one is delivered.
        return [line._replace(end=0) for line in rest]


def _data_start(descriptor: int, offset: int) -> int:
    """Return the end of a hole at `offset`; `offset` itself where the file system has no holes."""
    try:
        return os.lseek(descriptor, offset, os.SEEK_DATA)
    except (OSError, AttributeError):
        return offset
