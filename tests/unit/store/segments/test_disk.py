from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lokikit.store.segments.disk import remove_files, remove_old_snapshots, write_file

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_written_whole_and_leaves_no_temporary_one(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"1")
    write_file(tmp_path / "a", b"2")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"2")]


def test_files_that_are_gone_already_are_no_error(tmp_path: Path) -> None:
    remove_files([tmp_path / "gone"])


def test_snapshots_of_killed_exports_are_deleted_and_young_ones_kept(tmp_path: Path) -> None:
    for name in ("snapshot-old", "snapshot-new"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "snapshot-old", (0, 0))
    remove_old_snapshots(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot-new"]
