from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lokikit.ship.followed_file import CHUNK_BYTES, FollowedFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file that is followed."""
    return tmp_path / "app.log"


@pytest.fixture
def follow(path: Path) -> Iterator[Callable[..., FollowedFile]]:
    """Follow `path`: `follow(offset=3)`."""
    made: list[FollowedFile] = []

    def make(**arguments: int) -> FollowedFile:
        made.append(FollowedFile(str(path), os.open(path, os.O_RDONLY), **arguments))
        return made[-1]

    yield make
    for file in made:
        file.close()


def lines(file: FollowedFile) -> list[bytes]:
    """The lines of the next chunk."""
    return [line.raw for line in file.read()]


def test_growing_file(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """Lines come when they are complete, from where the file was left."""
    path.write_bytes(b"one\ntw")
    file = follow()
    assert lines(file) == [b"one"]
    with path.open("ab") as writer:
        writer.write(b"o\n")
    assert lines(file) == [b"two"]
    assert lines(file) == []
    assert lines(follow(offset=4)) == [b"two"]


def test_chunks_are_bounded(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """One read takes one chunk, however much there is."""
    path.write_bytes(b"x" * 99 + b"\n" + b"y\n" * CHUNK_BYTES)
    file = follow()
    assert sum(map(len, lines(file))) <= CHUNK_BYTES
    assert not file.at_end()


def test_truncated_file_starts_over(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """After a truncation all lines of the new content come, and the half line before it."""
    path.write_bytes(b"one\nhalf")
    file = follow()
    lines(file)
    path.write_bytes(b"new\n")
    assert lines(file) == [b"half"]
    assert lines(file) == [b"new"]
    assert file.lives == 1


def test_truncated_and_grown_beyond(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """A file written over and longer than before at the next look is known by its beginning."""
    path.write_bytes(b"one\n")
    file = follow()
    lines(file)
    path.write_bytes(b"first\nsecond\n")
    assert lines(file) == []
    assert lines(file) == [b"first", b"second"]


def test_acknowledgement_of_an_earlier_life(
    path: Path, follow: Callable[..., FollowedFile]
) -> None:
    """What was on its way when the file was truncated does not move the position."""
    path.write_bytes(b"one\ntwo\n")
    file = follow()
    lines(file)
    path.write_bytes(b"new\n")
    lines(file)
    file.acknowledge(0, 8)
    assert file.position().offset == 0
    file.acknowledge(1, 4)
    assert file.position().offset == 4


def test_position_knows_its_file(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """A position fits the same inode with the same beginning, and nothing else."""
    path.write_bytes(b"one\n")
    file = follow()
    lines(file)
    position = file.position()
    descriptor = os.open(path, os.O_RDONLY)
    assert position.is_of(descriptor)
    path.write_bytes(b"two\n")
    assert not position.is_of(descriptor)
    os.close(descriptor)


def test_hole_of_64_gigabytes_is_read_past(path: Path, follow: Callable[..., FollowedFile]) -> None:
    """A writer that does not append leaves a hole when its file is truncated."""
    with path.open("wb") as writer:
        writer.seek(2**36)
        writer.write(b"after\n")
    file = follow()
    found = [line for _ in range(4) for line in lines(file)]
    assert found == [b"after"]
    assert file.at_end()
