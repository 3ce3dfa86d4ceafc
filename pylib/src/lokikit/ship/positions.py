"""How far each followed file has been delivered, kept on disk through any kind of death."""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import orjson
from filelock import FileLock, Timeout

from lokikit.atomic_file import new_name, replace_file
from lokikit.errors import PrerequisiteError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HEAD_BYTES = 256
"""A file is known again by its inode and this much of its beginning: inodes are used again."""

_FORM = 1


@dataclass(frozen=True)
class Position:
    """How far one file has been delivered.

    Args:
        path: the absolute path that it was found under, before any rotation.
        device: number of its device.
        inode: number of its inode.
        head_bytes: length of the beginning that `head_sha256` is of.
        head_sha256: hexadecimal.
        offset: the offset behind the last line that Loki has acknowledged.
        mtime_ns: when the file was last written to, as far as it has been read.
    """

    path: str
    device: int
    inode: int
    head_bytes: int
    head_sha256: str
    offset: int
    mtime_ns: int

    def is_of(self, descriptor: int) -> bool:
        """Whether the open file is the one that this position is of."""
        head = os.pread(descriptor, self.head_bytes, 0)
        return os.fstat(descriptor).st_ino == self.inode and digest(head) == self.head_sha256


def digest(head: bytes) -> str:
    """The fingerprint of the beginning of a file."""
    return hashlib.sha256(head).hexdigest()


class PositionStore:
    """The positions file, locked for this process from `open` to `close`.

    Args:
        path: the file; its folder is made when it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock_path = self.path.with_name(f"{self.path.name}.lock")
        self._lock = FileLock(self._lock_path)

    def open(self) -> list[Position]:
        """Lock the file and give the positions that it holds.

        Raises:
            PrerequisiteError: another process has it, or its folder cannot be written.
            SettingsError: it holds something else than positions.
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

    def save(self, positions: Iterable[Position]) -> None:
        """Replace what the file holds, through any kind of death.

        Raises:
            OSError: the disk does not take it; the old file still stands.
        """
        data = {"form": _FORM, "files": [asdict(position) for position in positions]}
        replace_file(self.path, orjson.dumps(data, option=orjson.OPT_INDENT_2), durable=True)

    def files(self) -> list[Path]:
        """All that this object writes."""
        return [self.path, new_name(self.path), self._lock_path]

    def close(self) -> None:
        """Let another process have it."""
        self._lock.release()

    def _load(self) -> list[Position]:
        try:
            data: Any = orjson.loads(self.path.read_bytes())
            if data["form"] != _FORM:
                raise ValueError(f"form {data['form']} is not form {_FORM}")  # noqa: TRY301 - one way out
            return [Position(**file) for file in data["files"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"ship: {self.path} cannot be read as positions ({error}): "
                "remove it to ship the files from their beginning, or choose another --positions."
            ) from error
