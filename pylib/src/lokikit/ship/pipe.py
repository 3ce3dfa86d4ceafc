"""Lines of a pipe, read as they arrive."""

from __future__ import annotations

import os
import select

from lokikit.ship.lines import Line, LineCutter

CHUNK_BYTES = 64 * 1024


class PipeReader:
    """Reads a pipe to its end; a full pipe holds its writer up."""

    def __init__(self, descriptor: int) -> None:
        self.ended = False
        self._descriptor = descriptor
        self._cutter = LineCutter()

    def read(self) -> list[Line]:
        """Return the lines that are in the pipe now, possibly none."""
        if self.ended or not self.wait(0):
            return []
        if chunk := os.read(self._descriptor, CHUNK_BYTES):
            return self._cutter.feed(chunk)
        self.ended = True
        line = self._cutter.rest()
        return [line] if line else []

    def wait(self, timeout_s: float) -> bool:
        """Wait at most `timeout_s` for bytes to read; return True when there are some."""
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])
