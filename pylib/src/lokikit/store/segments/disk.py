"""Files that survive a power cut: written whole, flushed, then renamed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from lokikit.atomic_file import sync_file, sync_folder

TEMPORARY = ".tmp"
"""Suffix of files that are not complete yet; a start deletes them."""
SNAPSHOT_PREFIX = "snapshot-"
"""Of the names of folders that an export works in."""
_SNAPSHOT_MAX_AGE_S = 24 * 3600


def put_in_place(temporary: Path, final: Path) -> None:
    """Rename a complete file to its name, durably."""
    sync_file(temporary)
    temporary.replace(final)
    sync_folder(final.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a whole small file, durably."""
    temporary = path.with_name(path.name + TEMPORARY)
    temporary.write_bytes(content)
    put_in_place(temporary, path)


def remove_files(paths: list[Path]) -> None:
    """Delete these files, those that are gone already included."""
    for path in paths:
        path.unlink(missing_ok=True)


def remove_old_snapshots(folder: Path) -> None:
    """Delete the folders of exports that were killed: their links keep space in use."""
    oldest_s = time.time() - _SNAPSHOT_MAX_AGE_S
    for path in folder.glob(f"{SNAPSHOT_PREFIX}*"):
        if path.stat().st_mtime < oldest_s:
            shutil.rmtree(path, ignore_errors=True)
