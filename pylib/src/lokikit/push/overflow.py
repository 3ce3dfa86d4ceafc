"""The spool behind a queue; a spool that is missing or broken takes no entries."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from lokikit.delivery.batch_limits import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from lokikit.delivery.push_api import payload, read_payload

if TYPE_CHECKING:
    from lokikit.delivery.entry import Entry
    from lokikit.notices import Notices
    from lokikit.spool.spool import Spool, SpoolReading

ADOPT_EVERY_S = 30.0
"""Seconds between two searches for entries of dead processes."""
RETRY_S = 30.0
"""Seconds for which a disk that failed is not used."""


class Overflow:
    """Batches on disk, for a sender that must go on when the disk fails.

    Args:
        spool: the spool, `None` without one.
        notices: reports a disk that fails.
    """

    def __init__(self, spool: Spool | None, notices: Notices) -> None:
        self._spool = spool
        self._notices = notices
        self._unreadable = 0
        self._failed_s = self._adopted_s = float("-inf")

    @property
    def entries(self) -> int:
        """Number of entries that wait on disk."""
        return self._spool.entries if self._spool is not None else 0

    @property
    def adopted(self) -> int:
        """Entries taken over from dead processes so far, plus one for each torn segment."""
        return self._spool.adopted if self._spool is not None else 0

    @property
    def dropped(self) -> Counter[str]:
        """Entries that the spool has dropped, by reason."""
        spool = self._spool.dropped if self._spool is not None else Counter()
        return spool + Counter(spool_unreadable=self._unreadable)

    def works(self) -> bool:
        """Return True when the disk may be tried."""
        return self._spool is not None and time.monotonic() - self._failed_s >= RETRY_S

    def keep(self, entries: list[Entry], since_ns: int | None = None) -> bool:
        """Write entries to disk; return True when they are there. See `Spool.append`."""
        if not entries:
            return True
        if self._spool is None or not self.works():
            return False
        try:
            self._spool.append(payload(entries), len(entries), since_ns)
        except Exception as error:  # noqa: BLE001 - lines go on through memory
            self._failed_s = time.monotonic()
            text = f"push: the spool takes no lines: {error}; they wait in memory"
            self._notices.say("spool", text)
            return False
        return True

    def deliver_one(self, deliver: Callable[[list[Entry]], list[Entry]]) -> bool:
        """Deliver the oldest batch, or leave it on disk; return False without a batch."""
        if self._spool is None:
            return False
        try:
            reading = self._spool.read(MAX_BATCH_BYTES, MAX_BATCH_ENTRIES)
            if reading is None:
                return False
            if deliver(self._entries(reading)):
                self._spool.put_back(reading)
            else:
                self._spool.done(reading)
        except Exception as error:  # noqa: BLE001 - the queue behind the disk must go on
            self._failed_s = time.monotonic()  # so that the queue does not move there
            self._notices.say("spool", f"push: the spool gives no lines: {error}")
            return False
        return True

    def _entries(self, reading: SpoolReading) -> list[Entry]:
        """Return the entries of a reading; unreadable entries are counted as dropped."""
        read = [read_payload(body) for body in reading.bodies]
        entries = [entry for some in read if some is not None for entry in some]
        if None in read:
            self._unreadable += max(1, reading.entries - len(entries))
        return entries

    def adopt_sometimes(self) -> None:
        """Take over the entries of dead processes, unless that was done lately."""
        if self._spool is not None and time.monotonic() - self._adopted_s >= ADOPT_EVERY_S:
            self._adopted_s = time.monotonic()
            self._spool.adopt()

    def close(self) -> None:
        """Leave the entries on disk to the next process."""
        if self._spool is not None:
            self._spool.close()

    def after_fork_in_child(self) -> None:
        """Leave the parent's entries to the parent."""
        self._unreadable = 0
        self._failed_s = self._adopted_s = float("-inf")
        if self._spool is not None:
            self._spool.after_fork_in_child()
