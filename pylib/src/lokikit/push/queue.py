"""What waits in memory: items of callers, bounded by number and bytes, oldest first."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

import orjson

from lokikit.delivery.batch_limits import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from lokikit.delivery.entry import MAX_VALUE_BYTES, ArrivalClock, Entry, fit
from lokikit.fields import METADATA_FIELDS
from lokikit.output.json_values import text
from lokikit.push.stream_labels import Labels
from lokikit.times import parse_timestamp_ns

if TYPE_CHECKING:
    from collections.abc import Sequence

Item = tuple[bytes, bytes, Labels, Labels]
"""Timestamp (RFC 3339 without its `Z`), line, labels, structured metadata."""

ITEM_BYTES = 200
"""What an item in the queue takes beside its line."""
_SECOND_BYTES = len(b"2026-11-21T10:00:00")
_FRACTION = slice(_SECOND_BYTES + 1, None)
_arrival_ns = ArrivalClock()
_IDS = tuple(f'"{name}":'.encode() for name in METADATA_FIELDS)


class ItemQueue:
    """Items in the order in which they came; its user does the locking.

    Args:
        max_items: how many it should hold.
        max_bytes: how many bytes of lines, with `ITEM_BYTES` for each.
    """

    def __init__(self, max_items: int, max_bytes: int) -> None:
        self._max_items = max_items
        self._max_bytes = max_bytes
        self._enough_items = min(max_items, MAX_BATCH_ENTRIES)
        self._enough_bytes = min(max_bytes, MAX_BATCH_BYTES)
        self._items: deque[Item] = deque()
        self._bytes = 0
        self._opened_s = 0.0

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item) -> bool:
        """Take one item, whether there is room or not; whether it should be looked after now."""
        items = self._items
        if not items:
            self._opened_s = time.monotonic()
        items.append(item)
        self._bytes += len(item[1]) + ITEM_BYTES
        return len(items) >= self._enough_items or self._bytes >= self._enough_bytes

    def is_over(self) -> bool:
        """Whether it holds more than it should."""
        return len(self._items) > self._max_items or self._bytes > self._max_bytes

    def holds_a_batch(self) -> bool:
        """Whether there is enough for a batch."""
        return len(self._items) >= MAX_BATCH_ENTRIES or self._bytes >= MAX_BATCH_BYTES

    def age_s(self) -> float:
        """How long the oldest of the next batch waits; 0 when there is none."""
        return time.monotonic() - self._opened_s if self._items else 0.0

    def pop_batch(self, max_entries: int = MAX_BATCH_ENTRIES) -> list[Item]:
        """The oldest items, as many as a batch may have, or fewer."""
        items: list[Item] = []
        size_bytes = 0
        while self._items and len(items) < max_entries and size_bytes < MAX_BATCH_BYTES:
            item = self._items.popleft()
            size_bytes += len(item[1])
            items.append(item)
        self._bytes -= size_bytes + ITEM_BYTES * len(items)
        self._opened_s = time.monotonic()
        return items

    def put_back(self, items: list[Item]) -> None:
        """Have these be the oldest again."""
        self._items.extendleft(reversed(items))
        self._bytes += sum(len(item[1]) + ITEM_BYTES for item in items)

    def drop_oldest(self) -> None:
        """Forget one item."""
        self._bytes -= len(self._items.popleft()[1]) + ITEM_BYTES

    def pop_all(self) -> list[Item]:
        """All of them."""
        items = list(self._items)
        self._items.clear()
        self._bytes = 0
        return items


class _Seconds(dict[bytes, int]):
    """Nanoseconds since the epoch of the whole seconds in timestamps; few in a batch."""

    def __missing__(self, second: bytes) -> int:
        time_ns = parse_timestamp_ns(f"{second.decode()}Z")
        if time_ns is None:
            raise ValueError(second)
        self[second] = time_ns
        return time_ns


def read_items(items: Sequence[Item]) -> list[Entry]:
    """The entries of queued items, without those that cannot be read; never raises.

    An item whose timestamp means nothing gets the time now, as a line of a foreign program does:
    a year of five digits comes of a `LogRecord.created` in milliseconds.
    """
    try:
        return _read_columns(items)
    except Exception:  # noqa: BLE001 - one bad item must not hold up the others
        return [entry for item in items if (entry := _read_item(item))]


def _read_columns(items: Sequence[Item]) -> list[Entry]:
    """All entries at once: by columns, for that takes half as long as by rows."""
    if not items:
        return []
    stamps, lines, labels, metadata = zip(*items, strict=True)
    whole = _Seconds()
    times_ns = [whole[one[:_SECOND_BYTES]] + int(one[_FRACTION]) * 1000 for one in stamps]
    all_lines = b"".join(lines)
    if any(name in all_lines for name in _IDS):
        metadata = tuple(map(_with_ids, metadata, lines))
    texts = [line.decode("utf-8", "replace") for line in lines]
    return list(map(Entry._make, zip(times_ns, texts, labels, metadata, strict=True)))


def _read_item(item: Item) -> Entry | None:
    """The entry of one item; `None` of an item that cannot be read."""
    try:
        stamp, line, labels, metadata = item
        time_ns = parse_timestamp_ns(f"{stamp.decode('ascii', 'replace')}Z")
        decoded = line.decode("utf-8", "replace")
        return Entry(
            _arrival_ns() if time_ns is None else time_ns,
            decoded,
            labels,
            _with_ids(metadata, line),
        )
    except Exception:  # noqa: BLE001 - whatever is wrong with it, its user counts it
        return None


def _with_ids(metadata: Labels, line: bytes) -> Labels:
    """The structured metadata with the line's ids, where it may hold some."""
    return {**metadata, **_ids(line)} if _IDS[0] in line or _IDS[1] in line else metadata


def _ids(line: bytes) -> dict[str, str]:
    """The ids of a line that may hold some, as structured metadata."""
    try:
        fields = orjson.loads(line)
        found = {name: fields[name] for name in METADATA_FIELDS if fields.get(name)}
        return {name: fit(text(value), MAX_VALUE_BYTES) for name, value in found.items()}
    except (orjson.JSONDecodeError, AttributeError):
        return {}
