"""A copy of a store's folder at one moment, taken next to a running store without its lock.

Segments never change, so they are linked, not copied; logs are copied.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lokikit.errors import SettingsError
from lokikit.store.segments.append_log import log_number
from lokikit.store.segments.disk import SNAPSHOT_PREFIX
from lokikit.store.segments.format_mark import FORMAT_FILE
from lokikit.store.segments.segment import segment_name, summary_path
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store
from lokikit.store.segments.streams import STREAMS_LOG


@contextmanager
def open_snapshot(folder: Path) -> Iterator[Store]:
    """Open what the folder holds now as a store of its own; it is gone afterwards.

    Raises:
        SettingsError: there is no store in the folder.
    """
    if not (folder / STREAMS_LOG).exists():
        raise SettingsError(
            f"there is no store in {folder}: it has no {STREAMS_LOG}; name another with --data."
        )
    with tempfile.TemporaryDirectory(prefix=SNAPSHOT_PREFIX, dir=folder) as name:
        copy_folder(folder, Path(name))
        settings = StoreSettings(retention_s=0, min_free_bytes=0, merged_max_bytes=0)
        with Store.open(Path(name), settings) as store:
            yield store


def copy_folder(folder: Path, target: Path) -> None:
    """Link and copy the files of a store that may run meanwhile.

    Logs come first and segments last: rows that are sealed meanwhile are found in both, and a
    start of the store knows that. When rows are merged meanwhile, the folder is read again.
    """
    for path in sorted(folder.iterdir()):
        if log_number(path) is not None:
            _copy(path, target)
    for name in (STREAMS_LOG, FORMAT_FILE):
        _copy(folder / name, target)
    while not _link_segments(folder, target):
        pass


def _copy(path: Path, target: Path) -> None:
    try:
        shutil.copyfile(path, target / path.name)
    except FileNotFoundError:  # sealed in this moment: its rows are in a segment
        return


def _link_segments(folder: Path, target: Path) -> bool:
    """Link all segments; return False when one of them vanished meanwhile."""
    paths = [path for path in folder.iterdir() if segment_name(path)]
    return all(_link(summary_path(path), target) and _link(path, target) for path in paths)


def _link(path: Path, target: Path) -> bool:
    linked = target / path.name
    if linked.exists():
        return True
    try:
        os.link(path, linked)
    except FileNotFoundError:
        return False
    except OSError:  # a file system without links
        shutil.copyfile(path, linked)
    return True
