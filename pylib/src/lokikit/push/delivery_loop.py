"""The thread of a push handler: batches out of the queue and the spool, until a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from lokikit.delivery.batch_limits import MAX_BATCH_AGE_S, MAX_BATCH_ENTRIES
from lokikit.push.overflow import Overflow
from lokikit.push.queue import ItemQueue, read_items
from lokikit.push.sender import Sender

if TYPE_CHECKING:
    from collections import Counter

    from lokikit.delivery.dead_letters import DeadLetters
    from lokikit.delivery.entry import Entry
    from lokikit.delivery.push_api import Pusher
    from lokikit.notices import Notices
    from lokikit.push.queue import Item
    from lokikit.spool.spool import Spool

TICK_S = 0.2
"""Seconds between two checks of the thread while it waits."""


class DeliveryLoop:
    """Delivers the items that `PushWorker` has put into the queue and the spool.

    Oldest first: the batch in hand, then the spool, then the queue.

    Args:
        make_pusher: opens the connection to Loki; called once in each process.
        spool: the spool, `None` without one.
        dead_letters: keeps entries that Loki refuses for good.
        notices: prints problems.
        max_records: number of items that the queue holds.
        max_bytes: bytes of lines that the queue holds, with `ITEM_BYTES` for each.
        block_s: seconds that a caller may wait for room before the oldest item is dropped.
        durable: True when items must be in the spool before `put` returns.
    """

    def __init__(  # noqa: PLR0913 - only `LokiHandler` makes it
        self,
        make_pusher: Callable[[], Pusher],
        *,
        spool: Spool | None,
        dead_letters: DeadLetters,
        notices: Notices,
        max_records: int,
        max_bytes: int,
        block_s: float,
        durable: bool,
    ) -> None:
        self._make_pusher = make_pusher
        self._disk = Overflow(spool, notices)
        self._dead_letters = dead_letters
        self._notices = notices
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._block_s = block_s
        self._durable = durable
        self._begin()

    def _begin(self) -> None:
        """Set the state of a process that has logged nothing."""
        # Reentrant, because a signal handler may log while its thread holds it.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._wake = threading.Event()
        self._queue = ItemQueue(self._max_records, self._max_bytes)
        self._read_s = 0.0
        self._accepted = self._left_on_disk = 0
        self._in_hand: list[Item] = []
        self._left: list[Entry] = []
        self._taken_ns = 0
        self._flush_until = 0
        self._closed = False
        self._on_retired: Callable[[], object] | None = None
        self._thread: threading.Thread | None = None
        self._sender = Sender(
            self._make_pusher(),
            dead_letters=self._dead_letters,
            notices=self._notices,
            wait=self._pause,
        )

    def after_fork_in_child(self) -> None:
        """Start anew; the parent delivers its own items."""
        self._disk.after_fork_in_child()
        self._begin()

    def count_dropped(self, kind: str, count: int, reason: str = "") -> None:
        """Count items as dropped, and report that at most once a minute."""
        with self._changed:
            self._sender.counts.dropped[kind] += count
            self._changed.notify_all()
        counts = ", ".join(f"{name} {number}" for name, number in sorted(self._dropped().items()))
        self._notices.say("dropped", f"push: lines dropped so far: {counts} {reason}".rstrip())

    def _is_retired(self) -> bool:
        """Return True at the end of a retired worker, when nothing is left; no item comes later."""
        with self._lock:
            busy = self._queue or self._in_hand or self._left or self._disk.entries
            if self._closed or self._on_retired is None or busy:
                return False
            self._closed = True
            self._sender.deadline_s = time.monotonic()
            return True

    def _leave(self) -> None:
        """Keep items that could not be delivered on disk, or count them."""
        with self._lock:
            in_hand = [*self._left, *read_items(self._in_hand)]
            queued = self._read(self._queue.pop_all())
            self._in_hand, self._left = [], []
        # Items that went to disk meanwhile are younger than the batch in hand.
        self._leave_batch(in_hand, self._taken_ns)
        for start in range(0, len(queued), MAX_BATCH_ENTRIES):
            self._leave_batch(queued[start : start + MAX_BATCH_ENTRIES])
        self._left_on_disk = self._disk.entries
        self._end(self._disk.close)
        self._end(self._sender.close)

    def _end(self, close: Callable[[], None]) -> None:
        try:
            close()
        except Exception as error:  # noqa: BLE001 - closing a handler raises nothing
            self._notices.say("error", f"push: closing: {type(error).__name__}: {error}")

    def _read(self, items: list[Item]) -> list[Entry]:
        """Return the entries of items; items that cannot be read are counted as dropped."""
        entries = read_items(items)
        if len(entries) < len(items):
            self.count_dropped("unreadable", len(items) - len(entries))
        return entries

    def _leave_batch(self, batch: list[Entry], since_ns: int | None = None) -> None:
        if batch and not self._disk.keep(batch, since_ns):
            self.count_dropped("exit", len(batch), f"({self._sender.target} took none in time)")

    def _dropped(self) -> Counter[str]:
        return self._sender.counts.dropped + self._disk.dropped

    def _settled(self) -> int:
        # Entries of other processes go first, and were never accepted here.
        return self._sender.counts.sent + self._dropped().total() - self._disk.adopted

    def _run(self) -> None:
        with self._sender.sending():
            while not self._closed:
                self._wake.wait(self._until_due_s())
                self._wake.clear()
                self._try_to_work()
                if self._on_retired and self._is_retired():
                    self._leave()
                    self._on_retired()
                    return
            self._try_to_work()

    def _try_to_work(self) -> None:
        try:
            # A thread that outlasts `close`, or is about to end, must leave the disk to others.
            if not self._closed and not self._on_retired:
                self._disk.adopt_sometimes()
            self._work()
        except Exception as error:  # noqa: BLE001 - nothing stops the worker for good
            with self._lock:
                self._queue.put_back(self._in_hand)
                self._in_hand = []
            self._sender.counts.last_error = f"{type(error).__name__}: {error}"
            text = f"push: an error of lokikit itself: {self._sender.counts.last_error}"
            self._notices.say("error", text)
            time.sleep(TICK_S)

    def _until_due_s(self) -> float:
        return max(0.0, MAX_BATCH_AGE_S - self._queue.age_s())

    def _work(self) -> None:
        """Deliver everything that is due."""
        while not self._sender.is_late():
            if self._disk_is_due():
                self._spill_due()
                self._read_s = time.monotonic()
                if self._disk.deliver_one(self._sender.deliver):
                    self._finish([])
                    continue
            items = self._take() if self._is_due() else []
            if not items:
                return
            self._finish(self._sender.deliver(self._read(items)))

    def _finish(self, left: list[Entry]) -> None:
        with self._changed:
            self._in_hand, self._left = [], left
            self._changed.notify_all()

    def _is_hurried(self) -> bool:
        ending = self._closed or self._on_retired is not None
        return ending or self._settled() < self._flush_until

    def _is_due(self) -> bool:
        if not self._queue:
            return False
        due = self._queue.holds_a_batch() or self._queue.age_s() >= MAX_BATCH_AGE_S
        return due or self._is_hurried()

    def _disk_is_due(self) -> bool:
        count = self._disk.entries
        if not count:
            return False
        # In durable mode every line is on disk for a moment, until a batch is full.
        age_s = time.monotonic() - self._read_s
        full = count >= MAX_BATCH_ENTRIES or age_s >= MAX_BATCH_AGE_S
        return not self._durable or full or self._is_hurried()

    def _take(self) -> list[Item]:
        """Take the next batch out of the queue; it is in hand until `_finish`."""
        with self._changed:
            self._in_hand, self._taken_ns = self._queue.pop_batch(), time.time_ns()
            self._changed.notify_all()
            return self._in_hand

    def _pause(self, seconds: float) -> bool:
        """Wait, and move new items to disk meanwhile; return True when it is time to give up."""
        until_s = time.monotonic() + seconds
        while not self._sender.is_late():
            left_s = until_s - time.monotonic()
            if left_s <= 0:
                return False
            self._wake.wait(min(left_s, TICK_S))
            self._wake.clear()
            self._spill_due()
        return True

    def _spill_due(self) -> None:
        while self._is_due() and self._spill(MAX_BATCH_ENTRIES):
            pass

    def _spill(self, max_entries: int) -> bool:
        """Move the oldest items of the queue to disk; return True when they are there."""
        if not self._disk.works():
            return False
        with self._lock:
            items = self._queue.pop_batch(max_entries)
        entries = self._read(items)
        if self._disk.keep(entries):
            return True
        if len(entries) < len(items):  # the others are counted as dropped already
            items = [item for item in items if read_items([item])]
        with self._lock:
            self._queue.put_back(items)
        return False
