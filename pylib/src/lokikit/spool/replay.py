"""Lines left in a spool's folder or an agent's storage, sent to Loki by command."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import orjson

from lokikit.delivery.batch_limits import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from lokikit.delivery.delivery import Delivery
from lokikit.delivery.entry import Entry, read_kept_entry
from lokikit.delivery.push_api import Answer, Outcome, Pusher, read_payload
from lokikit.errors import PrerequisiteError
from lokikit.fields import LABEL_SERVICE, UNKNOWN_SERVICE
from lokikit.spool.file_lock import try_lock
from lokikit.spool.fluentbit_chunks import is_posted, read_chunk, rejected_paths
from lokikit.spool.spool import DEAD_LETTERS, Spool, SpoolReading

if TYPE_CHECKING:
    from lokikit.delivery.dead_letters import DeadLetters
    from lokikit.notices import Notices

UNREADABLE = "unreadable"
"""Why bodies that another program or version wrote are dropped."""
TAKEN = "dead-letters.*.replaying"
"""Dead letters taken by a replay; when it is killed, the next replay goes on with them."""


class ReplaySender:
    """Delivers batches, and gives up when Loki takes no push for `timeout_s`.

    Attributes:
        answer: answer of the last push.
        counts: counts of all entries.
    """

    def __init__(  # noqa: PLR0913 - each is a part that tests replace
        self,
        pusher: Pusher,
        letters: DeadLetters,
        notices: Notices,
        *,
        timeout_s: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.answer = Answer(Outcome.DONE)
        self._pusher = pusher
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._clock = clock
        self._until_s = clock() + timeout_s
        self._letters = letters
        self._delivery = Delivery(
            self._push,
            target=pusher.target,
            dead_letters=letters,
            notices=notices,
            wait=self._wait,
            who="spool",
        )
        self.counts = self._delivery.counts

    def deliver(self, entries: Sequence[Entry]) -> list[Entry]:
        """Deliver entries; return those that are left when Loki takes no more.

        Raises:
            PrerequisiteError: Loki refuses entries, and the disk takes no dead letters.
        """
        left = self._delivery.deliver(entries)
        self._check_letters()
        return left

    def set_aside(self, bodies: Iterable[bytes]) -> None:
        """Keep bodies that hold no entries as dead letters.

        Raises:
            PrerequisiteError: the disk takes no dead letters.
        """
        labels = {LABEL_SERVICE: UNKNOWN_SERVICE}
        for body in bodies:
            entry = Entry(time.time_ns(), body.decode("utf-8", "replace"), labels, {})
            self._delivery.drop(entry, UNREADABLE, "no entries of this version of lokikit")
        self._check_letters()

    def _check_letters(self) -> None:
        if self.counts.dead_letters < self.counts.dropped.total():
            raise PrerequisiteError(
                f"spool: cannot keep what Loki refuses in {self._letters.path}: free space there."
            )

    def _push(self, entries: Sequence[Entry]) -> Answer:
        self.answer = self._pusher.push(entries)
        if self.answer.outcome in {Outcome.DONE, Outcome.SPLIT}:
            self._until_s = self._clock() + self._timeout_s
        return self.answer

    def _wait(self, seconds: float) -> bool:
        late = self._clock() + seconds > self._until_s
        if late or self.answer.outcome is Outcome.CONFIGURATION:
            return True
        self._sleep(seconds)
        return False


def replay_orphans(folder: Path, sender: ReplaySender) -> bool:
    """Deliver the segments of dead processes, oldest first; return True when all are."""
    spool = Spool(folder, max_bytes=sys.maxsize, max_age_s=float("inf"))
    try:
        while reading := _next(spool):
            read = [(body, read_payload(body)) for body in reading.bodies]
            if sender.deliver([entry for _, entries in read for entry in entries or ()]):
                return False
            sender.set_aside([body for body, entries in read if entries is None])
            spool.done(reading)
    finally:
        spool.close()
    return True


def _next(spool: Spool) -> SpoolReading | None:
    return spool.read(MAX_BATCH_BYTES, MAX_BATCH_ENTRIES) or (
        spool.read(MAX_BATCH_BYTES, MAX_BATCH_ENTRIES) if spool.adopt() else None
    )


def replay_chunks(storage: Path, sender: ReplaySender, host: str) -> bool:
    """Deliver the chunks of an agent that Loki refused; return True when each line is settled.

    Loki has stored the valid lines of these chunks before, and stores each line once. A chunk stays
    when an event in it is no line of the kit, or when not all of it is delivered.
    """
    for path in rejected_paths(storage):
        try:
            events = list(read_chunk(path.read_bytes(), host, posted=is_posted(path)))
        except FileNotFoundError:  # another replay was quicker
            continue
        entries = [entry for entry in events if entry is not None]
        for start in range(0, len(entries), MAX_BATCH_ENTRIES):
            if sender.deliver(entries[start : start + MAX_BATCH_ENTRIES]):
                return False
        if entries and len(entries) == len(events):
            path.unlink(missing_ok=True)
    return True


def letter_paths(folder: Path) -> list[Path]:
    """Return the files of dead letters: one of the handler or the agent, several of `ship`."""
    return [
        path
        for path in (folder / DEAD_LETTERS, *sorted(folder.glob(f"*.{DEAD_LETTERS}")))
        if path.exists()
    ]


def replay_letters(folder: Path, sender: ReplaySender) -> bool:
    """Deliver the dead letters; return True when Loki has taken or refused each.

    Letters that are not delivered, and lines that are no letters, return to the dead-letter file.
    """
    for path in letter_paths(folder):
        with suppress(FileNotFoundError):  # another replay has taken it
            path.rename(folder / TAKEN.replace("*", f"{time.time_ns():020d}"))
    for path in sorted(folder.glob(TAKEN)):
        with path.open("rb") as file:
            if not try_lock(file):
                continue
            done = _replay_file(file, folder / DEAD_LETTERS, sender)
            path.unlink()
        if not done:
            return False
    return True


def _replay_file(file: BinaryIO, again: Path, sender: ReplaySender) -> bool:
    for lines in _batches(file):
        letters = [(line, _entry(line)) for line in lines]
        left = {id(entry) for entry in sender.deliver([entry for _, entry in letters if entry])}
        if kept := [line for line, entry in letters if entry is None or id(entry) in left]:
            _append(again, kept)
        if left:
            _append(again, file)
            return False
    return True


def _batches(file: BinaryIO) -> Iterator[list[bytes]]:
    while lines := file.readlines(MAX_BATCH_BYTES):
        for start in range(0, len(lines), MAX_BATCH_ENTRIES):
            yield lines[start : start + MAX_BATCH_ENTRIES]


def _entry(line: bytes) -> Entry | None:
    """Return the entry of a dead letter, `None` for a line that is no letter."""
    try:
        letter = orjson.loads(line)
        return read_kept_entry(
            letter["timestamp_ns"], letter["line"], letter["labels"], letter["metadata"]
        )
    except (ValueError, KeyError, TypeError):
        return None


def _append(path: Path, lines: Iterable[bytes]) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    with os.fdopen(os.open(path, flags, 0o600), "ab") as file:
        file.writelines(line if line.endswith(b"\n") else line + b"\n" for line in lines)
