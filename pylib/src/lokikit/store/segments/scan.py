"""Rows of many parts in the order of time, read window by window."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.store.segments.segment import Segment

if TYPE_CHECKING:
    from lokikit.store.rows import Direction
    from lokikit.store.segments.database import Cursor
    from lokikit.store.segments.schema import Part

TableRow = tuple[int, int, str, "str | None", "str | None"]
"""ts, stream, line, meta, level."""

_COLUMNS = "ts, stream, line, meta, level"
_MANY_ROWS = 2_000
_FETCH_ROWS = 1_000
_FIRST_PARTS = (8, 2)
"""The first row group is read in parts: most queries want the first lines alone."""
_HEAD_ROWS = 1_000
_HEAD_GROWTH = 4


@dataclass(frozen=True)
class RowSelection:
    """The rows that a scan yields, from `start_ns` up to, not including, `end_ns`."""

    start_ns: int
    end_ns: int
    condition: str
    direction: Direction
    check: Callable[[], None]

    @property
    def where(self) -> str:
        """The condition of SQL, with two parameters for a span of time."""
        return f"ts >= ? AND ts < ? AND {self.condition}"


class _Pace:
    """How many row groups are read at once: more of them while they have few rows.

    Attributes:
        groups: for the next window.
        is_first: True until the first window is read.
    """

    def __init__(self) -> None:
        self.groups = 1
        self.is_first = True

    def adapt(self, rows: int) -> None:
        """Take in the number of rows of the last window."""
        self.is_first = False
        self.groups = 1 if rows > _MANY_ROWS else 2 * self.groups


def scan_parts(
    cursor: Callable[[], Cursor], parts: Sequence[Part], selection: RowSelection
) -> Iterator[TableRow]:
    """The rows of all parts in the order of time; a part is opened when its time has come."""
    sign = -1 if selection.direction == "backward" else 1
    waiting = sorted(parts, key=lambda part: _edge(part, sign), reverse=True)
    heap: list[tuple[int, int, TableRow, Iterator[TableRow]]] = []
    opened, pace = 0, _Pace()
    while heap or waiting:
        while waiting and (not heap or _edge(waiting[-1], sign) <= heap[0][0]):
            opened += 1
            _push(heap, sign, opened, _scan_part(cursor(), waiting.pop(), selection, pace))
        if heap:
            _, order, row, rows = heap[0]
            yield row
            following = next(rows, None)
            if following is None:
                heapq.heappop(heap)
            else:
                heapq.heapreplace(heap, (sign * following[0], order, following, rows))


def _edge(part: Part, sign: int) -> int:
    return part.min_ns if sign > 0 else -part.max_ns


def _push(
    heap: list[tuple[int, int, TableRow, Iterator[TableRow]]],
    sign: int,
    order: int,
    rows: Iterator[TableRow],
) -> None:
    first = next(rows, None)
    if first is not None:
        heapq.heappush(heap, (sign * first[0], order, first, rows))


def _scan_part(
    cursor: Cursor, part: Part, selection: RowSelection, pace: _Pace
) -> Iterator[TableRow]:
    with cursor:
        if isinstance(part.pin, Segment):
            yield from _scan_segment(cursor, part, selection, pace)
        else:
            yield from _scan_head(cursor, part, selection)


def _scan_segment(
    cursor: Cursor, part: Part, selection: RowSelection, pace: _Pace
) -> Iterator[TableRow]:
    query = f"SELECT {_COLUMNS} FROM {part.relation} WHERE {selection.where}"
    backward = selection.direction == "backward"
    edges = _edges(part, selection, splits=pace.is_first)
    while len(edges) > 1:
        groups = pace.groups
        if backward:
            window, edges = edges[-groups - 1 :], edges[:-groups]
        else:
            window, edges = edges[: groups + 1], edges[groups:]
        selection.check()
        order = " ORDER BY ts DESC" if backward else ""
        rows = 0
        cursor.execute(query + order, [window[0], window[-1]])
        while fetched := cursor.fetchmany(_FETCH_ROWS):
            rows += len(fetched)
            yield from fetched
        pace.adapt(rows)


def _edges(part: Part, selection: RowSelection, *, splits: bool) -> list[int]:
    """Times at which windows may begin and end, the first and last of the span included."""
    group_starts = part.pin.summary.group_starts if isinstance(part.pin, Segment) else ()
    start_ns = max(selection.start_ns, part.min_ns)
    end_ns = min(selection.end_ns, part.max_ns + 1)
    if start_ns >= end_ns:
        return []
    edges = sorted({start_ns, end_ns, *(one for one in group_starts if start_ns < one < end_ns)})
    if not splits:
        return edges
    if selection.direction == "backward":
        inner = [edges[-1] - (edges[-1] - edges[-2]) // divisor for divisor in _FIRST_PARTS]
    else:
        inner = [edges[0] + (edges[1] - edges[0]) // divisor for divisor in _FIRST_PARTS]
    return sorted({*edges, *inner})


def _scan_head(cursor: Cursor, part: Part, selection: RowSelection) -> Iterator[TableRow]:
    """Read the next rows in the order of time, each turn more of them."""
    backward = selection.direction == "backward"
    order = "DESC" if backward else "ASC"
    source = f"FROM {part.relation} WHERE {selection.where}"
    rows_query = f"SELECT {_COLUMNS} {source} ORDER BY ts {order}, rowid {order}"
    edge_query = f"SELECT ts {source} ORDER BY ts {order} LIMIT 1 OFFSET "
    start_ns, end_ns, wanted = selection.start_ns, selection.end_ns, _HEAD_ROWS
    while start_ns < end_ns:
        selection.check()
        span = [start_ns, end_ns]
        is_all = part.rows <= wanted
        edge = None if is_all else cursor.execute(edge_query + str(wanted), span).fetchone()
        low, high = start_ns, end_ns
        if edge and backward:
            low = end_ns = edge[0]
        elif edge:
            high = start_ns = edge[0] + 1
        else:
            start_ns = end_ns
        yield from cursor.execute(rows_query, [low, high]).fetchall()
        wanted *= _HEAD_GROWTH
