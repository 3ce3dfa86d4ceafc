"""A replay by hand gives up when it should, and never lets go of what is not delivered."""

from __future__ import annotations

import errno
import fcntl
from typing import TYPE_CHECKING

import orjson
import pytest
from tests.unit.spool.test_fluentbit_chunks import RECORD, chunk

from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Answer, Outcome, payload
from lokikit.errors import PrerequisiteError
from lokikit.notices import Notices
from lokikit.spool.replay import TAKEN, ReplaySender, replay_chunks, replay_letters, replay_orphans
from lokikit.spool.spool import DEAD_LETTERS, Spool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DONE = Answer(Outcome.DONE, status=204)
BUSY = Answer(Outcome.RETRY, "429 slow down", 429, retry_after_s=5.0)
REFUSED = Answer(Outcome.SPLIT, "too old", 400)


class Loki:
    """Gives prepared answers, the last of them for ever; its own clock counts the waiting."""

    target = "http://loki.test"

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.got: list[str] = []
        self.now_s = 0.0

    def push(self, entries: Sequence[Entry]) -> Answer:
        """One answer."""
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is DONE:
            self.got.extend(entry.line for entry in entries)
        return answer

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.now_s += seconds


class FullDisk(DeadLetters):
    """A dead-letter file on a full disk."""

    def keep(self, entry: Entry, reason: str) -> bool:  # noqa: ARG002 - its base has them
        """Fail."""
        raise OSError(errno.ENOSPC, "No space left on device")


def sender_to(loki: Loki, letters: DeadLetters, timeout_s: float = 30) -> ReplaySender:
    """A sender on the clock of that Loki."""
    return ReplaySender(
        loki,
        letters,
        Notices(lambda _: None),
        timeout_s=timeout_s,
        sleep=loki.sleep,
        clock=lambda: loki.now_s,
    )


def letters_in(folder: Path, count: int) -> DeadLetters:
    """Write that many dead letters."""
    letters = DeadLetters(folder / DEAD_LETTERS)
    for number in range(count):
        letters.keep(Entry(number, f"line {number}", {"service_name": "a"}, {}), "for a test")
    return letters


def orphan_in(folder: Path, count: int) -> None:
    """A dead process's spool with so many batches of one entry."""
    spool = Spool(folder, max_bytes=1 << 30, max_age_s=1e6)
    for number in range(count):
        spool.append(payload([Entry(number, f"line {number}", {"service_name": "a"}, {})]), 1)
    spool.close()


def left_in(folder: Path) -> int:
    """How many entries the next process would adopt."""
    spool = Spool(folder, max_bytes=1 << 30, max_age_s=1e6)
    gained = spool.adopt()
    spool.close()
    return gained


def test_waits_as_long_as_loki_asks(tmp_path: Path) -> None:
    """A Loki that is busy is waited for, and gets everything."""
    orphan_in(tmp_path, 10)
    loki = Loki(BUSY, BUSY, DONE)
    assert replay_orphans(tmp_path, sender_to(loki, letters_in(tmp_path, 0)))
    assert loki.got == [f"line {number}" for number in range(10)]
    assert loki.now_s >= 10


def test_gives_up_after_the_timeout(tmp_path: Path) -> None:
    """A Loki that takes nothing for longer is given up, within the time, and all is kept."""
    orphan_in(tmp_path, 10)
    loki = Loki(BUSY)
    sender = sender_to(loki, letters_in(tmp_path, 0), timeout_s=30)
    assert not replay_orphans(tmp_path, sender)
    assert 0 < loki.now_s <= 30
    assert left_in(tmp_path) == 10


def test_gives_up_at_once_over_settings(tmp_path: Path) -> None:
    """Wrong credentials are not waited for: nobody mends them meanwhile."""
    orphan_in(tmp_path, 10)
    loki = Loki(Answer(Outcome.CONFIGURATION, "401 who are you", 401))
    assert not replay_orphans(tmp_path, sender_to(loki, letters_in(tmp_path, 0)))
    assert loki.now_s == 0
    assert left_in(tmp_path) == 10


def test_refused_without_room_for_letters(tmp_path: Path) -> None:
    """When neither Loki nor the disk takes an entry, it stays in the spool, and it is said."""
    orphan_in(tmp_path, 1)
    sender = sender_to(Loki(REFUSED), FullDisk(tmp_path / DEAD_LETTERS))
    with pytest.raises(PrerequisiteError, match="free space"):
        replay_orphans(tmp_path, sender)
    assert left_in(tmp_path) == 1


def test_letters_without_room_for_letters(tmp_path: Path) -> None:
    """The file of letters that the replay had taken stays for the next replay."""
    letters_in(tmp_path, 3)
    with pytest.raises(PrerequisiteError, match="free space"):
        replay_letters(tmp_path, sender_to(Loki(REFUSED), FullDisk(tmp_path / DEAD_LETTERS)))
    (taken,) = tmp_path.glob(TAKEN)
    assert taken.read_bytes().count(b"\n") == 3
    loki = Loki(DONE)
    assert replay_letters(tmp_path, sender_to(loki, DeadLetters(tmp_path / DEAD_LETTERS)))
    assert loki.got == ["line 0", "line 1", "line 2"]
    assert list(tmp_path.iterdir()) == []


def test_letters_delivered_in_part(tmp_path: Path) -> None:
    """When Loki goes away after a split, exactly the undelivered letters stay."""
    letters = letters_in(tmp_path, 4)
    loki = Loki(REFUSED, DONE, Answer(Outcome.RETRY, "refused"))
    assert not replay_letters(tmp_path, sender_to(loki, letters))
    assert loki.got == ["line 0", "line 1"]
    again = Loki(DONE)
    assert replay_letters(tmp_path, sender_to(again, letters))
    assert again.got == ["line 2", "line 3"]


def test_letters_of_ship_are_beside_its_positions(tmp_path: Path) -> None:
    """Each file of positions has letters of its own, and all of them are sent."""
    for number, name in enumerate(("positions", "stack")):
        letters = DeadLetters(tmp_path / f"{name}.{DEAD_LETTERS}")
        letters.keep(Entry(number, f"line {number}", {"service_name": "a"}, {}), "for a test")
    loki = Loki(DONE)
    assert replay_letters(tmp_path, sender_to(loki, DeadLetters(tmp_path / DEAD_LETTERS)))
    assert loki.got == ["line 0", "line 1"]
    assert list(tmp_path.iterdir()) == []


def test_two_replays_of_letters(tmp_path: Path) -> None:
    """A file of letters that another replay is at is left to that one."""
    letters = letters_in(tmp_path, 2)
    taken = letters.path.rename(tmp_path / TAKEN.replace("*", "1"))
    loki = Loki(DONE)
    with taken.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert replay_letters(tmp_path, sender_to(loki, letters))
    assert (loki.got, taken.exists()) == ([], True)


def test_many_orphans(tmp_path: Path) -> None:
    """More segments than are open at a time are all delivered, oldest first."""
    for number in range(150):
        spool = Spool(tmp_path, max_bytes=1 << 30, max_age_s=1e6)
        spool.append(payload([Entry(number, f"line {number}", {"service_name": "a"}, {})]), 1)
        spool.close()
    loki = Loki(DONE)
    assert replay_orphans(tmp_path, sender_to(loki, letters_in(tmp_path, 0)))
    assert loki.got == [f"line {number}" for number in range(150)]


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b"\xff\0",
        b"{}",
        b'{"streams":5}',
        b'{"streams":[{"stream":{},"values":[["1","a"]]}]}',
        b'{"streams":[{"stream":{},"values":[["now","a",{}]]}]}',
        b'{"streams":[{"stream":{},"values":[["1",5,{}]]}]}',
        b'{"streams":[{"stream":"a","values":[["1","a",{}]]}]}',
    ],
)
def test_body_that_cannot_be_read_becomes_a_dead_letter(tmp_path: Path, body: bytes) -> None:
    """What stands before and behind it is delivered."""
    spool = Spool(tmp_path, max_bytes=1 << 30, max_age_s=1e6)
    good = [payload([Entry(n, f"line {n}", {"service_name": "a"}, {})]) for n in range(2)]
    for one in (good[0], body, good[1]):
        spool.append(one, 1)
    spool.close()
    loki = Loki(DONE)
    sender = sender_to(loki, letters_in(tmp_path, 0))
    assert replay_orphans(tmp_path, sender)
    assert loki.got == ["line 0", "line 1"]
    assert sender.counts.dropped == {"unreadable": 1}
    (letter,) = (tmp_path / DEAD_LETTERS).read_bytes().splitlines()
    assert orjson.loads(letter)["line"] == body.decode("utf-8", "replace")
    assert left_in(tmp_path) == 0


def test_body_that_cannot_be_read_stays_without_room_for_letters(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=1 << 30, max_age_s=1e6)
    spool.append(b"no JSON", 1)
    spool.close()
    with pytest.raises(PrerequisiteError):
        replay_orphans(tmp_path, sender_to(Loki(DONE), FullDisk(tmp_path / DEAD_LETTERS)))
    assert left_in(tmp_path) == 1


def refused_chunk(storage: Path, *records: object) -> Path:
    """A chunk that Loki refused of an agent."""
    path = storage / "rejected" / "line:a_400_loki_0x1.flb"
    path.parent.mkdir()
    path.write_bytes(chunk(*records))
    return path


def test_a_refused_chunk_is_delivered_line_by_line(tmp_path: Path) -> None:
    """What is refused again becomes a letter, the rest arrives, and the chunk is gone."""
    path = refused_chunk(tmp_path, RECORD, {**RECORD, "log": "bad"})
    loki = Loki(REFUSED, DONE, REFUSED)
    letters = DeadLetters(tmp_path / DEAD_LETTERS)
    assert replay_chunks(tmp_path, sender_to(loki, letters), "h1")
    assert loki.got == [RECORD["log"]]
    assert orjson.loads((tmp_path / DEAD_LETTERS).read_bytes())["line"] == "bad"
    assert not path.exists()


@pytest.mark.parametrize("answer", [BUSY, DONE])
def test_a_chunk_stays_while_something_in_it_is_not_delivered(
    tmp_path: Path, answer: Answer
) -> None:
    """A Loki that is away, or an event that is no line."""
    records = [RECORD] if answer is BUSY else [RECORD, 5]
    path = refused_chunk(tmp_path, *records)
    sender = sender_to(Loki(answer), DeadLetters(tmp_path / DEAD_LETTERS))
    assert replay_chunks(tmp_path, sender, "h1") is (answer is DONE)
    assert path.exists()
