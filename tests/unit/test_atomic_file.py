from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.atomic_file import replace_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("durable", [True, False])
def test_reader_of_the_old_file_is_undisturbed(tmp_path: Path, *, durable: bool) -> None:
    """Who has the old file open reads it to its end; the name has the new content."""
    path = tmp_path / "file"
    replace_file(path, b"old", durable=durable)
    with path.open("rb") as reader:
        replace_file(path, b"new", durable=durable)
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
