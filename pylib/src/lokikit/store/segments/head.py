"""The unsealed rows: new rows in a buffer of Python, older rows in a table of DuckDB."""

from __future__ import annotations

import threading
import time
import weakref
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from operator import itemgetter

from lokikit.store.segments.database import Cursor, table_columns
from lokikit.store.segments.schema import Part
from lokikit.store.segments.stored_rows import StoredRow, table_columns_of

_LINE, _STREAM, _TS = itemgetter(2), itemgetter(1), itemgetter(0)
_NO_ROWS_NS = (1 << 63) - 1
_BATCH_ROWS = 4_000
_BATCH_CHARACTERS = 4 << 20
_NEW_ROWS = "new_rows"


class Head:
    """The rows of one or more append logs that no segment holds yet.

    Args:
        first_log: number of the first log whose rows these are.
        cursor: of the database.
        retire: called with the name of the table when the last reference to the head is gone.

    Attributes:
        last_log: number of the last log whose rows these are.
        keys: hashes of the rows.
        oldest_ns: stream -> time of its oldest row.
        newest_ns: stream -> time of its newest row.
        bytes: characters of the lines.
        is_ordered: True when the rows have come in the order of time.
        since_s: when the first row came, on the monotonic clock.
    """

    def __init__(self, first_log: int, cursor: Cursor, retire: Callable[[str], None]) -> None:
        self.first_log = self.last_log = first_log
        self.table = f"head_{first_log}"
        self.keys: set[int] = set()
        self.oldest_ns: dict[int, int] = {}
        self.newest_ns: dict[int, int] = {}
        self.rows = self.bytes = 0
        self.min_ns, self.max_ns = _NO_ROWS_NS, -_NO_ROWS_NS
        self.since_s = 0.0
        self.is_ordered = True
        self._buffer: list[StoredRow] = []
        self._insert_lock = threading.Lock()
        self._cursor = cursor
        cursor.execute(f"CREATE TABLE {self.table} ({table_columns()})")
        weakref.finalize(self, retire, self.table).atexit = False

    @property
    def waiting(self) -> int:
        """How many rows are in the buffer."""
        return len(self._buffer)

    def publish(self, rows: Sequence[StoredRow]) -> None:
        """Show a batch of rows, ordered by time and on the disk, to each query from now on."""
        if not self.rows:
            self.since_s = time.monotonic()
        self.keys.update(map(hash, rows))
        streams, times = list(map(_STREAM, rows)), list(map(_TS, rows))
        self._widen(streams, times)
        self.is_ordered = self.is_ordered and times[0] >= self.max_ns
        self.min_ns, self.max_ns = min(self.min_ns, times[0]), max(self.max_ns, times[-1])
        self.bytes += sum(map(len, map(_LINE, rows)))
        self.rows += len(rows)
        self._buffer.extend(rows)

    def _widen(self, streams: list[int], times: list[int]) -> None:
        """Take in the times of a batch: the last row of a stream is its newest."""
        for number, ns in dict(zip(streams, times, strict=True)).items():
            self.newest_ns[number] = max(self.newest_ns.get(number, ns), ns)
        streams.reverse()
        for number, ns in dict(zip(streams, reversed(times), strict=True)).items():
            self.oldest_ns[number] = min(self.oldest_ns.get(number, ns), ns)

    def streams_within(self, start_ns: int, end_ns: int) -> set[int]:
        """Numbers of the streams whose rows reach into a span of time."""
        oldest_ns = self.oldest_ns.copy()  # copied first: each stream in it is in the other too
        newest_ns = self.newest_ns.copy()
        return {
            number
            for number, ns in oldest_ns.items()
            if ns < end_ns and newest_ns[number] >= start_ns
        }

    def insert(self, max_rows: int | None = None) -> None:
        """Move up to `max_rows` rows of the buffer into the table, all when None."""
        with self._insert_lock:
            left = min(max_rows or len(self._buffer), len(self._buffer))
            while left > 0:
                rows = self._next_rows(min(left, _BATCH_ROWS))
                self._insert(rows)
                del self._buffer[: len(rows)]
                left -= len(rows)

    def _next_rows(self, max_rows: int) -> list[StoredRow]:
        rows = self._buffer[:max_rows]
        ends = list(accumulate(map(len, map(_LINE, rows))))
        return rows[: max(1, bisect_right(ends, _BATCH_CHARACTERS))]

    def _insert(self, rows: list[StoredRow]) -> None:
        from lokikit.store.segments.arrow_columns import arrow_table  # noqa: PLC0415 - a start needs no Arrow

        columns = table_columns_of(rows)
        names = ", ".join(columns)
        self._cursor.register(_NEW_ROWS, arrow_table(columns))
        try:
            self._cursor.execute(
                f"INSERT INTO {self.table} ({names}) SELECT {names} FROM {_NEW_ROWS}"
            )
        finally:
            self._cursor.unregister(_NEW_ROWS)

    def part(self) -> Part:
        """All rows so far, as SQL reads them."""
        self.insert()
        return Part(
            relation=self.table,
            min_ns=self.min_ns,
            max_ns=self.max_ns,
            rows=self.rows,
            streams=frozenset(self.newest_ns.copy()),
            sealed=False,
            pin=self,
        )
