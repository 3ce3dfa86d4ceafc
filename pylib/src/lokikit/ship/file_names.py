"""The paths that match a pattern, and the names that a rotation gives to a file."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase, translate
from pathlib import Path
from typing import NamedTuple

_ANY_FOLDERS = "**"
_DAY_OR_TIME = r"(?:19|20)\d\d-?(?:0[1-9]|1[0-2])[\dT:._+-]*Z?"
_BEHIND = re.compile(r"[._-]\d[\dT:._+-]*Z?", re.ASCII)
"""Behind the whole name, as logrotate and the handlers of `logging` write: `app.log.1`,
`app.log-20261121`, `app.log.2026-11-21_10-00`."""
_BEFORE_EXTENSION = re.compile(rf"\.\d{{1,4}}|[._-]{{1,2}}{_DAY_OR_TIME}", re.ASCII)
"""Before the extension, as loguru and logrotate's `extension` write: `app.1.log`,
`app.2026-11-21_10-00-00_123456.log`. A long number alone may be the id of a process."""


class FoundFile(NamedTuple):
    """A regular file of some folder, with its absolute path."""

    path: str
    inode: int
    mtime_ns: int


class Expansion(NamedTuple):
    """What a glob finds.

    Args:
        paths: paths that match it, sorted.
        rotated: other files, each with the matching path that it had before a rotation.
    """

    paths: list[str]
    rotated: dict[str, str]


def is_glob(pattern: str) -> bool:
    """Return True when `pattern` matches paths other than itself."""
    return glob.has_magic(pattern) and not os.path.lexists(pattern)


def expand(pattern: str) -> Expansion:
    """Return what an absolute glob finds now; `**` is any number of folders."""
    # A glob with an asterisk at its end matches rotated files itself.
    wide = pattern if pattern.endswith("*") else f"{pattern}*"
    is_match = re.compile(translate(Path(pattern).name)).match
    expansion = Expansion([], {})
    for path in sorted(glob.glob(wide, recursive=True)):  # noqa: PTH207 - absolute globs
        folder, name = os.path.split(path)
        if wide == pattern or is_match(name):
            expansion.paths.append(path)
        elif match := next(filter(is_match, _names_before(name)), None):
            expansion.rotated[path] = os.path.join(folder, match)  # noqa: PTH118 - of two texts
    return expansion


def _names_before(name: str) -> Iterator[str]:
    """Yield the names that a file may have had before a rotation put something behind them."""
    return (name[:end] for end in range(1, len(name)) if _BEHIND.fullmatch(name, end))


def matches(path: str, pattern: str) -> bool:
    """Return True when `expand(pattern)` would find `path` if it were a file."""
    return _matches(Path(path).parts, Path(pattern).parts)


def _matches(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == _ANY_FOLDERS:
        return any(_matches(parts[start:], patterns[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _matches(parts[1:], patterns[1:])


def files_beside(path: str) -> list[FoundFile]:
    """Return the regular files in the folder of `path`, the file at `path` included."""
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


def mtime_ns(path: str) -> int:
    """Return the time of the last write to a file, 0 if it is gone."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - many a second
    except OSError:
        return 0


def inode_at(path: str) -> int | None:
    """Return the inode of the file at a path, `None` if there is none."""
    try:
        return os.stat(path).st_ino  # noqa: PTH116 - as above
    except OSError:
        return None


def rotated_files(path: str) -> list[FoundFile]:
    """Return the files that were at `path` before a rotation, by their names; no packed files."""
    name = Path(path).name
    return [file for file in files_beside(path) if is_rotated(Path(file.path).name, name)]


def is_rotated(name: str, original: str) -> bool:
    """Return True when a rotation gives this name to the file `original`."""
    if name.startswith(original) and _BEHIND.fullmatch(name[len(original) :]):
        return True
    stem, extension = os.path.splitext(original)  # noqa: PTH122 - of a name
    between = name[len(stem) : len(name) - len(extension)]
    return (
        bool(extension)
        and name.startswith(stem)
        and name.endswith(extension)
        and bool(_BEFORE_EXTENSION.fullmatch(between))
    )
