"""The guard against a full disk: pushes are refused while too little is free."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from lokikit.store.errors import PushError

UNAVAILABLE = 503
_EVERY_S = 0.2


def free_bytes(path: Path) -> int:
    """Bytes that this process may still write there."""
    return shutil.disk_usage(path).free


class DiskGuard:
    """Refuses pushes while the disk has less free space than `min_free_bytes`.

    No stored line is deleted for room: the sender keeps its lines and repeats them,
    and pushes are taken again as soon as there is room.
    """

    def __init__(
        self,
        folder: Path,
        min_free_bytes: int,
        measure: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._min_free_bytes = folder, min_free_bytes
        self._measure, self._clock = measure, clock
        self._checked_s = -_EVERY_S
        self._free = 0

    def check(self) -> None:
        """Return when there is room.

        Raises:
            PushError: with status 503.
        """
        now_s = self._clock()
        if now_s - self._checked_s >= _EVERY_S or self._free < self._min_free_bytes:
            self._free, self._checked_s = self._measure(self._folder), now_s
        if self._free < self._min_free_bytes:
            raise PushError(
                f"the disk of {self._folder} has {self._free >> 20} MB free, less than the "
                f"{self._min_free_bytes >> 20} MB that the store keeps free: pushes are refused "
                "until there is room",
                UNAVAILABLE,
            )
