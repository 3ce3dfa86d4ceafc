from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from tests.waiting import eventually

from lokikit.notices import Notices
from lokikit.ship.file_follower import FileFollower
from lokikit.ship.pipe import PipeReader
from lokikit.ship.positions import PositionStore
from lokikit.ship.sources import FileSource, PipeSource

if TYPE_CHECKING:
    from pathlib import Path


def follow(path: Path, said: list[str], service: str | None = None) -> FileSource:
    """A source of one file, its positions beside it."""
    notices = Notices(said.append)
    store = PositionStore(path.with_name("positions.json"))
    follower = FileFollower([str(path)], saved=store.open(), own=[], notices=notices)
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


@pytest.mark.skipif(sys.platform == "darwin", reason="the file systems of macOS take UTF-8 alone")
def test_a_file_whose_name_is_no_utf8_is_followed_too(tmp_path: Path) -> None:
    """It stopped the shipper, and with it the lines of every other file."""
    path = tmp_path / os.fsdecode(b"caf\xe9.log")
    path.write_text("one\n")
    source = follow(path, [])
    source.look()
    (item,) = source.items()
    assert item.entry is not None
    assert item.file is not None
    assert item.entry.labels == {"service_name": "caf?"}
    source.acknowledge({item.file: item.mark})
    source.close()
    again = follow(path, [])
    again.look()
    assert list(again.items()) == []
    again.close()


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
    entries: list[str] = []
    source = follow(path, entries)
    (tmp_path / "positions.json.new").mkdir()
    source.look()
    assert len(list(source.items())) == 1
    source.close()
    assert "cannot save positions" in entries[0]


def test_positions_are_saved_before_there_is_a_file(tmp_path: Path) -> None:
    """A file that comes and is rotated around a SIGKILL is read by the next run."""
    path = tmp_path / "a.log"
    source = follow(path, [])
    source.look()
    source.close()
    path.write_text("one\n")
    path.rename(tmp_path / "a.log.1")
    again = follow(path, [])
    again.look()
    assert joined(again) == ["one"]
    again.close()


def test_positions_are_saved_once_the_disk_has_room_again(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\n")
    source = follow(path, [])
    (tmp_path / "positions.json.new").mkdir()
    source.look()
    (tmp_path / "positions.json.new").rmdir()
    source.look()
    source.close()
    assert str(path) in (tmp_path / "positions.json").read_text()


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


TRACEBACK = "java.lang.Error: x\n\tat a.B(B.java:1)"


def joined(source: FileSource | PipeSource) -> list[str]:
    """The lines of the next round."""
    return [item.entry.line for item in source.items() if item.entry]


def test_traceback_is_acknowledged_as_a_whole(tmp_path: Path) -> None:
    """Until Loki has all of it, a new source on the same positions reads it from its beginning."""
    path = tmp_path / "a.log"
    path.write_text(f"one\n{TRACEBACK}\n\n")
    source = follow(path, [])
    source.look()
    (first,) = source.items()
    assert first.file is not None
    source.acknowledge({first.file: first.mark})
    source.close()
    again = follow(path, [])
    again.look()
    assert joined(again) == []
    (whole,) = again.rest()
    assert whole.entry is not None
    assert whole.entry.line == TRACEBACK
    assert (whole.lines, whole.blank) == (3, 1)
    assert whole.file is not None
    again.acknowledge({whole.file: whole.mark})
    assert again._follower.positions().files[0].offset == path.stat().st_size
    again.close()


def test_traceback_that_nothing_follows(tmp_path: Path) -> None:
    """It goes out by itself when nothing more comes."""
    path = tmp_path / "a.log"
    path.write_text(f"{TRACEBACK}\n")
    source = follow(path, [])
    source.look()
    assert joined(source) == []
    assert eventually(lambda: joined(source)) == [TRACEBACK]
    source.close()


def test_stop_lets_go_of_what_is_held(tmp_path: Path) -> None:
    """At a stop, files yield the held events and no more."""
    path = tmp_path / "a.log"
    path.write_text(f"{TRACEBACK}\n")
    source = follow(path, [])
    source.look()
    assert joined(source) == []
    source.stop()
    assert joined(source) == [TRACEBACK]
    assert joined(source) == []
    source.close()


def test_tracebacks_of_two_files_are_not_mixed(tmp_path: Path) -> None:
    """Frames of one file never end in the traceback of another."""
    for name in "ab":
        (tmp_path / f"{name}.log").write_text(TRACEBACK.replace("x", name))
    notices = Notices(lambda _: None)
    store = PositionStore(tmp_path / "positions.json")
    follower = FileFollower([str(tmp_path / "*.log")], saved=store.open(), own=[], notices=notices)
    source = FileSource(follower, store, service=None, host="h", notices=notices)
    for more in ("", "\n\tat c.D(D.java:2)\n"):
        for name in "ab":
            with (tmp_path / f"{name}.log").open("a") as file:
                file.write(more)
        source.look()
        assert joined(source) == []
    source.stop()
    ends = [line.partition("\n")[0] for line in joined(source)]
    assert ends == ["java.lang.Error: a", "java.lang.Error: b"]
    source.close()


def test_traceback_ends_with_its_file(tmp_path: Path) -> None:
    """What stands in the next file of a path is not joined to the end of the one before."""
    path = tmp_path / "a.log"
    path.write_text(f"{TRACEBACK}\n")
    source = follow(path, [])
    source.look()
    assert joined(source) == []
    path.rename(tmp_path / "a.log.1")
    path.write_text("\tat c.D(D.java:2)\n")
    source.look()
    (item,) = source.items()
    assert item.entry is not None
    assert item.entry.line == TRACEBACK
    assert item.mark.offset == len(TRACEBACK) + 1
    source.close()


def test_pipe_that_ends_within_a_traceback() -> None:
    reading, writing = os.pipe()
    source = PipeSource(PipeReader(reading), service=None, host="h")
    os.write(writing, TRACEBACK.encode())
    os.close(writing)
    assert [line for _ in range(2) for line in joined(source)] == [TRACEBACK]
    assert source.ended
    os.close(reading)


def test_equal_lines_of_two_files_of_a_service_are_kept_apart(tmp_path: Path) -> None:
    """Loki would store one of them."""
    for name in "ab":
        (tmp_path / f"{name}.log").write_text('{"timestamp":"2026-11-21T10:00:00Z"}\n')
    source = follow(tmp_path / "*.log", [], "shop")
    source.look()
    entries = [item.entry for item in source.items()]
    source.close()
    assert len({entry.timestamp_ns for entry in entries if entry}) == len(entries) == 2
