"""The queue of a push handler: callers put lines into it, and never wait for the network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from lokikit.delivery.batch_limits import MAX_BATCH_ENTRIES
from lokikit.push.delivery_loop import TICK_S, DeliveryLoop
from lokikit.push.flush_at_exit import flush_at_end_of_child

if TYPE_CHECKING:
    from lokikit.push.queue import Item

SPILL_ENTRIES = 100
"""Items that a caller moves to disk when the queue is full; a whole batch takes too long."""


class PushWorker(DeliveryLoop):
    """Queues items for callers that never wait, and delivers them in a thread of its own.

    Takes the arguments of `DeliveryLoop`.
    """

    @property
    def senders(self) -> AbstractSet[int]:
        """Ids of the threads that are sending now; their own records are about the sending."""
        return self._sender.threads

    def put(self, item: Item) -> None:
        """Append an item; in durable mode it is on disk when this returns.

        With few calls on purpose, because calls are most of its cost.
        """
        if (self._closed or self._durable) and self._put_apart(item):
            return
        with self._lock:
            self._accepted += 1
            full = self._queue.add(item)
        if full:
            if self._queue.is_over():
                self._make_room()
            self._wake.set()
        if self._thread is None:
            self._start()

    def _put_apart(self, item: Item) -> bool:
        """Keep an item outside the queue; return False when the disk fails and it must go there."""
        if self._closed:
            self._put_late(item)
            return True
        if not self._disk.keep(self._read([item])):
            return False
        with self._lock:
            self._accepted += 1
        if self._disk.entries >= MAX_BATCH_ENTRIES:
            self._wake.set()
        if self._thread is None:
            self._start()
        return True

    def _make_room(self) -> None:
        if self._spill(SPILL_ENTRIES):
            return
        with self._changed:
            if self._block_s and threading.get_ident() not in self.senders:
                self._wake.set()
                self._changed.wait_for(lambda: not self._queue.is_over(), self._block_s)
            while self._queue.is_over():
                self._queue.drop_oldest()
                self.count_dropped("queue_full", 1)

    def count_lost(self, reason: str) -> None:
        """Count a record that became no item, as accepted and dropped."""
        with self._lock:
            self._accepted += 1
        self.count_dropped("error", 1, reason)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None or self._closed:
                return
            thread = threading.Thread(target=self._run, name="lokikit-push", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return  # at the exit no thread starts any more; `close` sends what is left
            self._thread = thread
        flush_at_end_of_child()

    def flush(self, timeout_s: float) -> bool:
        """Wait until all earlier items are delivered or dropped; return False after the time."""
        with self._changed:
            target = self._flush_until = self._accepted
            if self._settled() >= target or self._thread is None:
                return self._settled() >= target
            self._wake.set()
            return self._changed.wait_for(lambda: self._settled() >= target, timeout_s)

    def close(self, timeout_s: float) -> None:
        """Deliver items within `timeout_s`, then spool or count the rest; works once."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._sender.deadline_s = time.monotonic() + timeout_s
        self._wake.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s + TICK_S)
        else:
            with self._sender.sending():
                self._try_to_work()
        self._leave()

    def retire(self, on_end: Callable[[], object]) -> None:
        """Deliver the rest in the background, then end and call `on_end`."""
        with self._lock:
            self._on_retired = on_end
            works = self._thread is not None and self._thread.is_alive()
        if works:
            self._wake.set()
        else:
            self.close(TICK_S)
            on_end()

    def _put_late(self, item: Item) -> None:
        """Keep an item after the end: on disk, or by a push within the deadline of the end."""
        with self._lock:
            self._accepted += 1
        entries = self._read([item])
        if self._disk.keep(entries):
            return
        with self._sender.sending():
            if self._sender.is_late() or self._sender.deliver(entries):
                self.count_dropped("closed", 1)

    def stats(self) -> dict[str, Any]:
        """See `LokiHandler.stats`."""
        with self._lock:
            return {
                **self._sender.stats(),
                "queued": len(self._queue) + len(self._in_hand) + len(self._left),
                "dropped": dict(self._dropped()),
                "spooled": self._left_on_disk if self._closed else self._disk.entries,
                "worker_alive": self._thread is not None and self._thread.is_alive(),
                "oldest_age_s": self._queue.age_s(),
            }
