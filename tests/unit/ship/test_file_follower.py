from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lokikit.notices import Notices
from lokikit.ship import file_follower
from lokikit.ship.file_follower import FileFollower
from lokikit.ship.positions import Positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lokikit.ship.file_names import FoundFile


DRAIN_S = 30.0


class Rig:
    """A follower whose clock and notices the test holds; acknowledges what it reads."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.said: list[str] = []
        self._follower: FileFollower | None = None

    @property
    def follower(self) -> FileFollower:
        """The one that was started last."""
        assert self._follower is not None
        return self._follower

    def start(
        self, *patterns: str, saved: Positions | None = None, own: Sequence[Path] = ()
    ) -> Rig:
        """Start one in place of the one before."""
        self.stop()
        self._follower = FileFollower(
            patterns,
            saved=saved or Positions(),
            own=own,
            notices=Notices(self.said.append, lambda: self.now_s),
            drain_s=DRAIN_S,
            clock=lambda: self.now_s,
        )
        return self

    def lines(self) -> list[bytes]:
        """Look, read everything there is and acknowledge it."""
        self.follower.look()
        found = []
        for _ in range(3):
            for file, lines in self.follower.read():
                found += [line.raw for line in lines]
                file.acknowledge(file.lives, lines[-1].end)
        return found

    def leave_moved_files(self) -> None:
        """Read on until files that are no more at their path have been quiet for `DRAIN_S`."""
        self.lines()
        self.now_s = DRAIN_S
        self.lines()

    def restart(self, *patterns: str) -> Rig:
        """Start another one from the positions of this one."""
        return self.start(*patterns, saved=self.follower.positions())

    def stop(self) -> None:
        """Close the files."""
        if self._follower is not None:
            self._follower.close()


@pytest.fixture
def rig() -> Iterator[Rig]:
    """A rig whose files are closed with the test."""
    made = Rig()
    yield made
    made.stop()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file that is followed."""
    return tmp_path / "app.log"


def append(path: Path, text: str) -> None:
    """Write to the end of a file."""
    with path.open("a") as file:
        file.write(text)


def age(path: Path) -> None:
    """Make the last write to a file an hour older: writes of a test may share a tick."""
    os.utime(path, ns=(0, path.stat().st_mtime_ns - 3_600_000_000_000))


def test_file_that_comes_later(rig: Rig, path: Path) -> None:
    """A path where nothing stands yet is waited for."""
    rig.start(str(path))
    assert rig.lines() == []
    append(path, "one\n")
    assert rig.lines() == [b"one"]


def test_glob_that_matches_more_later(rig: Rig, tmp_path: Path) -> None:
    """Files that begin to match a glob are read from their beginning, others never."""
    rig.start(str(tmp_path / "*.log"))
    append(tmp_path / "a.log", "a\n")
    append(tmp_path / "a.txt", "no\n")
    assert rig.lines() == [b"a"]
    append(tmp_path / "b.log", "b\n")
    assert rig.lines() == [b"b"]


def test_own_files_and_folders_are_left_alone(rig: Rig, tmp_path: Path) -> None:
    """A wide glob does not read what the follower's process writes, nor trip over a folder."""
    (tmp_path / "folder").mkdir()
    append(tmp_path / "own", "mine\n")
    append(tmp_path / "a", "a\n")
    assert rig.start(str(tmp_path / "*"), own=[tmp_path / "own"]).lines() == [b"a"]


def test_old_file_is_finished_before_the_new(rig: Rig, path: Path) -> None:
    """After a rename what was left in the old file comes first."""
    rig.start(str(path))
    append(path, "one\n")
    assert rig.lines() == [b"one"]
    append(path, "two\n")
    path.rename(f"{path}.1")
    append(path, "three\n")
    assert rig.lines() == [b"two", b"three"]


def test_rotated_several_times_between_two_looks(rig: Rig, path: Path) -> None:
    """Files that came and went between two looks are found by their names."""
    rig.start(str(path))
    append(path, "0\n")
    assert rig.lines() == [b"0"]
    for number in range(1, 5):
        path.rename(f"{path}.{5 - number}")
        append(path, f"{number}\n")
        os.utime(path, ns=(0, path.stat().st_mtime_ns + number * 1_000_000_000))
    assert rig.lines() == [b"1", b"2", b"3", b"4"]


def test_rotated_away_and_nothing_new(rig: Rig, path: Path) -> None:
    """The last file of a writer that rotated and ended is found too."""
    rig.start(str(path)).lines()
    append(path, "one\n")
    path.rename(f"{path}.1")
    assert rig.lines() == [b"one"]


def test_what_was_rotated_before_the_first_look_is_old(rig: Rig, path: Path) -> None:
    """Rotated files that were there before are not read."""
    append(path.with_name("app.log.1"), "old\n")
    rig.start(str(path)).lines()
    append(path, "new\n")
    assert rig.lines() == [b"new"]


def test_late_writer_to_a_rotated_file(rig: Rig, path: Path) -> None:
    """Who still has the old file open is heard until the file was quiet for the drain time."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    path.rename(f"{path}.1")
    append(path, "new\n")
    assert rig.lines() == [b"new"]
    rig.now_s = DRAIN_S - 1
    append(path.with_name("app.log.1"), "late\n")
    assert rig.lines() == [b"late"]
    rig.now_s += DRAIN_S - 1
    append(path.with_name("app.log.1"), "later\nhalf")
    assert rig.lines() == [b"later"]
    rig.now_s += DRAIN_S
    assert rig.lines() == [b"half"]
    rig.lines()
    assert [position.offset for position in rig.follower.positions().files] == [4]


def test_file_left_is_not_read_again(rig: Rig, path: Path) -> None:
    """A rotated file that was finished and left stays left at the next rotation."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    path.rename(f"{path}.1")
    rig.leave_moved_files()
    assert rig.follower.positions().files == []
    append(path, "two\n")
    assert rig.lines() == [b"two"]


def test_restart_goes_on(rig: Rig, path: Path) -> None:
    """A new process reads on behind what was delivered."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    append(path, "two\n")
    assert rig.restart(str(path)).lines() == [b"two"]


def test_restart_after_rotations(rig: Rig, path: Path) -> None:
    """A new process finishes the file that was rotated meanwhile, and those between."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    append(path, "two\n")
    path.rename(f"{path}.2")
    append(path, "three\n")
    path.rename(f"{path}.1")
    append(path, "four\n")
    assert rig.restart(str(path)).lines() == [b"two", b"three", b"four"]


def test_inode_used_again(rig: Rig, path: Path) -> None:
    """Another file with the inode of a remembered one is read from its beginning, and said."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    path.write_text("another\n")
    assert rig.restart(str(path)).lines() == [b"another"]
    assert any("gone" in text for text in rig.said)


def test_positions_of_other_files_are_kept(rig: Rig, path: Path) -> None:
    """Shipping another file with the same positions does not forget the first one."""
    rig.start(str(path))
    append(path, "one\n")
    rig.lines()
    other = path.with_name("other.log")
    append(other, "other\n")
    assert rig.restart(str(other)).lines() == [b"other"]
    assert rig.restart(str(path), str(other)).lines() == []


def test_truncation_is_said_once(rig: Rig, path: Path) -> None:
    """A truncated file starts over; that is said once, however often it happens."""
    rig.start(str(path))
    for text in ("aaaa\n", "bbb\n", "cc\n"):
        path.write_text(text)
        assert rig.lines() == [text.strip().encode()]
    assert len(rig.said) == 1
    assert "truncated" in rig.said[0]


def test_dangling_link_stops_nothing(rig: Rig, path: Path) -> None:
    """A name behind which nothing stands does not stop the others."""
    path.with_name("a.log").symlink_to(path.with_name("missing.log"))
    append(path, "one\n")
    assert rig.start(str(path.with_name("*.log"))).lines() == [b"one"]


@pytest.mark.parametrize("name", ["app[1].log", "a*b.log", "wh?t.log", "[.log"])
def test_file_with_a_bracket_in_its_name_is_read_once(rig: Rig, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("one\n")
    assert rig.start(str(path)).lines() == [b"one"]
    with path.open("a") as file:
        file.write("two\n")
    assert rig.restart(str(path)).lines() == [b"two"]
    assert rig.restart(str(path)).lines() == []


def test_file_of_a_literal_name_is_no_glob(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "app1.log").write_text("other\n")
    (tmp_path / "app[1].log").write_text("one\n")
    assert rig.start(str(tmp_path / "app[1].log")).lines() == [b"one"]
    assert rig.restart(str(tmp_path / "app[1].log")).lines() == []


def test_file_beside_that_no_rotation_named_is_not_read(rig: Rig, path: Path) -> None:
    rig.start(str(path))
    append(path, "one\n")
    assert rig.lines() == [b"one"]
    append(path.with_name("app.log-audit"), "of another program\n")
    path.rename(f"{path}.1")
    append(path, "two\n")
    assert rig.lines() == [b"two"]


def test_file_that_loguru_rotated_between_two_looks_is_read(rig: Rig, path: Path) -> None:
    rig.start(str(path))
    append(path, "one\n")
    assert rig.lines() == [b"one"]
    path.rename(f"{path}.1")
    append(path, "two\n")
    path.rename(path.with_name("app.2026-11-21_10-00-00_123456.log"))
    append(path, "three\n")
    assert rig.lines() == [b"two", b"three"]


def test_missing_file_is_said_once_and_waited_for(rig: Rig, path: Path) -> None:
    rig.start(str(path))
    rig.lines()
    rig.now_s = 1000.0
    rig.lines()
    assert rig.said == [f"ship: no file at {path} yet (No such file or directory); waiting for it"]
    append(path, "one\n")
    assert rig.lines() == [b"one"]


def test_file_that_is_rotated_away_is_not_said_to_be_missing(rig: Rig, path: Path) -> None:
    append(path, "one\n")
    rig.start(str(path)).lines()
    path.rename(f"{path}.1")
    rig.lines()
    assert rig.said == []


def test_glob_without_a_match_is_said_once(rig: Rig, tmp_path: Path) -> None:
    rig.start(str(tmp_path / "*.log")).lines()
    rig.lines()
    assert rig.said == [f"ship: no file matches {tmp_path}/*.log yet; waiting for one"]


def test_folder_in_place_of_a_file_is_said(rig: Rig, tmp_path: Path) -> None:
    append(tmp_path / "app.log", "one\n")
    rig.start(str(tmp_path), str(tmp_path / "app.log"))
    assert rig.lines() == [b"one"]
    assert [text.partition(":")[2][:30] for text in rig.said] == [f" {tmp_path} is a folder"[:30]]


def test_named_pipe_in_place_of_a_file_is_said(rig: Rig, path: Path) -> None:
    os.mkfifo(path)
    assert rig.start(str(path)).lines() == []
    assert "no regular file: pipe it in" in rig.said[0]


def test_two_asterisks_are_any_number_of_folders(rig: Rig, tmp_path: Path) -> None:
    for folder in ("", "a", "a/b"):
        (tmp_path / folder).mkdir(exist_ok=True)
        append(tmp_path / folder / "app.log", f"in {folder or '.'}\n")
    pattern = str(tmp_path / "**" / "*.log")
    assert sorted(rig.start(pattern).lines()) == [b"in .", b"in a", b"in a/b"]
    append(tmp_path / "a" / "b" / "app.log", "more\n")
    assert rig.restart(pattern).lines() == [b"more"]


def test_hole_of_a_writer_that_does_not_append_is_no_part_of_a_line(rig: Rig, path: Path) -> None:
    with path.open("w") as writer:
        writer.write("one\n" * 100_000)
        writer.flush()
        rig.start(str(path))
        while rig.lines():
            pass
        for number in range(3):
            os.truncate(path, 0)
            if number == 1:
                rig.lines()
            writer.write(f"after {number}\n")
            writer.flush()
            found = [line for _ in range(10) for line in rig.lines()]
            assert [line for line in found if line] == [b"after %d" % number]


def test_first_file_that_is_rotated_before_it_is_met_is_read_at_the_next_start(
    rig: Rig, path: Path
) -> None:
    append(path.with_name("app.log.2"), "old\n")
    age(path.with_name("app.log.2"))
    assert rig.start(str(path)).lines() == []
    append(path, "one\n")
    path.rename(f"{path}.1")
    append(path, "two\n")
    assert rig.restart(str(path)).lines() == [b"one", b"two"]


@pytest.mark.parametrize("when", ["between-looks", "between-runs"])
def test_new_file_of_a_glob_that_is_rotated_before_it_is_met_is_read(
    rig: Rig, tmp_path: Path, when: str
) -> None:
    pattern = str(tmp_path / "*.log")
    append(tmp_path / "old.log.1", "old\n")
    age(tmp_path / "old.log.1")
    append(tmp_path / "a.log", "a\n")
    assert rig.start(pattern).lines() == [b"a"]
    for name in ("b.log", "c.log"):
        append(tmp_path / name, f"{name}\n")
        (tmp_path / name).rename(tmp_path / f"{name}-20261121")
    append(tmp_path / "c.log", "more\n")
    if when == "between-runs":
        rig.restart(pattern)
    assert sorted(rig.lines()) == [b"b.log", b"c.log", b"more"]
    assert rig.restart(pattern).lines() == []


def test_file_that_is_rotated_while_no_file_is_open_is_read_at_the_next_start(
    rig: Rig, path: Path
) -> None:
    append(path, "one\n")
    age(path)
    rig.start(str(path)).lines()
    path.rename(f"{path}.2")
    rig.leave_moved_files()
    assert rig.follower.positions().files == []
    append(path, "two\n")
    path.rename(f"{path}.1")
    assert rig.restart(str(path)).lines() == [b"two"]
    assert rig.restart(str(path)).lines() == []


@pytest.mark.parametrize("text", ["", "one\n"], ids=["empty", "written"])
def test_copy_of_a_file_that_was_truncated_between_runs_is_read(
    rig: Rig, path: Path, text: str
) -> None:
    append(path, text)
    age(path)
    rig.start(str(path)).follower.look()
    append(path, "two\n")
    path.with_name("app.log.1").write_text(path.read_text())
    path.write_text("three\n")
    expected = [*text.encode().splitlines(), b"two", b"three"]
    assert rig.restart(str(path)).lines() == expected


def test_times_of_paths_without_rotated_files_are_forgotten(rig: Rig, tmp_path: Path) -> None:
    pattern = str(tmp_path / "*.log")
    append(tmp_path / "a.log", "a\n")
    rig.start(pattern).lines()
    (tmp_path / "a.log").unlink()
    rig.leave_moved_files()
    assert set(rig.follower.positions().old_ns) == {pattern, str(tmp_path / "a.log")}
    assert set(rig.restart(pattern).follower.positions().old_ns) == {pattern}


def test_rotated_files_that_a_glob_matches_are_files_of_their_own_at_the_first_start(
    rig: Rig, tmp_path: Path
) -> None:
    for name in ("app.log", "app__2026-11-21_10-00-00.log"):
        append(tmp_path / name, "text\n")
    rig.start(str(tmp_path / "*.log")).lines()
    paths = {position.path for position in rig.follower.positions().files}
    assert paths == {str(path) for path in tmp_path.iterdir()}


def rotate_once(monkeypatch: pytest.MonkeyPatch, name: str, rotate: Callable[[], object]) -> None:
    """Rotate right after the follower has read the folder for the first time."""
    read = getattr(file_follower, name)
    left = [rotate]

    def read_and_rotate(path: str) -> list[FoundFile]:
        found: list[FoundFile] = read(path)
        if left:
            left.pop()()
        return found

    monkeypatch.setattr(file_follower, name, read_and_rotate)


def test_rotation_while_the_folder_is_read_hides_no_file(
    rig: Rig, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_on(text: str) -> None:
        for number in (3, 2, 1):
            if (old := path.with_name(f"app.log.{number}")).exists():
                old.rename(path.with_name(f"app.log.{number + 1}"))
        path.rename(f"{path}.1")
        append(path, f"{text}\n")
        later_ns = path.stat().st_mtime_ns + int(text) * 1_000_000_000
        os.utime(path, ns=(0, later_ns))

    append(path, "0\n")
    assert rig.start(str(path)).lines() == [b"0"]
    write_on("1")
    write_on("2")
    path.with_name("app.log.2").unlink()
    rotate_once(monkeypatch, "rotated_files", lambda: write_on("3"))
    assert rig.lines() + rig.lines() == [b"1", b"2", b"3"]


def test_rotation_while_the_next_run_starts_hides_no_file(
    rig: Rig, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(path, "one\n")
    rig.start(str(path)).follower.look()
    rotate_once(monkeypatch, "files_beside", lambda: path.rename(f"{path}.1"))
    assert rig.restart(str(path)).lines() == [b"one"]
    assert rig.said == []
