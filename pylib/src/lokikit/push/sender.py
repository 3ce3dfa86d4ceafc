"""The delivery of a handler: pushes within a deadline, counts, and the sending threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lokikit.delivery.delivery import Delivery, isolating_errors
from lokikit.delivery.push_api import Outcome

if TYPE_CHECKING:
    from lokikit.delivery.dead_letters import DeadLetters
    from lokikit.delivery.entry import Entry
    from lokikit.delivery.push_api import Answer, Pusher
    from lokikit.notices import Notices

_MIN_TIMEOUT_S = 0.1


class Sender:
    """Delivers batches, one at a time, until a deadline.

    Args:
        pusher: the connection; closed with the sender.
        dead_letters: keeps entries that Loki refuses for good.
        notices: prints problems.
        wait: waits for a number of seconds; returns True to give up.

    Attributes:
        counts: counts of the entries.
        threads: ids of the threads that are sending now.
        deadline_s: time to give up, by `time.monotonic`; `None` for never.
    """

    def __init__(
        self,
        pusher: Pusher,
        *,
        dead_letters: DeadLetters,
        notices: Notices,
        wait: Callable[[float], bool],
    ) -> None:
        self._batches = self._line_bytes = 0
        self.deadline_s: float | None = None
        self.target = pusher.target
        self._pusher = pusher
        self._timeout_s = pusher.timeout_s
        self.threads: set[int] = set()
        self._delivery = Delivery(
            isolating_errors(self._push),
            target=pusher.target,
            dead_letters=dead_letters,
            notices=notices,
            wait=wait,
            who="push",
            keep_hint="set spool_dir to keep them",
        )
        self.counts = self._delivery.counts

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Mark this thread as sending."""
        thread_id = threading.get_ident()
        nested = thread_id in self.threads
        self.threads.add(thread_id)
        try:
            yield
        finally:
            if not nested:
                self.threads.discard(thread_id)

    def is_late(self) -> bool:
        """Return True when the deadline has passed."""
        return self.deadline_s is not None and time.monotonic() >= self.deadline_s

    def deliver(self, entries: Sequence[Entry]) -> list[Entry]:
        """Deliver entries; return those that are left when it is time to give up."""
        return self._delivery.deliver(entries)

    def stats(self) -> dict[str, Any]:
        """Return its part of `LokiHandler.stats`."""
        return {
            "sent": self.counts.sent,
            "bytes": self._line_bytes,
            "batches": self._batches,
            "retried": self.counts.retried,
            "dead": self.counts.dead_letters,
            "connected": self.counts.connected,
            "last_error": self.counts.last_error,
        }

    def close(self) -> None:
        """Close the connection."""
        self._pusher.close()

    def _push(self, entries: Sequence[Entry]) -> Answer:
        if self.deadline_s is not None:
            left_s = max(_MIN_TIMEOUT_S, self.deadline_s - time.monotonic())
            connect_s, read_s = self._timeout_s
            self._pusher.timeout_s = (min(connect_s, left_s), min(read_s, left_s))
        answer = self._pusher.push(entries)
        if answer.outcome is Outcome.DONE:
            self._batches += 1
            self._line_bytes += sum(len(entry.line) for entry in entries)
        return answer
