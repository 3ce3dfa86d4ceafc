"""The spool among processes: a killed one loses nothing, and each orphan goes to one heir."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.waiting import eventually

from lokikit.spool.segment import segment_paths
from lokikit.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")

BIG = 1 << 30
_HEAD = """
import os, sys, time
from pathlib import Path
from lokikit.spool.spool import Spool
folder = Path(sys.argv[1])
spool = Spool(folder, max_bytes=1 << 30, max_age_s=1e6, segment_bytes=20_000)
def say(text):
    os.write(1, (text + "\\n").encode())
"""
_APPEND = """
number = 0
while True:
    spool.append(b"%d " % number + b"x" * (number % 700), 1)
    say(str(number))
    number += 1
"""
_APPEND_AND_DELIVER = """
number = 0
while True:
    spool.append(b"%d " % number + b"x" * (number % 700), 1)
    say(str(number))
    number += 1
    if number % 7 == 0:
        reading = spool.read(1 << 20, 5)
        say("d" + " ".join(body.split()[0].decode() for body in reading.bodies))
        spool.done(reading)
"""
_ADOPT = """
sys.stdin.readline()
while gained := spool.adopt():
    while reading := spool.read(1 << 20, 5_000):
        for body in reading.bodies:
            say(body.decode())
        spool.done(reading)
"""
_FORK = """
import signal
spool.append(b"parent", 1)
if os.fork():
    say(str(os.getpid()))
    time.sleep(600)
if "hook" in sys.argv:
    spool.after_fork_in_child()
    spool.append(b"child", 1)
say("c" + str(os.getpid()))
time.sleep(600)
"""


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process with a spool: `start(program, folder)`; it is killed with the test."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _HEAD + program, *map(str, arguments)]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def adopt_all(folder: Path) -> tuple[list[bytes], Spool]:
    """All bodies that a newcomer gets, and the newcomer."""
    spool = Spool(folder, max_bytes=BIG, max_age_s=1e6)
    bodies: list[bytes] = []
    while spool.adopt():
        while reading := spool.read(BIG, 5_000):
            bodies.extend(reading.bodies)
            spool.done(reading)
    return bodies, spool


def numbers(bodies: list[bytes]) -> list[int]:
    """What the processes above have appended, by number."""
    return [int(body.split()[0]) for body in bodies]


def killed_after(process: subprocess.Popen[str], lines: int) -> list[str]:
    """What the process said until it was killed somewhere after so many lines."""
    assert process.stdout is not None
    entries = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    entries += process.stdout.readlines()
    process.wait()
    return [line.strip() for line in entries]


@pytest.mark.parametrize("seed", range(8))
def test_killed_writer(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], seed: int
) -> None:
    """Every append that returned before a SIGKILL is read, in order, by who comes next."""
    lines = random.Random(seed).randrange(1, 3_000)
    result = killed_after(start(_APPEND, tmp_path), lines)
    bodies, spool = adopt_all(tmp_path)
    got = numbers(bodies)
    assert got == list(range(len(got)))
    assert len(result) <= len(got) <= len(result) + 1  # the last may not have been told any more
    assert spool.dropped.keys() <= {"spool_torn"}


@pytest.mark.parametrize("seed", range(4))
def test_killed_writer_that_delivers(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]], seed: int
) -> None:
    """When a process is killed while it delivers, no undelivered record is lost, and few repeat."""
    lines = random.Random(seed).randrange(100, 3_000)
    result = killed_after(start(_APPEND_AND_DELIVER, tmp_path), lines)
    appended = {int(line) for line in result if not line.startswith("d")}
    readings = [set(map(int, line[1:].split())) for line in result if line.startswith("d")]
    delivered = set[int]().union(*readings)
    got = numbers(adopt_all(tmp_path)[0])
    assert appended - delivered <= set(got)
    assert len(got) == len(set(got))
    assert delivered & set(got) <= readings[-1]  # the one whose `done` may have been cut off


def test_two_adopters(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """Adopters that begin at the same time share the records: each goes to exactly one adopter."""
    for _ in range(5):
        killed_after(start(_APPEND, tmp_path), 1_000)
    expected = len(segment_paths(tmp_path))
    adopters = [start(_ADOPT, tmp_path) for _ in range(4)]
    for adopter in adopters:
        assert adopter.stdin is not None
        adopter.stdin.write("go\n")
        adopter.stdin.flush()
    got = [adopter.communicate()[0].splitlines() for adopter in adopters]
    counts = Counter(int(line.split()[0]) for lines in got for line in lines)
    assert expected > 20
    assert all(counts[number] == 5 for number in range(1_000))
    assert max(counts.values()) == 5
    assert segment_paths(tmp_path) == []


def test_living_owner(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """A process that writes is not adopted from; after its end it is."""
    process = start(_APPEND, tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    newcomer = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    assert (newcomer.adopt(), newcomer.entries) == (0, 0)
    killed_after(process, 1)
    assert newcomer.adopt() > 0


def _forked(
    start: Callable[..., subprocess.Popen[str]], *arguments: object
) -> tuple[subprocess.Popen[str], int]:
    """A parent that has appended and its child, both alive; the child's process id."""
    parent = start(_FORK, *arguments)
    assert parent.stdout is not None
    lines = [parent.stdout.readline(), parent.stdout.readline()]
    return parent, next(int(line[1:]) for line in lines if line.startswith("c"))


def test_fork(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """A child leaves its parent's records to the parent; dead, it leaves only its own."""
    parent, child = _forked(start, tmp_path, "hook")
    newcomer = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    assert newcomer.adopt() == 0
    os.kill(child, signal.SIGKILL)
    assert eventually(newcomer.adopt) == 1
    assert newcomer.read(BIG, 10).bodies == [b"child"]
    parent.kill()
    assert eventually(newcomer.adopt) == 1
    assert newcomer.read(BIG, 10).bodies == [b"parent"]


def test_dead_parent_of_a_living_child(
    tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """What a dead parent left is adopted although its child lives, and once only."""
    parent, child = _forked(start, tmp_path, "hook")
    parent.kill()
    newcomer = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    assert eventually(newcomer.adopt) == 1
    assert newcomer.read(BIG, 10).bodies == [b"parent"]
    os.kill(child, signal.SIGKILL)


def test_child_that_holds_on(tmp_path: Path, start: Callable[..., subprocess.Popen[str]]) -> None:
    """A child that never closed its parent's files only delays: they are adopted after its end."""
    parent, child = _forked(start, tmp_path)
    parent.kill()
    parent.wait()
    newcomer = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    assert newcomer.adopt() == 0
    os.kill(child, signal.SIGKILL)
    assert eventually(newcomer.adopt) == 1


def test_child_puts_back_nothing_of_its_parent(tmp_path: Path) -> None:
    """Readings of before the fork are the parent's: in the child they count for nothing."""
    spool = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    spool.append(b"a", 1)
    reading = spool.read(BIG, 1)
    child = os.fork()
    if child == 0:
        spool.after_fork_in_child()
        spool.put_back(reading)
        spool.done(reading)
        clean = (spool.entries, spool.size_bytes, dict(spool.dropped)) == (0, 0, {})
        os._exit(0 if clean else 1)
    assert os.waitpid(child, 0)[1] == 0
    spool.put_back(reading)
    assert spool.read(BIG, 1).bodies == [b"a"]


def test_many_orphans_do_not_use_up_the_files(tmp_path: Path) -> None:
    """However many processes died, a limited number of files is open at a time."""
    for number in range(300):
        spool = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
        spool.append(b"%d" % number, 1)
        spool.close()
    heir = Spool(tmp_path, max_bytes=BIG, max_age_s=1e6)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert heir.adopt() == 128
    assert len(list(Path("/proc/self/fd").iterdir())) == before + 128
    heir.close()
    assert numbers(adopt_all(tmp_path)[0]) == list(range(300))
