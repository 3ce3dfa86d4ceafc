"""Files and globs followed through rotation, without missing a file between two looks."""

from __future__ import annotations

import itertools
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.ship.file_names import expand, files_beside, is_glob, matches, rotated_files
from lokikit.ship.followed_file import FileKey, FollowedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from lokikit.notices import Notices
    from lokikit.ship.lines import Line
    from lokikit.ship.positions import Position

DRAIN_S = 30.0
"""A rotated file is read for this long after its last line: a writer may still have it open."""


class FileFollower:
    """Follows all paths that match `patterns`, each through its rotated files.

    Files of the same path form a chain, oldest first: a newer file is read when the older files are
    at their end.

    Args:
        patterns: paths and globs.
        saved: positions up to which an earlier run delivered files.
        own: files that this process writes; following them would feed back.
        notices: prints files that cannot be read, and losses.
        drain_s: seconds without a new line after which a rotated file is closed.
        clock: seconds of a monotonic clock.
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
        self._globs = [pattern for pattern in self._patterns if is_glob(pattern)]
        self._paths = [pattern for pattern in self._patterns if not is_glob(pattern)]
        self._own = {str(path.absolute()) for path in own}
        self._notices = notices
        self._drain_s = drain_s
        self._clock = clock
        self._chains: dict[str, list[FollowedFile]] = {}
        self._keys: set[FileKey] = set()
        self._left_ns: dict[str, int] = {}
        self._quiet_since_s: dict[FileKey, float] = {}
        self._waiting: set[str] = set()
        self._others: list[Position] = []
        for position in saved:
            self._restore(position)
        for path in self._paths:
            self._expect(path)

    def look(self) -> bool:
        """Open new files and close finished files; return True if the set changed."""
        before = set(self._keys)
        present = {key for path in self._expand() if (key := self._open_current(path))}
        for file in self._files():
            if file.key in present:
                self._quiet_since_s.pop(file.key, None)
            else:
                self._quiet_since_s.setdefault(file.key, self._clock())
            if self._is_drained(file) and file.is_delivered():
                self._leave(file)
        return self._keys != before

    def read(self) -> Iterator[tuple[FollowedFile, list[Line]]]:
        """Yield a chunk of lines of each path that has new lines, with their file."""
        for chain in list(self._chains.values()):
            for file in list(chain):
                if lines := file.read():
                    if file.key in self._quiet_since_s:
                        self._quiet_since_s[file.key] = self._clock()
                    yield file, lines
                elif self._is_drained(file) and (lines := file.rest()):
                    yield file, lines
                if not file.at_end():
                    break

    def positions(self) -> list[Position]:
        """Return the position of each file, and positions of earlier runs for other files."""
        return [*self._others, *(file.position() for file in self._files())]

    def close(self) -> None:
        """Close all files."""
        for file in self._files():
            file.close()
        self._chains.clear()

    def _files(self) -> list[FollowedFile]:
        return [file for chain in self._chains.values() for file in chain]

    def _is_drained(self, file: FollowedFile) -> bool:
        """Return True when the file was rotated and no writer is expected to use it."""
        since_s = self._quiet_since_s.get(file.key)
        drained = since_s is not None and self._clock() - since_s >= self._drain_s
        return drained and file.at_end()

    def _leave(self, file: FollowedFile) -> None:
        self._chains[file.path].remove(file)
        self._keys.remove(file.key)
        self._left_ns[file.path] = file.mtime_ns
        self._quiet_since_s.pop(file.key, None)
        file.close()

    def _expand(self) -> Iterable[str]:
        """Return each path that a file may have, once."""
        found = [self._expand_glob(pattern) for pattern in self._globs]
        # A path may be empty while its file is already rotated away.
        met = [path for path, chain in self._chains.items() if chain]
        return dict.fromkeys([*self._paths, *met, *itertools.chain.from_iterable(found)])

    def _expand_glob(self, pattern: str) -> list[str]:
        paths = expand(pattern)
        if not paths:
            self._say_once(pattern, f"no file matches {pattern} yet; waiting for one")
        return paths

    def _open_current(self, path: str) -> FileKey | None:
        """Return the key of the file at `path`; open the file if it is new."""
        if path in self._own:
            return None
        try:
            status = Path(path).stat()
        except OSError as error:
            self._open_skipped(path)
            if path not in self._chains:
                self._say_once(path, f"no file at {path} yet ({error.strerror}); waiting for it")
            return None
        key = (status.st_dev, status.st_ino)
        if not stat.S_ISREG(status.st_mode):
            if path in self._paths:
                self._say_once(path, f"{path} is {_kind(status.st_mode)}; waiting for a file there")
        elif key not in self._keys:
            self._open_skipped(path)
            self._open(path, path)
        return key

    def _open_skipped(self, path: str) -> None:
        """Open the files that came to `path` and were rotated away since the last look."""
        chain = self._chains.get(path)
        if chain:
            since_ns = chain[-1].mtime_ns
        elif path in self._left_ns:
            # The file left last is known no more, and must not be read again.
            since_ns = self._left_ns[path] + 1
        else:
            return
        siblings = [file for file in rotated_files(path) if file.mtime_ns >= since_ns]
        for sibling in sorted(siblings, key=lambda file: file.mtime_ns):
            if sibling.path not in self._own:
                self._open(sibling.path, path)

    def _open(self, where: str, path: str, position: Position | None = None) -> bool:
        """Open the file at `where` as a file of `path`; return True when it is followed."""
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
        places = [file.path for file in files_beside(position.path) if file.inode == position.inode]
        if not self._is_followed(position.path):
            self._others += [position] if places else []
        elif not any(self._open(place, position.path, position) for place in places):
            self._left_ns[position.path] = position.mtime_ns
            self._notices.say(
                f"gone {position.path} {position.inode}",
                f"ship: the file that stood at {position.path} (inode {position.inode}) is gone; "
                f"what it held behind byte {position.offset}, if anything, is not delivered",
            )

    def _is_followed(self, path: str) -> bool:
        """Return True when a pattern is this path, which may hold brackets, or a glob for it."""
        globs = self._globs
        return path in self._patterns or any(matches(path, pattern) for pattern in globs)

    def _expect(self, path: str) -> None:
        """Remember the files that were rotated before `path` had a file: they are not followed."""
        if path not in self._chains and path not in self._left_ns and not os.path.lexists(path):
            self._left_ns[path] = max((file.mtime_ns for file in rotated_files(path)), default=0)

    def _say_once(self, path: str, text: str) -> None:
        """Report that a path is not read, once for each path or glob."""
        if path not in self._waiting:
            self._waiting.add(path)
            self._notices.say(f"wait {path}", f"ship: {text}")

    def _say_truncated(self, file: FollowedFile) -> None:
        self._notices.say(
            f"truncated {file.path}",
            f"ship: {file.path} was truncated; reading it from its beginning",
        )


def _kind(mode: int) -> str:
    """Return the kind of a path that is no file, with the fix."""
    if stat.S_ISDIR(mode):
        return "a folder: name its files, as in '…/*.log' or '…/**/*.log'"
    return "no regular file: pipe it in (lokikit ship < …)"
