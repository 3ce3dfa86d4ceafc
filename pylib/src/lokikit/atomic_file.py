"""Files that are replaced as a whole: a reader or a crash finds the old or the new content."""

from __future__ import annotations

import os
from pathlib import Path


def new_name(path: Path) -> Path:
    """Return the file for the new content of `path` until it is complete."""
    return path.with_name(f"{path.name}.new")


def sync_file(path: Path) -> None:
    """Return when the content of the file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Return when the names in the folder are on the disk."""
    if os.name == "nt":  # Windows opens no folders; its renames are journalled
        return
    sync_file(path)


def replace_file(path: Path, data: bytes, *, durable: bool) -> None:
    """Replace `path` by `data`.

    Args:
        path: the file; its folder must exist.
        data: the new content.
        durable: True when it must survive a power cut too, which costs a write to the disk.

    Raises:
        OSError: the disk does not take it; the old file stays.
    """
    new = new_name(path)
    with new.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)
