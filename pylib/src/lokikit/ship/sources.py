"""Sources of entries: followed files, which keep positions, and a pipe, which cannot."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lokikit.delivery.entry import ArrivalClock, Entry, EntryReader
from lokikit.delivery.equal_lines import EqualLines
from lokikit.fields import HOST
from lokikit.ship.tracebacks import Event, Joiner

if TYPE_CHECKING:
    from lokikit.notices import Notices
    from lokikit.ship.file_follower import FileFollower
    from lokikit.ship.followed_file import FollowedFile
    from lokikit.ship.lines import Line
    from lokikit.ship.pipe import PipeReader
    from lokikit.ship.positions import PositionStore


class Mark(NamedTuple):
    """The position of a file once a line of it is delivered.

    Args:
        life: number of truncations of the file before.
        offset: offset behind the line.
    """

    life: int
    offset: int


class Item(NamedTuple):
    """An event on its way.

    Args:
        entry: entry for Loki; `None` for a blank line, which is no event.
        size_bytes: size of its line.
        file: the file that holds it, `None` for a pipe.
        mark: position of `file` once it is delivered.
        lines: number of lines read for it.
        blank: number of blank lines among these.
    """

    entry: Entry | None
    size_bytes: int
    file: FollowedFile | None = None
    mark: Mark = Mark(0, 0)
    lines: int = 1
    blank: int = 0


class Source(Protocol):
    """A source for a shipper."""

    durable: bool
    """True when lines that were not acknowledged are there again at the next start."""
    ended: bool
    """True when nothing more will come."""

    def look(self) -> None:
        """Do the work that is due a few times a second."""

    def items(self) -> Iterator[Item]:
        """Yield the lines that are there now, in a round over all files; read lazily."""

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Record that Loki has everything up to `marks`."""

    def rest(self) -> Iterator[Item]:
        """Yield the events that were held because more lines might belong to them."""

    def wait(self, timeout_s: float) -> None:
        """Wait for more lines, at most `timeout_s`."""

    def stop(self) -> None:
        """End the source."""

    def close(self) -> None:
        """Close everything."""


class _EventReader:
    """Makes events of the lines of one source, and never joins lines of two files.

    Args:
        service: service of lines that name no service.
        platform: structured metadata that only the carrier knows.
        arrivals: clock for the arrival time.
        sent: lines that other readers of the same carrier have sent lately.
    """

    def __init__(
        self,
        service: str | None,
        platform: Mapping[str, str],
        arrivals: ArrivalClock,
        sent: EqualLines | None = None,
    ) -> None:
        self._reader = EntryReader(service, platform, arrivals, sent)
        self._joiner = Joiner(arrivals)
        self._place: tuple[FollowedFile | None, int] = (None, 0)

    def read(self, lines: list[Line], file: FollowedFile | None = None) -> Iterator[Item]:
        """Yield the events that are complete with the next lines of `file`."""
        place = (file, file.lives if file else 0)
        if place != self._place:
            yield from self.rest()
            self._place = place
        life = place[1]
        for line in lines:
            if self._joiner.stands_alone(line.raw):
                entry = self._reader.read(line.raw)
                yield Item(entry, len(line.raw), file, Mark(life, line.end))
            else:
                yield from map(self._item, self._joiner.feed(line))

    def rest(self) -> Iterator[Item]:
        """Yield the events that are held."""
        return map(self._item, self._joiner.flush())

    def expire(self, now_s: float) -> Iterator[Item]:
        """Yield the events that have been held long enough at `now_s`."""
        return map(self._item, self._joiner.expire(now_s))

    def _item(self, event: Event) -> Item:
        file, life = self._place
        entry = self._reader.read(event.raw, event.arrived_ns) if event.raw else None
        mark = Mark(life, event.end)
        return Item(entry, len(event.raw), file, mark, event.lines + event.blank, event.blank)


class FileSource:
    """Lines of followed files.

    Args:
        follower: opens and reads them.
        store: saves their positions.
        service: service of lines that name no service; by default the stem of the file's name.
        host: platform metadata.
        notices: reports that positions cannot be saved.
    """

    durable = True

    def __init__(
        self,
        follower: FileFollower,
        store: PositionStore,
        *,
        service: str | None,
        host: str,
        notices: Notices,
    ) -> None:
        self.ended = False
        # From the start: a file may come, be rotated and the process killed before the next look.
        self._unsaved = True
        self._follower = follower
        self._store = store
        self._service = service
        self._platform = {HOST: host}
        self._notices = notices
        self._arrivals = ArrivalClock()
        self._sent = EqualLines()
        self._readers: dict[str, _EventReader] = {}

    def look(self) -> None:
        """Open new files, and save them before they can be rotated away."""
        self._unsaved |= self._follower.look()
        if self._unsaved:
            self._save()

    def items(self) -> Iterator[Item]:
        """Yield a chunk of each file, and the events that were held long enough."""
        if self.ended:
            yield from self.rest()
            return
        now_s = time.monotonic()
        for file, lines in self._follower.read():
            yield from self._reader(file.path).read(lines, file)
        for reader in self._readers.values():
            yield from reader.expire(now_s)

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Save the positions."""
        for file, mark in marks.items():
            file.acknowledge(mark.life, mark.offset)
        self._save()

    def rest(self) -> Iterator[Item]:
        """Yield the events that are held of each file."""
        return chain.from_iterable([reader.rest() for reader in self._readers.values()])

    def wait(self, timeout_s: float) -> None:
        """Wait: no portable call reports that a file has grown."""
        time.sleep(timeout_s)

    def stop(self) -> None:
        """Read no more; the rest stays in the files."""
        self.ended = True

    def close(self) -> None:
        """Close the files and unlock the positions."""
        self._follower.close()
        self._store.close()

    def _save(self) -> None:
        try:
            self._store.save(self._follower.positions())
            self._unsaved = False
        except OSError as error:
            self._unsaved = True
            self._notices.say(
                "positions",
                f"ship: cannot save positions to {self._store.path}: {error.strerror}; "
                "a restart now would send lines twice, and miss files rotated until then",
            )

    def _reader(self, path: str) -> _EventReader:
        if path not in self._readers:
            service = self._service or Path(path).stem
            self._readers[path] = _EventReader(service, self._platform, self._arrivals, self._sent)
        return self._readers[path]


class PipeSource:
    """Lines of a pipe; `service` is for lines that name none."""

    durable = False

    def __init__(self, pipe: PipeReader, *, service: str | None, host: str) -> None:
        self.ended = False
        self._pipe = pipe
        self._stopping = False
        self._reader = _EventReader(service, {HOST: host}, ArrivalClock())

    def look(self) -> None:
        """Do nothing."""

    def items(self) -> Iterator[Item]:
        """Yield the lines in the pipe."""
        lines: list[Line] = [] if self.ended else self._pipe.read()
        # After a stop, lines written before it are still read: the writer counts on that.
        self.ended = self._pipe.ended or (self._stopping and not lines)
        now_s = time.monotonic()
        yield from self._reader.read(lines)
        yield from self.rest() if self.ended else self._reader.expire(now_s)

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Do nothing: a pipe has no positions."""

    def rest(self) -> Iterator[Item]:
        """Yield the events that are held."""
        return self._reader.rest()

    def wait(self, timeout_s: float) -> None:
        """Wait for the writer."""
        self._pipe.wait(timeout_s)

    def stop(self) -> None:
        """End with the lines that have been written by now."""
        self._stopping = True

    def close(self) -> None:
        """Do nothing: a pipe is closed with the process."""
