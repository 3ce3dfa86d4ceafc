"""The position up to which each followed file is delivered, on disk, safe from kill -9."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from lokikit.atomic_file import new_name, replace_file
from lokikit.errors import PrerequisiteError, SettingsError

HEAD_BYTES = 256
"""A file is recognized by its inode and this much of its beginning, as inodes are reused."""

_FORM = 1


@dataclass(frozen=True)
class Position:
    """The position up to which a file has been delivered.

    Args:
        path: absolute path under which it was opened, before any rotation.
        device: number of its device.
        inode: number of its inode.
        head_bytes: length of the beginning that `head_sha256` covers.
        head_sha256: hexadecimal.
        offset: offset behind the last line that Loki has acknowledged.
        mtime_ns: time of the last write to the file, as far as it has been read.
    """

    path: str
    device: int
    inode: int
    head_bytes: int
    head_sha256: str
    offset: int
    mtime_ns: int

    def is_of(self, descriptor: int) -> bool:
        """Return True when the open file is the file of this position."""
        head = os.pread(descriptor, self.head_bytes, 0)
        return os.fstat(descriptor).st_ino == self.inode and digest(head) == self.head_sha256


class Positions(NamedTuple):
    """What a run leaves to the next.

    Args:
        files: of each path oldest first.
        old_ns: for paths and globs, the time of the last write to the newest rotated file that is
            done: a file that was written to later is new, though it is rotated when it is found.
    """

    files: Sequence[Position] = ()
    old_ns: Mapping[str, int] = {}


def digest(head: bytes) -> str:
    """Return the fingerprint of the beginning of a file."""
    return hashlib.sha256(head).hexdigest()


class PositionStore:
    """The positions file, locked for this process from `open` to `close`.

    Args:
        path: the file; its folder is made if it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        self._lock = FileLock(self._lock_path)

    def open(self) -> Positions:
        """Lock the file and return its positions.

        Raises:
            PrerequisiteError: another process has locked it, or its folder cannot be written.
            SettingsError: it does not hold positions.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout:
            raise PrerequisiteError(
                f"ship: the positions file {self.path} is in use by another lokikit ship: "
                "stop that one, or give this one its own with --positions."
            ) from None
        except OSError as error:
            raise PrerequisiteError(
                f"ship: cannot write positions to {self.path}: {error.strerror or error}; "
                "choose another place with --positions."
            ) from error
        try:
            return self._load()
        except BaseException:
            self.close()
            raise

    def save(self, positions: Positions) -> None:
        """Replace the content of the file at once, so that kill -9 leaves the old or the new.

        Raises:
            OSError: the disk does not take it; the old file stays.
        """
        files = [asdict(position) for position in positions.files]
        data = {"form": _FORM, "files": files, "old_ns": dict(positions.old_ns)}
        # Not orjson: a file's name may be no UTF-8, and would stop the shipping of all files.
        replace_file(self.path, json.dumps(data).encode("ascii"), durable=True)

    def files(self) -> list[Path]:
        """Return the files that this object writes."""
        return [self.path, new_name(self.path), self._lock_path]

    def close(self) -> None:
        """Unlock the file."""
        self._lock.release()

    def _load(self) -> Positions:
        try:
            data: Any = json.loads(self.path.read_bytes())
            if data["form"] != _FORM:
                raise ValueError(f"form {data['form']} is not form {_FORM}")  # noqa: TRY301 - the handler below adds the fix
            files = [Position(**file) for file in data["files"]]
            # Earlier versions wrote no times.
            times = {path: int(time_ns) for path, time_ns in dict(data.get("old_ns", {})).items()}
            return Positions(files, times)
        except FileNotFoundError:
            return Positions()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise SettingsError(
                f"ship: {self.path} cannot be read as positions ({error}): "
                "remove it to ship the files from their beginning, or choose another --positions."
            ) from error
