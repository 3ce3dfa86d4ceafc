"""Where entries come from: followed files, which remember, and a pipe, which cannot."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lokikit.entry import ArrivalClock, Entry, LineReader
from lokikit.fields import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lokikit.follow import Follower
    from lokikit.followed import FollowedFile
    from lokikit.lines import Line
    from lokikit.notices import Notices
    from lokikit.positions import PositionStore
    from lokikit.stdin import PipeReader


class Mark(NamedTuple):
    """How far a file is delivered when a line of it is.

    Args:
        life: how often the file had been truncated.
        offset: behind the line.
    """

    life: int
    offset: int


class Item(NamedTuple):
    """One line on its way.

    Args:
        entry: what Loki gets; `None` for a blank line, which is no event.
        size_bytes: its length.
        file: the file that it stood in, `None` for a pipe.
        mark: how far `file` is delivered with it.
    """

    entry: Entry | None
    size_bytes: int
    file: FollowedFile | None = None
    mark: Mark = Mark(0, 0)


class Source(Protocol):
    """What a shipper reads from."""

    durable: bool
    """Whether what was not acknowledged is there again at the next start."""
    ended: bool
    """Whether nothing more will come."""

    def look(self) -> None:
        """Do what has to be done a few times a second."""

    def items(self) -> Iterator[Item]:
        """The lines that are there now, one round over everything; read as they are taken."""

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Remember that Loki has everything up to `marks`."""

    def wait(self, timeout_s: float) -> None:
        """Wait for more to come, at most `timeout_s`."""

    def stop(self) -> None:
        """Come to an end."""

    def close(self) -> None:
        """Let go of everything."""


class FileSource:
    """Lines of followed files.

    Args:
        follower: opens and reads them.
        store: remembers how far they are delivered.
        service: of lines that name none; `None` means the stem of the file's name.
        host: the platform metadata.
        notices: says when positions cannot be saved.
    """

    durable = True

    def __init__(
        self,
        follower: Follower,
        store: PositionStore,
        *,
        service: str | None,
        host: str,
        notices: Notices,
    ) -> None:
        self.ended = False
        self._follower = follower
        self._store = store
        self._service = service
        self._platform = {HOST: host}
        self._notices = notices
        self._arrivals = ArrivalClock()
        self._readers: dict[str, LineReader] = {}

    def look(self) -> None:
        """Open what is new, and remember it before it can be rotated away."""
        if self._follower.look():
            self._save()

    def items(self) -> Iterator[Item]:
        """One chunk of each file."""
        if self.ended:
            return
        for file, lines in self._follower.read():
            reader = self._reader(file.path)
            for line in lines:
                entry = reader.read(line.raw) if line.raw else None
                yield Item(entry, len(line.raw), file, Mark(file.lives, line.end))

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Save the positions."""
        for file, mark in marks.items():
            file.acknowledge(mark.life, mark.offset)
        self._save()

    def wait(self, timeout_s: float) -> None:
        """Wait: there is no portable way to be told that a file has grown."""
        time.sleep(timeout_s)

    def stop(self) -> None:
        """Read no more; what is left stands in the files."""
        self.ended = True

    def close(self) -> None:
        """Close the files and unlock the positions."""
        self._follower.close()
        self._store.close()

    def _save(self) -> None:
        try:
            self._store.save(self._follower.positions())
        except OSError as error:
            self._notices.say(
                "positions",
                f"ship: cannot save positions to {self._store.path}: {error.strerror}; "
                "a restart now would send lines twice",
            )

    def _reader(self, path: str) -> LineReader:
        if path not in self._readers:
            service = self._service or Path(path).stem
            self._readers[path] = LineReader(service, self._platform, self._arrivals)
        return self._readers[path]


class PipeSource:
    """Lines of a pipe.

    Args:
        pipe: reads it.
        service: of lines that name none.
        host: the platform metadata.
    """

    durable = False

    def __init__(self, pipe: PipeReader, *, service: str | None, host: str) -> None:
        self.ended = False
        self._pipe = pipe
        self._stopping = False
        self._reader = LineReader(service, {HOST: host}, ArrivalClock())

    def look(self) -> None:
        """Nothing has to be done."""

    def items(self) -> Iterator[Item]:
        """What stands in the pipe."""
        lines: list[Line] = [] if self.ended else self._pipe.read()
        # Told to stop, it still takes in what was written before: the writer thinks it safe.
        self.ended = self._pipe.ended or (self._stopping and not lines)
        for line in lines:
            yield Item(self._reader.read(line.raw) if line.raw else None, len(line.raw))

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """A pipe remembers nothing."""

    def wait(self, timeout_s: float) -> None:
        """Wait for the writer."""
        self._pipe.wait(timeout_s)

    def stop(self) -> None:
        """End with what has been written by now."""
        self._stopping = True

    def close(self) -> None:
        """A pipe is closed with the process."""
