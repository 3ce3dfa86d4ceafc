from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lokikit.follow import Follower
from lokikit.notices import Notices
from lokikit.positions import PositionStore
from lokikit.sources import FileSource, PipeSource
from lokikit.stdin import PipeReader

if TYPE_CHECKING:
    from pathlib import Path


def follow(path: Path, said: list[str], service: str | None = None) -> FileSource:
    """A source of one file, its positions beside it."""
    notices = Notices(said.append)
    store = PositionStore(path.with_name("positions.json"))
    follower = Follower([str(path)], saved=store.open(), own=[], notices=notices)
    return FileSource(follower, store, service=service, host="h", notices=notices)


def test_service_of_a_file(tmp_path: Path) -> None:
    """A line that names no service gets the file's stem, or the one that was chosen."""
    path = tmp_path / "shop.api.log"
    path.write_text("plain\n")
    for chosen, expected in [(None, "shop.api"), ("mine", "mine")]:
        source = follow(path, [], chosen)
        source.look()
        (item,) = source.items()
        source.close()
        assert item.entry is not None
        assert item.entry.labels == {"service_name": expected}
        assert item.entry.metadata == {"host": "h"}


def test_position_is_saved_when_acknowledged(tmp_path: Path) -> None:
    """A new source on the same positions goes on behind the last acknowledged line."""
    path = tmp_path / "a.log"
    path.write_text("one\n\ntwo\n")
    source = follow(path, [])
    source.look()
    first, blank, _ = source.items()
    assert blank.entry is None
    assert first.file is not None
    source.acknowledge({first.file: first.mark})
    source.close()
    again = follow(path, [])
    again.look()
    lines = [item.entry.line for item in again.items() if item.entry]
    again.close()
    assert lines == ["two"]


def test_file_is_remembered_before_anything_is_acknowledged(tmp_path: Path) -> None:
    """A file met while Loki is away is finished after a SIGKILL, though it was rotated by then."""
    path = tmp_path / "a.log"
    path.write_text("one\n")
    source = follow(path, [])
    source.look()
    source.close()
    path.rename(tmp_path / "a.log.1")
    path.write_text("two\n")
    again = follow(path, [])
    again.look()
    lines = [item.entry.line for item in again.items() if item.entry]
    again.close()
    assert lines == ["one", "two"]


def test_full_disk_under_the_positions(tmp_path: Path) -> None:
    """Positions that cannot be saved are said, and do not stop the shipping."""
    path = tmp_path / "a.log"
    path.write_text("one\n")
    said: list[str] = []
    source = follow(path, said)
    (tmp_path / "positions.json.new").mkdir()
    source.look()
    assert len(list(source.items())) == 1
    source.close()
    assert "cannot save positions" in said[0]


def test_pipe_that_is_told_to_stop() -> None:
    """It gives what stands in the pipe, then ends, though the writer has not."""
    reading, writing = os.pipe()
    source = PipeSource(PipeReader(reading), service=None, host="h")
    os.write(writing, b"one\n")
    source.stop()
    lines = [item.entry.line for _ in range(2) for item in source.items() if item.entry]
    assert lines == ["one"]
    assert source.ended
    for descriptor in (reading, writing):
        os.close(descriptor)
