"""The way of a push: checked for duplicates, on the disk, then visible.

Pushes that come at the same time share one flush of the disk: the first that gets the lock writes
the batches of all that wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lokikit.store.errors import PushError, StoreError
from lokikit.store.segments.append_log import AppendLog, log_path, open_unbuffered
from lokikit.store.segments.disk_guard import UNAVAILABLE, DiskGuard
from lokikit.store.segments.duplicates import late_rows, stored_in_part, stored_in_segments
from lokikit.store.segments.head import Head
from lokikit.store.segments.stored_rows import (
    StoredRow,
    clean_text,
    encode_rows,
    make_row,
    split_metadata,
)
from lokikit.store.segments.streams import sorted_labels

if TYPE_CHECKING:
    from lokikit.store.segments.core import Core
    from lokikit.store.segments.schema import PushedEntry

_TIME = itemgetter(1)
_SEAL_WAIT_S = 10.0
MAX_WAITING = 10_000
"""Rows in a head's buffer; a push helps to insert further rows."""
_WAIT_AT = 2
_REFUSE_AT = 4


class _Ticket:
    """One batch on its way."""

    def __init__(self, entries: Sequence[PushedEntry], rows: list[StoredRow]) -> None:
        self.entries, self.rows = entries, rows
        self.fresh: list[StoredRow] = rows
        self.stored: set[StoredRow] = set()
        self.looked_up_to = 0
        self.is_done = False
        self.error: StoreError | None = None


class Ingest:
    """Takes pushes.

    Attributes:
        has_rows: set when rows wait for their insertion.
        is_sealed: set after each seal.
        needs_seal: set when a head waits to be sealed.
    """

    _log: AppendLog
    _head: Head

    def __init__(
        self, core: Core, guard: DiskGuard, opened: Callable[[Path], BinaryIO] = open_unbuffered
    ) -> None:
        self._core, self._guard, self._opened = core, guard, opened
        self._catalogue, self._counters = core.catalogue, core.counters
        self._cursor = core.database.cursor()
        self._commit_lock = threading.Lock()
        self._queue_lock = threading.Lock()
        self._queue: list[_Ticket] = []
        self._subscribers: tuple[Callable[[list[PushedEntry]], None], ...] = ()
        self.has_rows, self.is_sealed, self.needs_seal = (threading.Event() for _ in range(3))

    def begin(self, head: Head, log_number: int) -> None:
        """Take new rows into this head and into the log with this number."""
        head.last_log = log_number
        self._log = AppendLog(log_path(self._core.folder, log_number), self._opened)
        self._head = head
        self._catalogue.add_head(head)

    def new_head(self, first_log: int) -> Head:
        """An empty head."""
        core = self._core
        return Head(first_log, core.database.cursor(), core.waste.tables.append)

    def subscribe(self, callback: Callable[[list[PushedEntry]], None]) -> Callable[[], None]:
        """Call `callback` with the new entries of each batch; return a function that ends it."""
        self._subscribers = (*self._subscribers, callback)

        def unsubscribe() -> None:
            self._subscribers = tuple(one for one in self._subscribers if one is not callback)

        return unsubscribe

    def push(self, entries: Sequence[PushedEntry]) -> None:
        """Return when the entries are on the disk and visible.

        Raises:
            PushError: none of them is stored, or not for sure; the sender repeats the batch.
        """
        if not entries:
            return
        entries = sorted(entries, key=_TIME)  # a head in the order of time is sealed unsorted
        try:
            self._guard.check()
            ticket = _Ticket(entries, self._rows(entries))
        except (OSError, PushError) as error:
            raise self._refusal(error) from error
        self._look_up_late_rows(ticket)
        with self._queue_lock:
            self._queue.append(ticket)
        with self._commit_lock:
            if not ticket.is_done:
                with self._queue_lock:
                    group, self._queue = self._queue, []
                self._commit(group)
        if ticket.error:
            raise ticket.error

    def _refusal(self, error: Exception) -> StoreError:
        self._counters.add("refused_pushes")
        if isinstance(error, StoreError):
            return error
        return PushError(f"the store cannot write: {error}", UNAVAILABLE)

    def _rows(self, entries: Sequence[PushedEntry]) -> list[StoredRow]:
        try:
            rows = self._plain_rows(entries)
            "".join([row.line for row in rows]).encode()
        except (UnicodeEncodeError, TypeError):  # halves of surrogate pairs
            return self._plain_rows([_cleaned(entry) for entry in entries])
        return rows

    def _plain_rows(self, entries: Sequence[PushedEntry]) -> list[StoredRow]:
        labels, times, lines, metadata, levels = zip(*entries, strict=True)
        columns = (times, self._numbers(labels), lines, *split_metadata(metadata, levels))
        return list(map(make_row, zip(*columns, strict=True)))

    def _numbers(self, labels: Sequence[Mapping[str, str]]) -> list[int]:
        """The number of each entry's stream; entries of one stream may share its labels."""
        keys = {id(one): sorted_labels(one) for one in {id(one): one for one in labels}.values()}
        numbers = self._core.streams.numbers(list(keys.values()))
        by_id = {one: numbers[key] for one, key in keys.items()}
        return [by_id[one] for one in map(id, labels)]

    def _look_up_late_rows(self, ticket: _Ticket) -> None:
        """Look into the segments before the lock is taken: others may push meanwhile."""
        newest, segments = self._catalogue.newest, self._catalogue.segments
        ticket.looked_up_to = max((one.name.last_log for one in segments), default=0)
        if late := late_rows(ticket.rows, newest):
            self._counters.add("late_rows", len(late))
            ticket.stored = stored_in_segments(self._core.database.cursor(), late, segments)

    def _commit(self, group: list[_Ticket]) -> None:
        try:
            self._hold_back()
            for i, ticket in enumerate(group):
                self._choose_fresh(ticket, group[:i])
            written = [ticket for ticket in group if ticket.fresh]
            self._log.append([encode_rows(ticket.fresh) for ticket in written])
            for ticket in written:
                self._show(ticket)
        except Exception as error:  # noqa: BLE001 - each who waits gets it
            refusal = self._refusal(error)
            for ticket in group:
                ticket.error = refusal
        for ticket in group:
            ticket.is_done = True
        if self._head.bytes >= self._core.settings.seal_bytes:
            self._rotate()

    def _choose_fresh(self, ticket: _Ticket, earlier: list[_Ticket]) -> None:
        """Leave the rows that are neither stored nor earlier in the group."""
        rows, (segments, heads) = ticket.rows, self._catalogue.holdings
        keys = list(map(hash, rows))
        stored = ticket.stored
        newer = [one for one in segments if one.name.last_log > ticket.looked_up_to]
        if newer:
            stored |= stored_in_segments(self._cursor, rows, newer)
        for head in heads:
            if not head.keys.isdisjoint(keys):
                known = [row for row, key in zip(rows, keys, strict=True) if key in head.keys]
                stored |= stored_in_part(self._cursor, known, head.part())
        in_group = {row for one in earlier for row in one.fresh}
        if stored or len(set(keys)) < len(keys) or not in_group.isdisjoint(rows):
            stored |= in_group
            ticket.fresh = [row for row in dict.fromkeys(rows) if row not in stored]
            self._counters.add("duplicate_rows", len(rows) - len(ticket.fresh))

    def _show(self, ticket: _Ticket) -> None:
        self._head.publish(ticket.fresh)
        self._counters.add("rows", len(ticket.fresh))
        self.has_rows.set()
        if self._subscribers:
            self._call_subscribers(ticket)

    def _call_subscribers(self, ticket: _Ticket) -> None:
        entries = list(ticket.entries)
        if ticket.fresh is not ticket.rows:
            by_row = dict(zip(reversed(ticket.rows), reversed(entries), strict=True))
            entries = [by_row[row] for row in ticket.fresh]
        for callback in self._subscribers:
            self._call_subscriber(callback, entries)

    def _call_subscriber(
        self, callback: Callable[[list[PushedEntry]], None], entries: list[PushedEntry]
    ) -> None:
        try:
            callback(entries)
        except Exception as error:  # noqa: BLE001 - the push is stored all the same
            self._counters.notice(f"a subscriber of new lines failed: {error!r}")

    def _hold_back(self) -> None:
        """Do the background work that is overdue: memory stays bounded."""
        while self._head.waiting > MAX_WAITING:
            self._head.insert(self._core.settings.insert_rows)
        full = self._core.settings.seal_bytes
        if self._head.bytes >= _WAIT_AT * full and len(self._catalogue.holdings.heads) > 1:
            self.is_sealed.clear()
            self.needs_seal.set()
            self.is_sealed.wait(_SEAL_WAIT_S)
        if self._head.bytes >= _REFUSE_AT * full:
            raise PushError("sealing lags behind: pushes are refused until it is done", UNAVAILABLE)

    def rotate(self) -> bool:
        """Let a new head and log take what comes; return True when the old head can be sealed."""
        with self._commit_lock:
            return self._rotate()

    def _rotate(self) -> bool:
        if not self._head.rows or len(self._catalogue.holdings.heads) > 1:
            self.needs_seal.set()
            return False
        number = self._head.last_log + 1
        try:
            log = AppendLog(log_path(self._core.folder, number), self._opened)
        except OSError as error:
            self._counters.notice(f"no new log can be begun, the old one grows: {error}")
            return False
        self._log.close()
        self._log, self._head = log, self.new_head(number)
        self._catalogue.add_head(self._head)
        self.needs_seal.set()
        return True

    def age_s(self, now_s: float) -> float:
        """For how long the oldest unsealed row of the newest head waits."""
        return now_s - self._head.since_s if self._head.rows else 0.0

    def waiting(self) -> int:
        """How many rows wait for their insertion into DuckDB."""
        return sum(head.waiting for head in self._catalogue.holdings.heads)

    def insert(self, max_rows: int | None) -> int:
        """Move waiting rows into DuckDB; return how many still wait."""
        for head in self._catalogue.holdings.heads:
            head.insert(max_rows)
        return self.waiting()

    def close(self) -> None:
        """Close the log; pushes are refused from now on."""
        with self._commit_lock:
            self._log.close()


def _cleaned(entry: PushedEntry) -> PushedEntry:
    return type(entry)(
        _cleaned_texts(entry.labels),
        entry.timestamp_ns,
        clean_text(entry.line),
        _cleaned_texts(entry.metadata),
        entry.level,
    )


def _cleaned_texts(texts: Mapping[str, str]) -> dict[str, str]:
    return {clean_text(key): clean_text(value) for key, value in texts.items()}
