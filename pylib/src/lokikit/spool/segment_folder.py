"""The folder of a spool: the names of new segments, and the size of other segments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from lokikit.atomic_file import sync_folder
from lokikit.spool.segment import SpoolSegment, segment_paths


class SegmentFolder:
    """Creates and lists segments in a folder that processes may share.

    Args:
        path: made, for its owner only, if it does not exist.
        sync: True syncs the folder after each new segment, so that a power cut does not lose it.
        time_s: clock in seconds since 1970.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, path: Path, *, sync: bool, time_s: Callable[[], float]) -> None:
        self.path = path
        self._sync = sync
        self._time_s = time_s
        self._numbers = 0
        self._last_ns = 0
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, since_ns: int | None = None) -> SpoolSegment:
        """Create a segment; its name sorts by `since_ns`, which is now by default.

        Raises:
            OSError: the disk is full or read-only.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if since_ns is None:
            # Own segments stay in order when the clock steps back.
            since_ns = self._last_ns = max(self._last_ns, int(self._time_s() * 1e9))
        while True:
            self._numbers += 1
            name = f"{since_ns:020d}-{os.getpid():010d}-{self._numbers % 1_000_000:06d}.spool"
            if segment := SpoolSegment.create(self.path / name):
                if self._sync:
                    with suppress(OSError):  # some network disks cannot
                        sync_folder(self.path)
                return segment

    def others(self, own: Iterable[SpoolSegment]) -> list[Path]:
        """Return the segments that are not among `own`, oldest first."""
        names = {segment.path.name for segment in own}
        return [path for path in segment_paths(self.path) if path.name not in names]

    def others_bytes(self, own: Iterable[SpoolSegment]) -> int:
        """Return how many bytes the segments that are not among `own` take on disk."""
        return sum(_size_bytes(path) for path in self.others(own))


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # another process has deleted it
        return 0
