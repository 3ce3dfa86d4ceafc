"""An older program leaves the folder of a newer program alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.errors import PrerequisiteError
from lokikit.store.segments.format_mark import FORMAT, FORMAT_FILE
from lokikit.store.segments.records import encode_record
from lokikit.store.segments.snapshot import open_snapshot
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_of_a_newer_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / FORMAT_FILE).write_bytes(encode_record(b"%d" % (FORMAT + 1)))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    with pytest.raises(PrerequisiteError, match="a newer lokikit wrote the store"):
        Store.open(tmp_path)
    with pytest.raises(PrerequisiteError, match="a newer lokikit"), open_snapshot(tmp_path):
        pass
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert after == before


@pytest.mark.parametrize("content", [b"", b"2\n", encode_record(b"2")[:-1] + b"9"])
def test_a_damaged_number_stops_no_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FORMAT_FILE).write_bytes(content)
    Store.open(tmp_path).close()
    assert (tmp_path / FORMAT_FILE).read_bytes() == encode_record(b"%d" % FORMAT)


def test_a_folder_of_the_first_program_has_no_number(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    (tmp_path / FORMAT_FILE).unlink()
    Store.open(tmp_path).close()
    assert (tmp_path / FORMAT_FILE).exists()


def test_a_number_that_cannot_be_written_stops_no_start(tmp_path: Path) -> None:
    """On a full disk too, a store answers queries."""
    (tmp_path / FORMAT_FILE).symlink_to(tmp_path / "away" / "format")
    Store.open(tmp_path).close()
    assert not (tmp_path / FORMAT_FILE).exists()
