"""Files that are replaced whole: a reader or a crash meets the old or the new, never a half."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def new_name(path: Path) -> Path:
    """Where the new content of `path` stands until it is complete."""
    return path.with_name(f"{path.name}.new")


def replace_file(path: Path, data: bytes, *, durable: bool) -> None:
    """Replace `path` by `data`.

    Args:
        path: its folder exists.
        data: the new content.
        durable: it must also survive a power cut, which costs a write to the disk.

    Raises:
        OSError: the disk does not take it; the old file still stands.
    """
    new = new_name(path)
    with new.open("wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    new.replace(path)
