from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lokikit.store.segments.database import open_database
from lokikit.store.segments.head import Head
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.stored_rows import StoredRow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lokikit.store.segments.database import Cursor

ROWS = [
    StoredRow(1, 0, '{"http_status":200,"logger":"a"}', '{"a":"b"}', "info"),
    StoredRow(2, 1, "no JSON \0\n", None, None),
    StoredRow(3, 0, '{"http_status":true,"logger":null}', None, None),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Cursor]:
    with open_database(tmp_path, tmp_path, StoreSettings()) as opened:
        yield opened


@pytest.fixture
def head(database: Cursor) -> Head:
    made = Head(1, database, lambda _: None)
    made.publish(ROWS)
    return made


def stored(head: Head, database: Cursor) -> list[tuple[object, ...]]:
    columns = "ts, stream, line, meta, level, odd, bad_json, f_http_status, f_logger"
    query = f"SELECT {columns} FROM {head.part().relation} ORDER BY ts"  # noqa: S608 - ours
    return database.execute(query).fetchall()


WANTED = [
    (*ROWS[0], False, False, "200", "a"),
    (*ROWS[1], True, True, None, None),
    (*ROWS[2], False, False, "true", None),
]


def test_rows_have_all_their_columns(head: Head, database: Cursor) -> None:
    assert stored(head, database) == WANTED


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "streams"),
    [(1, 4, {0, 1}), (3, 4, {0}), (2, 3, {0, 1}), (1, 2, {0}), (4, 9, set()), (0, 1, set())],
)
def test_a_stream_is_within_a_span_that_its_rows_reach_into(
    head: Head, start_ns: int, end_ns: int, streams: set[int]
) -> None:
    assert head.streams_within(start_ns, end_ns) == streams


def test_a_stream_grows_with_each_batch(head: Head) -> None:
    head.publish([ROWS[1]._replace(ts=0), ROWS[1]._replace(ts=7)])
    assert head.streams_within(7, 8) == {1}
    assert head.streams_within(0, 1) == {1}


def test_large_lines_are_inserted_in_small_batches(head: Head, database: Cursor) -> None:
    large = [StoredRow(n, 0, "\x01" * (3 << 20), None, None) for n in range(4, 8)]
    head.publish(large)
    assert len(stored(head, database)) == 7


def test_a_table_is_retired_when_nobody_references_its_head(database: Cursor) -> None:
    retired: list[str] = []
    head = Head(5, database, retired.append)
    head.publish(ROWS)
    part = head.part()
    del head
    assert retired == []
    del part
    assert retired == ["head_5"]
