"""Files and globs followed through rotation, without missing a file between two looks."""

from __future__ import annotations

import itertools
import os
import stat
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.ship.file_names import (
    expand,
    files_beside,
    inode_at,
    is_glob,
    matches,
    mtime_ns,
    rotated_files,
)
from lokikit.ship.followed_file import FileKey, FollowedFile
from lokikit.ship.positions import Position, Positions

if TYPE_CHECKING:
    from lokikit.notices import Notices
    from lokikit.ship.lines import Line

DRAIN_S = 30.0
"""A rotated file is read for this long after its last line: a writer may still have it open."""
_TRIES = 3
"""A file may be renamed between the reading of its folder and its opening."""


class FileFollower:
    """Follows all paths that match `patterns`, each through its rotated files.

    Files of the same path form a chain, oldest first: a newer file is read when the older files are
    at their end.

    Args:
        patterns: paths and globs.
        saved: positions of an earlier run.
        own: files that this process writes; following them would feed back.
        notices: prints files that cannot be read, and losses.
        drain_s: seconds without a new line after which a rotated file is closed.
        clock: seconds of a monotonic clock.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        patterns: Sequence[str],
        *,
        saved: Positions,
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
        self._old_ns: dict[str, int] = {}
        self._quiet_since_s: dict[FileKey, float] = {}
        self._waiting: set[str] = set()
        self._others: list[Position] = []
        for pattern, old_ns in saved.old_ns.items():
            if pattern in self._patterns or is_glob(pattern) or rotated_files(pattern):
                self._old_ns[pattern] = old_ns
        for position in saved.files:
            self._restore(position)
        for pattern in self._patterns:
            self._expect(pattern)

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

    def positions(self) -> Positions:
        """Return what the next run needs to know, also of files that only earlier runs followed."""
        files = [*self._others, *(file.position() for file in self._files())]
        return Positions(files, self._old_ns)

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
        self._finish(file.path, file.mtime_ns)
        self._quiet_since_s.pop(file.key, None)
        file.close()

    def _expand(self) -> Iterable[str]:
        """Return each path that a file may have, once."""
        found = [self._expand_glob(pattern) for pattern in self._globs]
        # A path may be empty while its file is already rotated away.
        met = [path for path, chain in self._chains.items() if chain]
        return dict.fromkeys([*self._paths, *met, *itertools.chain.from_iterable(found)])

    def _expand_glob(self, pattern: str) -> list[str]:
        paths, rotated = expand(pattern)
        if not paths:
            self._say_once(pattern, f"no file matches {pattern} yet; waiting for one")
        old_ns = self._old_ns[pattern]
        return paths + [
            path
            for where, path in rotated.items()
            if not self._is_known(path) and mtime_ns(where) > old_ns
        ]

    def _open_current(self, path: str) -> FileKey | None:
        """Return the key of the file at `path`; open the file if it is new."""
        if path in self._own:
            return None
        try:
            status = Path(path).stat()
        except OSError as error:
            self._open_skipped(path, None)
            if path not in self._chains:
                self._say_once(path, f"no file at {path} yet ({error.strerror}); waiting for it")
            return None
        key = (status.st_dev, status.st_ino)
        if not stat.S_ISREG(status.st_mode):
            if path in self._paths:
                self._say_once(path, f"{path} is {_kind(status.st_mode)}; waiting for a file there")
        elif key not in self._keys and self._open_skipped(path, status.st_ino):
            self._open(path, status.st_ino, path)
        return key

    def _open_skipped(self, path: str, inode: int | None) -> bool:
        """Open the files that came to `path` and were rotated away since the last look.

        Return False when a rotation came between: a newer file must not be opened before an older
        file, which would be taken for done. The next look finds the rest.

        Args:
            path: the path that they had.
            inode: that of the file at `path` before.
        """
        known = self._is_known(path)
        since_ns = self._since_ns(path)
        siblings = [file for file in rotated_files(path) if file.mtime_ns >= since_ns]
        if inode_at(path) != inode:
            return False
        for sibling in sorted(siblings, key=lambda file: file.mtime_ns):
            if sibling.path in self._own or (not known and self._is_followed(sibling.path)):
                continue
            opened = self._open(sibling.path, sibling.inode, path)
            if not opened and inode_at(sibling.path) != sibling.inode:
                return False
        return True

    def _is_known(self, path: str) -> bool:
        return path in self._chains or path in self._old_ns

    def _since_ns(self, path: str) -> int:
        """Return the time since which a rotated file of `path` was written to, if it is new."""
        # The newest file that is done is open no more, and must not be read again.
        times = [self._old_ns[path] + 1] if path in self._old_ns else []
        times += [file.mtime_ns for file in self._chains.get(path, [])[-1:]]
        globs = [glob for glob in self._globs if matches(path, glob)]
        return max(times) if times else min(self._old_ns[glob] for glob in globs) + 1

    def _finish(self, path: str, old_ns: int) -> None:
        """Remember that files of `path` that were last written to by `old_ns` are done."""
        self._old_ns[path] = max(old_ns, self._old_ns.get(path, 0))

    def _open(self, where: str, inode: int, path: str, position: Position | None = None) -> bool:
        """Open the file `inode` at `where` as a file of `path`; return True when it is followed."""
        try:
            descriptor = os.open(where, os.O_RDONLY)
        except OSError as error:
            self._notices.say(f"open {where}", f"ship: cannot read {where}: {error.strerror}")
            return False
        offset = position.offset if position else 0
        file = FollowedFile(path, descriptor, offset=offset, on_truncated=self._say_truncated)
        other = file.key[1] != inode or (position and not position.is_of(descriptor))
        if other or file.key in self._keys:
            file.close()
            return False
        self._chains.setdefault(path, []).append(file)
        self._keys.add(file.key)
        return True

    def _restore(self, position: Position) -> None:
        places = self._places(position)
        if not self._is_followed(position.path):
            self._others += [position] if places else []
        elif places and not position.head_bytes:
            # It was empty. Another file may have its inode by now.
            self._finish(position.path, position.mtime_ns - 1)
        elif not any(self._reopen(position) for _ in range(_TRIES)):
            self._finish(position.path, position.mtime_ns)
            self._notices.say(
                f"gone {position.path} {position.inode}",
                f"ship: the file that stood at {position.path} (inode {position.inode}) is gone; "
                f"what it held behind byte {position.offset}, if anything, is not delivered",
            )

    def _reopen(self, position: Position) -> bool:
        places = self._places(position)
        return any(self._open(at, position.inode, position.path, position) for at in places)

    def _places(self, position: Position) -> list[str]:
        return [file.path for file in files_beside(position.path) if file.inode == position.inode]

    def _is_followed(self, path: str) -> bool:
        """Return True when a pattern is this path, which may hold brackets, or a glob for it."""
        globs = self._globs
        return path in self._patterns or any(matches(path, pattern) for pattern in globs)

    def _expect(self, pattern: str) -> None:
        """Remember the files that were rotated before the first start: they are not followed."""
        if self._is_known(pattern):
            return
        if pattern in self._globs:
            times_ns = [mtime_ns(path) for path in expand(pattern).rotated]
        else:
            times_ns = [file.mtime_ns for file in rotated_files(pattern)]
        self._old_ns[pattern] = max(times_ns, default=0)

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
