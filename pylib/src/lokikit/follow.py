"""Files and globs followed through rotation: nothing between two looks is missed."""

from __future__ import annotations

import contextlib
import fnmatch
import glob
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lokikit.followed import FileKey, FollowedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from lokikit.lines import Line
    from lokikit.notices import Notices
    from lokikit.positions import Position

DRAIN_S = 30.0
"""A rotated file is read on for this long after its last line: writers may still have it open."""

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")


class Follower:
    """Follows what matches `patterns`, each path through all the files that stand there in turn.

    Files of one path form a chain, oldest first: a newer one is read when the older are at
    their end.

    Args:
        patterns: paths and globs.
        saved: how far files were delivered by an earlier run.
        own: files that this process writes; following them would feed back.
        notices: says what cannot be read and what is lost.
        drain_s: how long a rotated file must have been quiet to be left.
        clock: seconds of a clock that never steps back.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        patterns: Sequence[str],
        *,
        saved: Sequence[Position],
        own: Collection[Path],
        notices: Notices,
        drain_s: float = DRAIN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patterns = [str(Path(pattern).absolute()) for pattern in patterns]
        self._own = {str(path.absolute()) for path in own}
        self._notices = notices
        self._drain_s = drain_s
        self._clock = clock
        self._chains: dict[str, list[FollowedFile]] = {}
        self._keys: set[FileKey] = set()
        self._left_ns: dict[str, int] = {}
        self._quiet_since_s: dict[FileKey, float] = {}
        self._others: list[Position] = []
        for position in saved:
            self._restore(position)

    def look(self) -> None:
        """Open what is new under the patterns."""
        present = {key for path in self._expand() if (key := self._open_current(path))}
        for file in self._files():
            if file.key in present:
                self._quiet_since_s.pop(file.key, None)
            else:
                self._quiet_since_s.setdefault(file.key, self._clock())

    def read(self) -> Iterator[tuple[FollowedFile, list[Line]]]:
        """One chunk of each path that has any, with the file that it stands in."""
        for chain in list(self._chains.values()):
            for file in list(chain):
                if lines := self._next_lines(file):
                    yield file, lines
                if not file.at_end():
                    break

    def positions(self) -> list[Position]:
        """How far each file is delivered, and what earlier runs left about other files."""
        return [*self._others, *(file.position() for file in self._files())]

    def close(self) -> None:
        """Let go of all files."""
        for file in self._files():
            file.close()
        self._chains.clear()

    def _files(self) -> list[FollowedFile]:
        return [file for chain in self._chains.values() for file in chain]

    def _next_lines(self, file: FollowedFile) -> list[Line]:
        lines = file.read()
        quiet_since_s = self._quiet_since_s.get(file.key)
        if lines or quiet_since_s is None or not file.at_end():
            if quiet_since_s is not None:
                self._quiet_since_s[file.key] = self._clock()
        elif self._clock() - quiet_since_s >= self._drain_s:
            lines = file.rest()
            if not lines and file.is_delivered():
                self._leave(file)
        return lines

    def _leave(self, file: FollowedFile) -> None:
        self._chains[file.path].remove(file)
        self._keys.remove(file.key)
        self._left_ns[file.path] = file.mtime_ns
        self._quiet_since_s.pop(file.key, None)
        file.close()

    def _expand(self) -> Iterator[str]:
        for pattern in self._patterns:
            exists = os.path.lexists(pattern)
            for path in [pattern] if exists else sorted(glob.glob(pattern)):  # noqa: PTH207 - absolute
                if path not in self._own:
                    yield path

    def _open_current(self, path: str) -> FileKey | None:
        """The key of the file that stands at `path`, opened when it is new."""
        try:
            status = Path(path).stat()
        except OSError:
            return None
        key = (status.st_dev, status.st_ino)
        if stat.S_ISREG(status.st_mode) and key not in self._keys:
            self._open_skipped(path)
            self._open(path, path)
        return key

    def _open_skipped(self, path: str) -> None:
        """Open what stood at `path` and was rotated away again since the last look."""
        chain = self._chains.get(path)
        if chain:
            since_ns = chain[-1].mtime_ns
        elif path in self._left_ns:
            # The file left last is known no more, and must not be read again.
            since_ns = self._left_ns[path] + 1
        else:
            return
        siblings = [one for one in rotated_files(path) if one.mtime_ns >= since_ns]
        for sibling in sorted(siblings, key=lambda one: one.mtime_ns):
            if sibling.path not in self._own:
                self._open(sibling.path, path)

    def _open(self, where: str, path: str, position: Position | None = None) -> bool:
        """Open the file at `where` as one of `path`; whether it is followed now."""
        try:
            descriptor = os.open(where, os.O_RDONLY)
        except OSError as error:
            self._notices.say(f"open {where}", f"ship: cannot read {where}: {error.strerror}")
            return False
        offset = position.offset if position else 0
        file = FollowedFile(path, descriptor, offset=offset, on_truncated=self._say_truncated)
        if file.key in self._keys or (position and not position.is_of(descriptor)):
            file.close()
            return False
        self._chains.setdefault(path, []).append(file)
        self._keys.add(file.key)
        return True

    def _restore(self, position: Position) -> None:
        places = [one.path for one in files_beside(position.path) if one.inode == position.inode]
        if not any(fnmatch.fnmatchcase(position.path, one) for one in self._patterns):
            self._others += [position] if places else []
        elif not any(self._open(place, position.path, position) for place in places):
            self._left_ns[position.path] = position.mtime_ns
            self._notices.say(
                f"gone {position.path} {position.inode}",
                f"ship: the file that stood at {position.path} (inode {position.inode}) is gone; "
                f"what it held behind byte {position.offset}, if anything, is not delivered",
            )

    def _say_truncated(self, file: FollowedFile) -> None:
        self._notices.say(
            f"truncated {file.path}",
            f"ship: {file.path} was truncated; reading it from its beginning",
        )


class FoundFile(NamedTuple):
    """A regular file of some folder.

    Args:
        path: absolute.
        inode: its number.
        mtime_ns: when it was last written to.
    """

    path: str
    inode: int
    mtime_ns: int


def files_beside(path: str) -> list[FoundFile]:
    """The regular files in the folder of `path`, among them the one at `path`."""
    found = []
    try:
        with os.scandir(Path(path).parent) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # gone since the folder was read
                    status = entry.stat()
                    if stat.S_ISREG(status.st_mode):
                        found.append(FoundFile(entry.path, status.st_ino, status.st_mtime_ns))
    except OSError:
        return []
    return found


def rotated_files(path: str) -> list[FoundFile]:
    """What may once have stood at `path`: `app.log.1`, `app.log-20261121`, but nothing packed."""
    return [
        one
        for one in files_beside(path)
        if one.path.startswith(path) and one.path != path and not one.path.endswith(_COMPRESSED)
    ]
