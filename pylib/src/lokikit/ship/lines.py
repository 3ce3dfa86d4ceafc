"""Chunks of bytes cut into lines, in bounded memory for any input."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import NamedTuple

from lokikit.fields import MAX_LINE_BYTES

MAX_KEPT_BYTES = 4 * MAX_LINE_BYTES
"""Bytes kept of a line. Above `MAX_LINE_BYTES` the line is cut on its way to Loki, but up to here
its timestamp and service are still read from all of it."""

_LINE_END = b"\n"
_NUL = b"\0"
"""Precedes a line when a file was truncated under a writer that does not append: the writer goes on
at its old offset, and the bytes before are a hole. Also after a power cut."""


class Line(NamedTuple):
    r"""A line without its line end (`\n` or `\r\n`).

    Args:
        raw: the line, or its first `MAX_KEPT_BYTES`, without NUL bytes in front; the first line
            without a byte order mark.
        end: offset behind its line end.
    """

    raw: bytes
    end: int


class LineCutter:
    """Cuts chunks into lines, and keeps the unfinished rest.

    Args:
        start: offset of the first byte that will be fed.
    """

    def __init__(self, start: int = 0) -> None:
        self.fed = start
        """Offset behind the last byte fed."""
        self._at_beginning = start == 0
        self._kept = bytearray()
        self._unfinished = False

    def feed(self, chunk: bytes) -> list[Line]:
        """Return the lines that `chunk` finishes."""
        parts = chunk.split(_LINE_END)
        rest = parts.pop()
        lines = []
        for part in parts:
            self.fed += len(part) + 1
            lines.append(Line(self._finish(part), self.fed))
        if rest:
            self.fed += len(rest)
            self._keep(rest)
        return lines

    def skip(self, offset: int) -> None:
        """Skip a hole: the next chunk begins at `offset`."""
        self._unfinished = True
        self.fed = offset

    def rest(self) -> Line | None:
        """Return the last line, when it has no line end and will get none."""
        return Line(self._finish(b""), self.fed) if self._unfinished else None

    def _finish(self, part: bytes) -> bytes:
        if self._unfinished:
            self._keep(part)
            part = bytes(self._kept)
            self._kept = bytearray()
            self._unfinished = False
        raw = (part[:-1] if part.endswith(b"\r") else part).lstrip(_NUL)
        if self._at_beginning:
            self._at_beginning = False
            raw = raw.removeprefix(BOM_UTF8)
        return raw[:MAX_KEPT_BYTES]

    def _keep(self, part: bytes) -> None:
        if not self._kept:
            part = part.lstrip(_NUL)
        self._unfinished = True
        # One byte more than is kept of a line, or its \r would be mistaken for text.
        self._kept += part[: MAX_KEPT_BYTES + 1 - len(self._kept)]
