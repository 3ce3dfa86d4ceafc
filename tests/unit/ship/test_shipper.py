from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from tests.waiting import eventually

from lokikit.delivery.batch_limits import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from lokikit.delivery.dead_letters import DeadLetters
from lokikit.delivery.delivery import Delivery
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Answer, Outcome
from lokikit.notices import Notices
from lokikit.ship.shipper import UNDELIVERED, Shipper
from lokikit.ship.sources import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from lokikit.ship.followed_file import FollowedFile
    from lokikit.ship.sources import Mark

GRACE_S = 0.1


class ListSource:
    """A source of prepared lines, which ends by itself only on request."""

    def __init__(self, items: Sequence[Item], *, durable: bool = False, ends: bool = True) -> None:
        self.durable = durable
        self.ended = False
        self.acknowledged = 0
        self.taken = 0
        self._ends = ends
        self._left = list(items)
        self.held: list[Item] = []

    def look(self) -> None:
        """Nothing to do."""

    def items(self) -> Iterator[Item]:
        """All lines in one round."""
        left, self._left = self._left, []
        self.ended = self.ended or self._ends
        for item in left:
            self.taken += 1
            yield item

    def acknowledge(self, marks: Mapping[FollowedFile, Mark]) -> None:
        """Count the batches."""
        assert not marks
        self.acknowledged += 1

    def rest(self) -> Iterator[Item]:
        """What the test holds back."""
        return iter(self.held)

    def wait(self, timeout_s: float) -> None:
        """Wait a little."""
        threading.Event().wait(min(timeout_s, 0.01))

    def stop(self) -> None:
        """End."""
        self.ended = True

    def close(self) -> None:
        """Nothing to do."""


def item(number: int, size_bytes: int = 10) -> Item:
    """A line with that number."""
    return Item(Entry(number, str(number), {"service_name": "a"}, {}), size_bytes)


class Rig:
    """A shipper over a Loki that the test plays."""

    def __init__(self, source: ListSource, answer: Callable[[Sequence[Entry]], Answer]) -> None:
        self.source = source
        self.batches: list[list[str]] = []
        self.reports: list[Mapping[str, Any]] = []

        def push(entries: Sequence[Entry]) -> Answer:
            self.batches.append([entry.line for entry in entries])
            return answer(entries)

        def delivery(wait: Callable[[float], bool]) -> Delivery:
            return Delivery(
                push,
                target="loki",
                dead_letters=DeadLetters(None),
                notices=Notices(lambda _: None),
                wait=wait,
            )

        self.shipper = Shipper(source, delivery, report=self.reports.append, grace_s=GRACE_S)


def done(_: Sequence[Entry]) -> Answer:
    """Loki takes it."""
    return Answer(Outcome.DONE, status=204)


def away(_: Sequence[Entry]) -> Answer:
    """Loki is away."""
    return Answer(Outcome.RETRY, "refused")


def test_all_lines_to_the_end() -> None:
    """A source that ends is delivered whole, in batches of the greatest number of lines."""
    count = 2 * MAX_BATCH_ENTRIES + 1
    rig = Rig(ListSource([item(number) for number in range(count)]), done)
    assert rig.shipper.run() == []
    assert [len(batch) for batch in rig.batches] == [MAX_BATCH_ENTRIES, MAX_BATCH_ENTRIES, 1]
    assert [line for batch in rig.batches for line in batch] == [str(n) for n in range(count)]
    assert rig.reports[-1]["sent"] == rig.reports[-1]["read"] == count


def test_batches_are_bounded_in_bytes() -> None:
    """A batch is full as soon as it holds the greatest number of bytes."""
    rig = Rig(ListSource([item(n, MAX_BATCH_BYTES // 2) for n in range(5)]), done)
    rig.shipper.run()
    assert [len(batch) for batch in rig.batches] == [2, 2, 1]


def test_blank_lines_are_counted_and_acknowledged() -> None:
    """Blank lines are no events, but the position moves over them."""
    rig = Rig(ListSource([Item(None, 0, blank=1)] * 2), done)
    assert rig.shipper.run() == []
    assert rig.batches == []
    assert rig.source.acknowledged == 1
    assert rig.reports[-1]["blank"] == 2


def test_every_line_read_is_accounted_for() -> None:
    """Lines that went into the entry of another are counted as joined, blank ones as blank."""
    joined = item(1)._replace(lines=5, blank=2)
    rig = Rig(ListSource([item(0), joined, Item(None, 0, blank=1)]), done)
    rig.shipper.run()
    counts = rig.reports[-1]
    assert [counts[name] for name in ("read", "sent", "joined", "blank")] == [7, 2, 2, 3]


def test_what_a_pipe_holds_back_is_dropped_by_name_too() -> None:
    """At a stop while Loki is away, a held traceback of a pipe is counted as undelivered."""
    source = ListSource([item(n) for n in range(3)], ends=False)
    source.held = [item(3)]
    rig = Rig(source, away)
    rig.shipper.request_stop()
    assert [entry.line for entry in rig.shipper.run()] == ["0", "1", "2", "3"]
    assert rig.reports[-1]["dropped_by_reason"] == {UNDELIVERED: 4}


def test_source_is_not_read_on_while_loki_is_away() -> None:
    """At most two batches are held, however much the source has."""
    source = ListSource([item(n) for n in range(10 * MAX_BATCH_ENTRIES)], durable=True, ends=False)
    rig = Rig(source, away)
    thread = threading.Thread(target=rig.shipper.run)
    thread.start()
    eventually(lambda: source.taken == 2 * MAX_BATCH_ENTRIES)
    rig.shipper.request_stop()
    thread.join()
    assert source.taken == 2 * MAX_BATCH_ENTRIES
    assert source.acknowledged == 0


def test_what_a_pipe_cannot_repeat_is_dropped_by_name() -> None:
    """At a stop while Loki is away, lines of a pipe are counted as undelivered."""
    rig = Rig(ListSource([item(n) for n in range(3)], ends=False), away)
    rig.shipper.request_stop()
    assert [entry.line for entry in rig.shipper.run()] == ["0", "1", "2"]
    assert rig.reports[-1]["dropped_by_reason"] == {UNDELIVERED: 3}


def test_what_a_file_repeats_is_not_dropped() -> None:
    """The same lines of a file are given back, and nothing is counted as dropped."""
    rig = Rig(ListSource([item(n) for n in range(3)], durable=True, ends=False), away)
    rig.shipper.request_stop()
    assert len(rig.shipper.run()) == 3
    assert rig.reports[-1]["dropped"] == 0
    assert rig.source.acknowledged == 0


def test_stop_delivers_what_was_read() -> None:
    """At a stop while Loki is there, all lines that were read are delivered."""
    rig = Rig(ListSource([item(n) for n in range(3)], ends=False), done)
    rig.shipper.request_stop()
    assert rig.shipper.run() == []
    assert rig.reports[-1]["sent"] == 3


def test_defect_on_the_way_is_not_hidden() -> None:
    """An error in the sending thread ends the shipper, it does not hang it."""

    def broken(_: Sequence[Entry]) -> Answer:
        raise ZeroDivisionError

    rig = Rig(ListSource([item(0)]), broken)
    with pytest.raises(ZeroDivisionError):
        rig.shipper.run()
