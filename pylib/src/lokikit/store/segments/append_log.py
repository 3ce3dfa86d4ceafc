"""One append log: records that are on the disk when `append` returns."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from lokikit.atomic_file import sync_folder
from lokikit.store.segments.records import AppendRecord, Damage, encode_record, read_records

_NAME = re.compile(r"log-(\d{10})")


def log_path(folder: Path, number: int) -> Path:
    """The file of the log with this number."""
    return folder / f"log-{number:010}"


def log_number(path: Path) -> int | None:
    """The number in the name of a log; None for other files."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else None


def open_unbuffered(path: Path) -> BinaryIO:
    """The file for appending; a test passes its own to see a full disk."""
    return path.open("ab", buffering=0)


class AppendLog:
    """A log file for writing, created when absent; records are appended to an existing one."""

    def __init__(self, path: Path, opened: Callable[[Path], BinaryIO] = open_unbuffered) -> None:
        self.path = path
        is_new = not path.exists()
        self._file = opened(path)
        self.size = path.stat().st_size
        self._is_torn = False
        if is_new:
            sync_folder(path.parent)

    def append(self, payloads: Sequence[bytes]) -> None:
        """Return when a record for each payload is on the disk.

        Raises:
            OSError: none of them is in the log.
        """
        self._cut()
        data = b"".join(map(encode_record, payloads))
        self._is_torn = True
        self._write(data)
        os.fsync(self._file.fileno())
        self._is_torn = False
        self.size += len(data)

    def _write(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError:
            self._cut()
            raise

    def _cut(self) -> None:
        """Remove what a failed append left behind the last whole record."""
        if self._is_torn:
            os.ftruncate(self._file.fileno(), self.size)
            os.fsync(self._file.fileno())
            self._is_torn = False

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_log(path: Path) -> tuple[list[bytes], list[Damage]]:
    """The payloads of a log's intact records, and the damage between them."""
    records: list[bytes] = []
    damages: list[Damage] = []
    for item in read_records(path.read_bytes()):
        if isinstance(item, AppendRecord):
            records.append(item.payload)
        else:
            damages.append(item)
    return records, damages


def cut_torn_end(path: Path, damages: Sequence[Damage]) -> list[Damage]:
    """Cut the record that a kill left incomplete; return the damage that is more than that."""
    if damages and damages[-1].torn:
        os.truncate(path, damages[-1].start)
        return list(damages[:-1])
    return list(damages)
