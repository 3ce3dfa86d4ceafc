"""The loop that carries lines from a source to Loki, one batch at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lokikit.delivery.batch_limits import MAX_BATCH_AGE_S, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES

if TYPE_CHECKING:
    from lokikit.delivery.delivery import Delivery
    from lokikit.delivery.entry import Entry
    from lokikit.ship.followed_file import FollowedFile
    from lokikit.ship.sources import Item, Mark, Source

IDLE_FLUSH_S = 0.2
LOOK_EVERY_S = 0.2
REPORT_EVERY_S = 1.0
GRACE_S = 10.0
"""Seconds that the rest may take after the request to stop."""
UNDELIVERED = "undelivered"
"""Reason of lines that are dropped at a stop, of a source that is not durable."""
_HANGING_S = 1.0


@dataclass
class Batch:
    """Entries for one push."""

    opened_s: float
    entries: list[Entry] = field(default_factory=list)
    marks: dict[FollowedFile, Mark] = field(default_factory=dict)
    lines: int = 0
    size_bytes: int = 0

    def add(self, item: Item) -> None:
        """Add an event."""
        self.lines += 1
        self.size_bytes += item.size_bytes
        if item.entry is not None:
            self.entries.append(item.entry)
        if item.file is not None:
            self.marks[item.file] = item.mark

    def is_full(self) -> bool:
        """Return True when the batch has to go before more is read."""
        return self.lines >= MAX_BATCH_ENTRIES or self.size_bytes >= MAX_BATCH_BYTES


class Flight:
    """A batch on its way, in a thread of its own for which the exit of the process never waits."""

    def __init__(self, batch: Batch, deliver: Callable[[list[Entry]], list[Entry]]) -> None:
        self.batch = batch
        self._left: list[Entry] | None = None
        self._error: BaseException | None = None
        self._deliver = deliver
        self._thread = threading.Thread(target=self._fly, name="lokikit-push", daemon=True)
        self._thread.start()

    def landed(self, within_s: float = 0) -> bool:
        """Wait at most `within_s` for the end of the delivery; return True when it has ended."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def left(self) -> list[Entry]:
        """Return the entries that are not delivered: all of them before the end."""
        if self._error is not None:
            raise self._error
        return self.batch.entries if self._left is None else self._left

    def _fly(self) -> None:
        try:
            self._left = self._deliver(self.batch.entries)
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self._error = error


class Shipper:
    """Ships a source to its end, or until `stop`.

    While Loki is away at most two batches are held, and the source is not read.

    Args:
        source: source of the lines.
        make_delivery: makes the delivery to Loki around a `wait` of this shipper.
        report: gets the statistics once a second.
        grace_s: seconds that the rest may take after the request to stop.
    """

    def __init__(
        self,
        source: Source,
        make_delivery: Callable[[Callable[[float], bool]], Delivery],
        *,
        report: Callable[[Mapping[str, Any]], None] = lambda _: None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.read = 0
        self.blank = 0
        self.joined = 0
        self._source = source
        self._give_up = threading.Event()
        self.delivery = make_delivery(self._give_up.wait)
        self._report = report
        self._grace_s = grace_s
        self._stops = 0
        self._deadline_s: float | None = None
        self._batch = Batch(time.monotonic())
        self._flight: Flight | None = None
        self._round: Iterator[Item] = iter(())
        self._looked_s = self._reported_s = float("-inf")

    def request_stop(self) -> None:
        """Request the end, from a signal handler; a second call requests it at once."""
        self._stops += 1

    def run(self) -> list[Entry]:
        """Ship; return the entries that were read and not delivered at the stop."""
        while True:
            self._tend()
            idle = self._fill()
            self._land()
            if idle and self._source.ended and not self._batch.lines and not self._flight:
                break
            if self._is_out_of_time():
                break
            self._launch(idle=idle)
            self._pause(idle=idle)
        left = self._abandon()
        self._report(self.statistics())
        return left

    def statistics(self) -> Mapping[str, Any]:
        """Return the statistics so far, for JSON."""
        counts = self.delivery.counts
        return {
            "time_ns": time.time_ns(),
            "read": self.read,
            "blank": self.blank,
            "joined": self.joined,
            "sent": counts.sent,
            "retried": counts.retried,
            "dropped": counts.dropped.total(),
            "dropped_by_reason": dict(counts.dropped),
            "dead_letters": counts.dead_letters,
            "connected": counts.connected,
        }

    def _tend(self) -> None:
        now_s = time.monotonic()
        if self._stops and self._deadline_s is None:
            self._source.stop()
            self._deadline_s = now_s + self._grace_s
        if now_s - self._looked_s >= LOOK_EVERY_S:
            self._looked_s = now_s
            self._source.look()
        if now_s - self._reported_s >= REPORT_EVERY_S:
            self._reported_s = now_s
            self._report(self.statistics())

    def _fill(self) -> bool:
        """Read until the batch is full; return True when there was nothing more to read."""
        while not self._batch.is_full():
            item = next(self._round, None)
            if item is None:
                self._round = self._source.items()
                item = next(self._round, None)
            if item is None:
                return True
            self._take(item)
        return False

    def _take(self, item: Item) -> None:
        if not self._batch.lines:
            self._batch.opened_s = time.monotonic()
        self._batch.add(item)
        self.read += item.lines
        self.blank += item.blank
        self.joined += item.lines - item.blank - (item.entry is not None)

    def _land(self) -> None:
        if self._flight and self._flight.landed() and not self._flight.left():
            self._source.acknowledge(self._flight.batch.marks)
            self._flight = None

    def _launch(self, *, idle: bool) -> None:
        if self._flight or not self._batch.lines:
            return
        age_s = time.monotonic() - self._batch.opened_s
        due = self._batch.is_full() or self._source.ended or age_s >= MAX_BATCH_AGE_S
        if due or (idle and age_s >= IDLE_FLUSH_S):
            self._flight = Flight(self._batch, self.delivery.deliver)
            self._batch = Batch(time.monotonic())

    def _pause(self, *, idle: bool) -> None:
        if self._flight and (idle or self._batch.is_full()):
            self._flight.landed(LOOK_EVERY_S)
        elif idle and not self._source.ended:
            self._source.wait(LOOK_EVERY_S)

    def _is_out_of_time(self) -> bool:
        if self._deadline_s is None:
            return False
        return self._stops > 1 or time.monotonic() >= self._deadline_s

    def _abandon(self) -> list[Entry]:
        """End the flight; return the entries that are not delivered."""
        left: list[Entry] = []
        self._give_up.set()
        if self._flight and self._flight.landed(_HANGING_S):
            self._land()
        if self._flight:
            left = self._flight.left()
        if self._source.durable:
            return left + self._batch.entries
        for item in self._round:
            self._take(item)
        for item in self._source.rest():
            self._take(item)
        left += self._batch.entries
        for entry in left:
            self.delivery.drop(entry, UNDELIVERED, "not delivered before the end")
        return left
