"""Damage to a segment costs what comes after it, never what stands before it."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lokikit.spool.segment import segment_paths
from lokikit.spool.segment_format import HEADER_BYTES, pack
from lokikit.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator

BIG = 1 << 30
WEEK_S = 7 * 86_400.0
BODIES = [b'{"streams":[1]}', b"", b"x" * 37, b"last"]


def spool_in(folder: Path) -> Spool:
    """A spool without a cap that matters."""
    return Spool(folder, max_bytes=BIG, max_age_s=WEEK_S)


def read_all(spool: Spool) -> list[bytes]:
    """Every body that is left."""
    bodies: list[bytes] = []
    while reading := spool.read(BIG, 5_000):
        bodies.extend(reading.bodies)
        spool.done(reading)
    return bodies


def left_by_a_dead_process(folder: Path, bodies: list[bytes] = BODIES) -> Path:
    """The segment of an ended process that delivered nothing."""
    spool = spool_in(folder)
    for body in bodies:
        spool.append(body, 1)
    spool.close()
    return segment_paths(folder)[0]


def ends(bodies: list[bytes] = BODIES) -> list[int]:
    """Where each record ends in the file."""
    return [
        HEADER_BYTES + sum(len(pack(body, 1)) for body in bodies[: count + 1])
        for count in range(len(bodies))
    ]


def test_torn_at_every_byte(tmp_path: Path) -> None:
    """Cut at any byte, a segment gives all records before the cut, and counts the tear."""
    whole = left_by_a_dead_process(tmp_path / "whole")
    data = whole.read_bytes()
    for cut in range(len(data) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / whole.name).write_bytes(data[:cut])
        spool = spool_in(folder)
        spool.adopt()
        complete = [end for end in ends() if end <= cut]
        assert read_all(spool) == BODIES[: len(complete)], cut
        at_a_boundary = cut <= HEADER_BYTES or cut in complete
        assert spool.dropped == ({} if at_a_boundary else {"spool_torn": 1}), cut
        assert segment_paths(folder) == [], cut


def test_torn_and_filled_at_every_byte(tmp_path: Path) -> None:
    """Zeros after the tear, as a power cut leaves them, are not taken for records."""
    whole = left_by_a_dead_process(tmp_path / "whole")
    data = whole.read_bytes()
    for cut in range(HEADER_BYTES, len(data)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / whole.name).write_bytes(data[:cut] + bytes(100))
        spool = spool_in(folder)
        spool.adopt()
        complete = [end for end in ends() if end <= cut]
        # A record that ends in zeros of its own is whole where only these are cut off.
        assert read_all(spool)[: len(complete)] == BODIES[: len(complete)], cut
        assert spool.dropped == {"spool_torn": 1}, cut


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_damage(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Whatever bytes are changed, only bodies that were written come out, and in order."""
    folder = tmp_path_factory.mktemp("spool")
    path = left_by_a_dead_process(folder)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    change = data.draw(st.binary(min_size=1, max_size=20))
    content[at : at + len(change)] = change
    path.write_bytes(content)
    spool = spool_in(folder)
    spool.adopt()
    got = read_all(spool)
    untouched = sum(end <= at for end in ends()) if at >= HEADER_BYTES else 0
    assert got[:untouched] == BODIES[:untouched]
    assert set(got) <= set(BODIES)


def test_a_tear_is_counted_once(tmp_path: Path) -> None:
    """Who adopts a torn segment cuts it, so that the next adopter finds it whole."""
    path = left_by_a_dead_process(tmp_path)
    os.truncate(path, path.stat().st_size - 1)
    first = spool_in(tmp_path)
    first.adopt()
    first.close()
    second = spool_in(tmp_path)
    assert second.adopt() == len(BODIES) - 1
    assert (first.dropped, second.dropped) == ({"spool_torn": 1}, {})


def test_damage_under_an_open_segment(tmp_path: Path) -> None:
    """A record that rots while its owner lives costs it and the rest of its segment, counted."""
    spool = spool_in(tmp_path)
    for body in BODIES:
        spool.append(body, 10)
    (path,) = segment_paths(tmp_path)
    content = bytearray(path.read_bytes())
    content[ends()[2] - 1] ^= 1
    path.write_bytes(content)
    assert read_all(spool) == BODIES[:2]
    assert spool.dropped == {"spool_torn": 20}


def test_damaged_place_sends_all_again(tmp_path: Path) -> None:
    """When it cannot be read how much is delivered, everything is delivered once more."""
    spool = spool_in(tmp_path)
    for body in BODIES:
        spool.append(body, 1)
    spool.done(spool.read(BIG, 2))
    spool.close()
    (path,) = segment_paths(tmp_path)
    content = bytearray(path.read_bytes())
    content[HEADER_BYTES - 1] ^= 1
    path.write_bytes(content)
    spool.adopt()
    assert read_all(spool) == BODIES


def test_other_version_is_left_alone(tmp_path: Path) -> None:
    """A segment of another version of the format is neither read nor removed."""
    path = left_by_a_dead_process(tmp_path)
    content = path.read_bytes().replace(b"lokispl1", b"lokispl9")
    path.write_bytes(content)
    spool = spool_in(tmp_path)
    assert (spool.adopt(), spool.read(BIG, 10)) == (0, None)
    assert path.read_bytes() == content


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    """Files that no spool named are neither counted nor touched."""
    foreign = [tmp_path / name for name in ("dead-letters.ndjson", "notes.spool", "a")]
    for path in foreign:
        path.write_bytes(b"x" * 5_000)
    spool = Spool(tmp_path, max_bytes=1_000, max_age_s=WEEK_S)
    spool.append(b"fits", 1)
    assert (spool.adopt(), read_all(spool)) == (0, [b"fits"])
    assert [path.stat().st_size for path in foreign] == [5_000] * 3


def _program(name: str) -> str:
    return shutil.which(name) or name


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A small file system of its own, which only root can make."""
    folder.mkdir()
    command = [_program("mount"), "-t", "tmpfs", "-o", f"size={size}", "lokikit-test", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(
            f"NOT TESTED: a full and a read-only disk, for no tmpfs can be mounted: {error}"
        )
    try:
        yield folder
    finally:
        # Lazily: a failing test may hold files open.
        subprocess.run([_program("umount"), "-l", str(folder)], check=True)


def fill(spool: Spool, body: bytes) -> tuple[int, OSError]:
    """Append until the disk is full; how many were taken, and what it said."""
    taken = 0
    while True:
        try:
            spool.append(body + b"%d" % taken, 1)
        except OSError as error:
            return taken, error
        taken += 1
        assert taken < 10_000, "the disk does not get full"


def test_full_disk(tmp_path: Path) -> None:
    """The error has the number of a full disk; all records stay, and appends work again later."""
    with mounted(tmp_path / "disk", "256k") as disk:
        spool = spool_in(disk / "spool")
        taken, error = fill(spool, b"x" * 1_000)
        assert error.errno == errno.ENOSPC
        assert f"cannot write to the spool {disk / 'spool'}" in str(error)
        assert fill(spool, b"x" * 1_000)[0] == 0
        bodies = [b"x" * 1_000 + b"%d" % number for number in range(taken)]
        first = spool.read(50_000, 5_000)
        spool.put_back(first)
        spool.close()
        spool.adopt()
        assert read_all(spool) == bodies
        assert spool.dropped == {}
        spool.append(b"again", 1)
        assert read_all(spool) == [b"again"]
        spool.close()


def test_read_only_disk(tmp_path: Path) -> None:
    """The error has the number of a read-only disk, which can still be read."""
    with mounted(tmp_path / "disk", "1m") as disk:
        left_by_a_dead_process(disk)
        # A file open for writing would keep the mount as it is.
        subprocess.run([_program("mount"), "-o", "remount,ro", str(disk)], check=True)
        spool = spool_in(disk)
        with pytest.raises(OSError, match="cannot write to the spool") as failure:
            spool.append(b"x", 1)
        assert failure.value.errno == errno.EROFS
        with pytest.raises(OSError, match="Read-only file system"):
            spool_in(disk / "new")


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """This process may change files, but neither make nor remove any in `folder`."""
    before, user = Path.cwd(), os.geteuid()
    nobody = user or 65_534
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody if user == 0 else -1, -1)
    folder.chmod(0o500)
    os.chdir(folder)
    os.seteuid(nobody)
    try:
        yield
    finally:
        os.seteuid(user)
        os.chdir(before)
        folder.chmod(0o700)


def test_folder_that_may_not_be_changed(tmp_path: Path) -> None:
    """Where no file may be made or removed, an append fails, over the cap too, and reads go on."""
    left_by_a_dead_process(tmp_path)
    with without_rights(tmp_path):
        full = Spool(Path(), max_bytes=100, max_age_s=WEEK_S)
        for _ in range(2):
            with pytest.raises(PermissionError, match="cannot write to the spool"):
                full.append(b"x" * 30, 1)
        assert full.dropped == {}
        assert read_all(full) == BODIES
        with pytest.raises(PermissionError, match="cannot write to the spool"):
            spool_in(Path()).append(b"x", 1)
        full.close()


@contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """No file of this process may grow beyond that: a disk that is full in mid-record."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("room", [0, 10, HEADER_BYTES + 5, 300, 501])
def test_record_that_does_not_fit(tmp_path: Path, room: int) -> None:
    """A write that breaks off anywhere leaves nothing of its record, and what comes next fits."""
    spool = spool_in(tmp_path)
    with files_limited_to(room):
        taken, error = fill(spool, b"x" * 100)
        assert error.errno == errno.EFBIG
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) == spool.size_bytes
    spool.append(b"next", 1)
    spool.close()
    spool.adopt()
    assert read_all(spool) == [b"x" * 100 + b"%d" % number for number in range(taken)] + [b"next"]
    assert spool.dropped == {}


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the file in the way of the folder."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        spool_in(tmp_path / "file" / "spool")
