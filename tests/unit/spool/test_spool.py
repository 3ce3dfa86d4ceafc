"""The spool keeps batches in order, within its caps, and hands out each until it is delivered."""

from __future__ import annotations

import errno
import itertools
import random
import signal
from typing import TYPE_CHECKING

import pytest

from lokikit.spool.segment import segment_paths
from lokikit.spool.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

BIG = 1 << 30
DAY_S = 86_400.0


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        """The time that was set."""
        return self.now_s


def spool_in(folder: Path, max_bytes: int = BIG, **options) -> Spool:
    """A spool that keeps things for a week."""
    return Spool(folder, max_bytes=max_bytes, **{"max_age_s": 7 * DAY_S, **options})


def drain(spool: Spool, max_bytes: int = BIG) -> list[bytes]:
    """Every body that is left, each noted as delivered."""
    bodies: list[bytes] = []
    while reading := spool.read(max_bytes, 5_000):
        bodies.extend(reading.bodies)
        spool.done(reading)
    return bodies


def disk_bytes(folder: Path) -> int:
    """What all files of a folder take."""
    return sum(path.stat().st_size for path in folder.iterdir())


def numbered(count: int, size: int = 40) -> list[bytes]:
    """Bodies that tell their places, of random sizes up to `size`."""
    rng = random.Random(count)
    return [b"%d " % number + rng.randbytes(rng.randrange(size)) for number in range(count)]


def test_order_is_kept(tmp_path: Path) -> None:
    """What was appended is read in the same order, byte for byte, over many segments."""
    spool = spool_in(tmp_path, segment_bytes=500)
    bodies = numbered(1_000)
    for body in bodies:
        spool.append(body, 1)
    assert len(segment_paths(tmp_path)) > 20
    assert spool.entries == 1_000
    assert drain(spool, max_bytes=100) == bodies
    assert (spool.entries, spool.dropped) == (0, {})


def test_order_is_kept_when_the_clock_steps_back(tmp_path: Path) -> None:
    """A clock that goes back an hour between two segments does not swap them."""
    clock = Clock()
    spool = spool_in(tmp_path, segment_bytes=100, time_s=clock)
    bodies = numbered(40)
    for body in bodies:
        clock.now_s -= 3_600
        spool.append(body, 1)
    spool.close()
    again = spool_in(tmp_path, time_s=clock)
    again.adopt()
    assert drain(again) == bodies


def test_appending_while_reading(tmp_path: Path) -> None:
    """Records are read from the segment that is still being written, once each."""
    spool = spool_in(tmp_path, segment_bytes=300)
    bodies = numbered(200)
    got: list[bytes] = []
    for body in bodies:
        spool.append(body, 1)
        reading = spool.read(BIG, 10)
        got.extend(reading.bodies)
        spool.done(reading)
    assert got == bodies


def test_one_record_at_least(tmp_path: Path) -> None:
    """A record over both limits of a read is read alone, and the next one after it."""
    spool = spool_in(tmp_path)
    spool.append(b"a" * 100, 50)
    spool.append(b"b", 1)
    reading = spool.read(10, 10)
    assert (reading.bodies, reading.entries) == ([b"a" * 100], 50)
    assert spool.entries == 1
    assert spool.read(10, 10).bodies == [b"b"]
    assert spool.read(10, 10) is None


def test_limits_of_a_read(tmp_path: Path) -> None:
    """A read stops before the record that would pass its bytes or its entries."""
    spool = spool_in(tmp_path)
    for _ in range(10):
        spool.append(b"x" * 10, 3)
    assert len(spool.read(35, 1_000).bodies) == 3
    assert len(spool.read(1_000, 7).bodies) == 2


def test_put_back_is_read_first(tmp_path: Path) -> None:
    """Readings put back, in any order, are read again in order before what was never read."""
    spool = spool_in(tmp_path, segment_bytes=200)
    bodies = numbered(60)
    for body in bodies:
        spool.append(body, 1)
    readings = [spool.read(BIG, 4) for _ in range(8)]
    kept = readings.pop(3)
    random.Random(1).shuffle(readings)
    for reading in readings:
        spool.put_back(reading)
    spool.done(kept)
    assert drain(spool) == [body for body in bodies if body not in kept.bodies]
    assert spool.entries == 0


def test_delivered_segments_are_deleted(tmp_path: Path) -> None:
    """A segment goes when its last record is delivered; only the one being written stays."""
    spool = spool_in(tmp_path, segment_bytes=200)
    for body in numbered(50):
        spool.append(body, 1)
    readings = []
    while reading := spool.read(BIG, 1):
        readings.append(reading)
    before = len(segment_paths(tmp_path))
    random.Random(2).shuffle(readings)
    for reading in readings:
        spool.done(reading)
    assert (before > 5, len(segment_paths(tmp_path))) == (True, 1)
    assert spool.size_bytes == disk_bytes(tmp_path)
    spool.close()
    assert segment_paths(tmp_path) == []


def test_undelivered_comes_again(tmp_path: Path) -> None:
    """After a close, what was delivered stays away, even in the middle of a segment."""
    spool = spool_in(tmp_path, segment_bytes=1_000)
    bodies = numbered(100)
    for body in bodies:
        spool.append(body, 2)
    spool.done(spool.read(BIG, 60))  # ends within a segment: 30 records of two entries
    spool.read(BIG, 4)  # handed out, and never heard of again
    spool.put_back(spool.read(BIG, 4))
    left = [*drain_all_readings(spool)]
    spool.close()
    again = spool_in(tmp_path)
    assert again.entries == 0
    gained = again.adopt()
    assert gained == again.entries == 2 * len(drain(again))
    assert len(left) < gained


def drain_all_readings(spool: Spool) -> list[bytes]:
    """Every body that is left, none noted as delivered."""
    bodies: list[bytes] = []
    while reading := spool.read(BIG, 5_000):
        bodies.extend(reading.bodies)
    return bodies


def test_delivered_out_of_order_comes_again_from_the_first_gap(tmp_path: Path) -> None:
    """Whatever order deliveries end in, nothing undelivered is skipped by the next process."""
    spool = spool_in(tmp_path)
    for number in range(10):
        spool.append(b"%d" % number, 1)
    first, second, third = (spool.read(BIG, 2) for _ in range(3))
    spool.done(third)
    spool.done(first)
    spool.close()
    again = spool_in(tmp_path)
    again.adopt()
    assert drain(again) == [b"%d" % number for number in range(2, 10)]
    assert second.bodies == [b"2", b"3"]


def test_adopted_records_come_before_own(tmp_path: Path) -> None:
    """What an ended process left is older, so it is read before what this one has appended."""
    old = spool_in(tmp_path)
    old.append(b"old", 1)
    old.close()
    spool = spool_in(tmp_path)
    spool.append(b"new", 1)
    assert spool.adopt() == 1
    assert drain(spool) == [b"old", b"new"]


def test_a_living_spool_keeps_its_segments(tmp_path: Path) -> None:
    """No other spool, of the same process either, adopts what an open one owns."""
    spool, other = spool_in(tmp_path), spool_in(tmp_path)
    spool.append(b"mine", 1)
    assert (other.adopt(), other.read(BIG, 10)) == (0, None)
    assert drain(spool) == [b"mine"]


def test_cap_by_bytes(tmp_path: Path) -> None:
    """At no append do the files pass the cap; the oldest go, and each lost entry is counted."""
    spool = spool_in(tmp_path, max_bytes=4_000)
    bodies = numbered(1_000)
    for body in bodies:
        spool.append(body, 3)
        assert disk_bytes(tmp_path) <= 4_000
        assert disk_bytes(tmp_path) == spool.size_bytes
    kept = drain(spool)
    assert kept == bodies[-len(kept) :]
    assert len(kept) > 80  # eight segments, of which one at most is empty
    assert spool.dropped == {"spool_full": 3 * (1_000 - len(kept))}


def test_what_was_due_before_is_read_before(tmp_path: Path) -> None:
    """It is read behind batches that were due earlier, of other processes too."""
    clock = Clock()
    earlier = spool_in(tmp_path, time_s=clock)
    earlier.append(b"earlier", 1)
    earlier.close()
    clock.now_s += 60
    spool = spool_in(tmp_path, time_s=clock)
    due_ns = int(clock.now_s * 1e9)
    clock.now_s += 60
    spool.append(b"later", 1)
    spool.append(b"due", 1, due_ns)
    spool.adopt()
    assert drain(spool) == [b"earlier", b"due", b"later"]


def test_nothing_younger_is_dropped_for_what_was_due_before(tmp_path: Path) -> None:
    """Where the younger take all the room, it is the oldest, and goes itself."""
    clock = Clock()
    spool = spool_in(tmp_path, max_bytes=4_000, time_s=clock)
    spool.append(b"oldest", 1)
    clock.now_s += 60
    due_ns = int(clock.now_s * 1e9)
    clock.now_s += 60
    while not spool.dropped:
        spool.append(b"y" * 400, 1)
    younger, before = spool.entries, spool.dropped["spool_full"]
    spool.append(b"d" * 2_000, 5, due_ns)
    assert spool.dropped["spool_full"] == before + 5
    assert drain(spool) == [b"y" * 400] * younger


def test_cap_counts_what_others_keep(tmp_path: Path) -> None:
    """Segments of ended processes count, and as the oldest they are dropped first."""
    old = spool_in(tmp_path, max_bytes=4_000)
    for _ in range(60):
        old.append(b"o" * 40, 1)
    old.close()
    spool = spool_in(tmp_path, max_bytes=4_000)
    for number in range(50):
        spool.append(b"n" * 40, 1)
        assert disk_bytes(tmp_path) <= 4_000, number
    spool.adopt()
    kept = drain(spool)
    assert kept.count(b"n" * 40) == 50
    assert spool.dropped == {"spool_full": 110 - len(kept)}


def test_cap_used_up_by_living_processes(tmp_path: Path) -> None:
    """When living processes fill the folder, a new spool raises, and drops none of their lines."""
    old = spool_in(tmp_path, max_bytes=4_000)
    for _ in range(100):
        old.append(b"o" * 40, 1)
    spool = spool_in(tmp_path, max_bytes=2_000)
    with pytest.raises(OSError, match="other processes keep") as failure:
        spool.append(b"n", 1)
    assert failure.value.errno == errno.ENOSPC
    assert len(drain(old)) + old.dropped["spool_full"] == 100


def test_batch_over_the_cap(tmp_path: Path) -> None:
    """A batch that can never fit is dropped and counted; it drives nothing else out."""
    spool = spool_in(tmp_path, max_bytes=1_000)
    spool.append(b"small", 1)
    spool.append(b"x" * 1_000, 7)
    assert (drain(spool), spool.dropped) == ([b"small"], {"spool_full": 7})


def test_dropped_while_handed_out(tmp_path: Path) -> None:
    """When a segment is dropped under a reading, the reading is lost only if it is put back."""
    for ending, lost in (("done", 0), ("put_back", 1)):
        spool = spool_in(tmp_path / ending, max_bytes=1_000)
        spool.append(b"first", 1)
        reading = spool.read(BIG, 1)
        for number in range(100):
            spool.append(b"%040d" % number, 1)
        getattr(spool, ending)(reading)
        assert spool.dropped["spool_full"] == 100 + lost - len(drain(spool))


def test_cap_by_age(tmp_path: Path) -> None:
    """What is older than the cap is dropped and counted; what is an eighth younger stays."""
    clock = Clock()
    spool = spool_in(tmp_path, max_age_s=800, time_s=clock)
    for number in range(10):
        spool.append(b"%d" % number, 2)
        clock.now_s += 101
    clock.now_s += 10
    assert drain(spool) == [b"3", b"4", b"5", b"6", b"7", b"8", b"9"]
    assert spool.dropped == {"spool_expired": 6}


def test_cap_by_age_of_the_adopted(tmp_path: Path) -> None:
    """Age counts from when the ended process wrote, not from the adoption."""
    clock = Clock()
    old = spool_in(tmp_path, time_s=clock)
    old.append(b"old", 5)
    old.close()
    clock.now_s += 8 * DAY_S
    spool = spool_in(tmp_path, time_s=clock)
    spool.adopt()
    assert (spool.read(BIG, 10), spool.dropped) == (None, {"spool_expired": 5})
    assert segment_paths(tmp_path) == []


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    """Folder and segments are for the user of the process only: lines may hold secrets."""
    spool = spool_in(tmp_path / "deep" / "spool")
    spool.append(b"secret", 1)
    (path,) = segment_paths(spool.folder)
    assert spool.folder.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_append_and_read_after_close(tmp_path: Path) -> None:
    """A late line after the close is still kept, for this process or the next."""
    spool = spool_in(tmp_path)
    spool.append(b"a", 1)
    reading = spool.read(BIG, 1)
    spool.close()
    spool.put_back(reading)
    spool.append(b"b", 1)
    spool.close()
    spool.adopt()
    assert drain(spool) == [b"a", b"b"]
    assert spool.dropped == {}


def test_signal_handler_appends_too(tmp_path: Path) -> None:
    """Appends of a signal handler, wherever it interrupts an append, are kept with the rest."""
    spool = spool_in(tmp_path, segment_bytes=2_000)
    numbers = itertools.count()
    alarms: list[bytes] = []

    def on_alarm(*_: object) -> None:
        body = b"alarm %d" % next(numbers)
        spool.append(body, 1)
        alarms.append(body)

    bodies: list[bytes] = []
    before = signal.signal(signal.SIGALRM, on_alarm)
    rng = random.Random(3)
    try:
        while len(alarms) < 300:
            bodies.append(b"%d" % next(numbers))
            # One at a time, or a busy machine does nothing but answer alarms.
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 1e-4))
            spool.append(bodies[-1], 1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    spool.close()
    got: list[bytes] = []
    while spool.adopt():  # more segments than it opens at a time
        got += drain(spool)
    assert sorted(got) == sorted(bodies + alarms)


def test_failed_append_of_a_signal_handler_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The segment that it had begun is closed and removed with the others."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    spool = spool_in(tmp_path)
    monkeypatch.setattr("lokikit.spool.segment.SpoolSegment.append", fail)
    with spool._lock, pytest.raises(OSError, match="cannot write"):  # as an interrupted method
        spool.append(b"a", 1)
    spool.close()
    assert segment_paths(tmp_path) == []


def test_folder_that_vanishes(tmp_path: Path) -> None:
    """A cleaner that removes the folder costs what was in it; new segments are written again."""
    spool = spool_in(tmp_path / "spool", segment_bytes=100)
    for body in numbered(20):
        spool.append(body, 1)
    for path in spool.folder.iterdir():
        path.unlink()
    spool.folder.rmdir()
    for body in numbered(20):
        spool.append(body, 1)
    assert segment_paths(spool.folder) != []


@pytest.mark.parametrize("sync", [True, False])
def test_only_with_sync_each_append_waits_for_the_disk(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sync: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Without it the end of the process loses nothing, but a power cut may."""
    synced: list[int] = []
    monkeypatch.setattr("os.fsync", synced.append)
    spool = spool_in(tmp_path, sync=sync)
    for due_ns in (None, None, 1):
        spool.append(b"a", 1, due_ns)
    folders = 2  # one for each new segment
    assert len(synced) == (3 + folders if sync else 0)


def test_what_the_disk_does_not_sync_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who appends keeps it elsewhere, so that it must not be here too."""

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    spool = spool_in(tmp_path, sync=True)
    spool.append(b"kept", 1)
    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="cannot write"):
        spool.append(b"lost", 1)
    assert drain(spool) == [b"kept"]
