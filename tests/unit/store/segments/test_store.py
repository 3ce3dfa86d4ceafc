from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lokikit.errors import PrerequisiteError
from lokikit.store.logql.pipeline_syntax import LineFilter, LineText, Matcher
from lokikit.store.segments.schema import PushedEntry
from lokikit.store.segments.settings import StoreSettings
from lokikit.store.segments.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW_NS = 1_700_000_000_000_000_000
SETTINGS = StoreSettings(min_free_bytes=0, clock_ns=lambda: NOW_NS + 10**9)
API = {"service_name": "api", "env": "dev"}
WEB = {"service_name": "web", "env": "dev"}
EVERY = (Matcher("service_name", "=~", ".+"),)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "data", SETTINGS) as opened:
        yield opened


def entry(n: int, line: str | None = None, labels=API, **metadata: str) -> PushedEntry:
    return PushedEntry(labels, NOW_NS + n, line if line is not None else f"line {n}", metadata)


def lines(store: Store, start: int = -(10**6), end: int = 10**6, **options) -> list[str]:
    found = store.rows(options.pop("matchers", EVERY), NOW_NS + start, NOW_NS + end, **options)
    return [row.line for row in found]


def test_a_pushed_line_is_visible_at_once(store: Store) -> None:
    store.push([entry(1, request_id="r1", detected_level="info")])
    (row,) = store.rows(EVERY, NOW_NS, NOW_NS + 2)
    assert (row.timestamp_ns, row.line) == (NOW_NS + 1, "line 1")
    assert dict(row.labels) == API
    assert row.metadata == {"request_id": "r1", "detected_level": "info"}


def test_the_end_of_a_span_is_exclusive_and_its_start_inclusive(store: Store) -> None:
    store.push([entry(n) for n in range(4)])
    assert lines(store, 1, 3) == ["line 1", "line 2"]


@pytest.mark.parametrize("flushed", [False, True])
def test_rows_come_in_the_order_of_time_in_both_directions(store: Store, *, flushed: bool) -> None:
    store.push([entry(n) for n in (5, 1, 3)])
    if flushed:
        store.flush()
    store.push([entry(n) for n in (4, 2)])
    assert lines(store) == [f"line {n}" for n in (1, 2, 3, 4, 5)]
    assert lines(store, direction="backward") == [f"line {n}" for n in (5, 4, 3, 2, 1)]


@pytest.mark.parametrize("pushes", [((1, 2), (3, 4)), ((4, 3), (2, 1)), ((2, 1), (2, 3))])
def test_a_segment_is_in_the_order_of_time(
    store: Store, pushes: tuple[tuple[int, ...], ...]
) -> None:
    for batch in pushes:
        store.push([entry(n) for n in batch])
    store.flush()
    (part,) = store.relations(NOW_NS, NOW_NS + 10)
    found = store.cursor().execute(f"SELECT ts FROM {part.relation}").fetchall()  # noqa: S608 - ours
    assert found == sorted(found)


def test_segments_that_overlap_in_time_are_interleaved(store: Store) -> None:
    for start in (0, 1, 2):
        store.push([entry(n) for n in range(start, 30, 3)])
        store.flush()
    assert store.metrics()["segments"] == 3
    assert lines(store) == [f"line {n}" for n in range(30)]
    assert lines(store, direction="backward") == [f"line {n}" for n in reversed(range(30))]


def test_many_row_groups_are_read_in_order(store: Store) -> None:
    store.push([entry(n) for n in range(50_000)])
    store.flush()
    assert lines(store) == [f"line {n}" for n in range(50_000)]
    assert lines(store, direction="backward") == [f"line {n}" for n in reversed(range(50_000))]


def test_many_unsealed_rows_are_read_in_order(store: Store) -> None:
    store.push([entry(n // 2, f"{n}") for n in range(9_000)])
    assert sorted(map(int, lines(store))) == list(range(9_000))
    backward = list(store.rows(EVERY, NOW_NS, NOW_NS + 10**6, direction="backward"))
    times = [row.timestamp_ns for row in backward]
    assert times == sorted(times, reverse=True)
    assert len(backward) == 9_000


def test_only_selected_streams_are_read(store: Store) -> None:
    store.push([entry(1), entry(2, labels=WEB)])
    store.flush()
    store.push([entry(3), entry(4, labels=WEB)])
    assert lines(store, matchers=(Matcher("service_name", "=", "web"),)) == ["line 2", "line 4"]


def test_an_absent_label_counts_as_empty(store: Store) -> None:
    store.push([entry(1), entry(2, labels={**WEB, "pod": "p"})])
    assert lines(store, matchers=(Matcher("pod", "=", ""),)) == ["line 1"]


@pytest.mark.parametrize(
    ("line_filter", "expected"),
    [
        (LineFilter("|=", (LineText("a"),)), ["a", "ab"]),
        (LineFilter("|=", (LineText("a"), LineText("c"))), ["a", "ab", "c"]),
        (LineFilter("!=", (LineText("b"),)), ["a", "c"]),
        (LineFilter("|~", (LineText("^[bc]$"),)), ["c"]),
    ],
)
def test_line_filters_are_applied_in_sql(
    store: Store, line_filter: LineFilter, expected: list[str]
) -> None:
    store.push([entry(n, line) for n, line in enumerate(["a", "ab", "c"])])
    assert lines(store, prefilter=[line_filter]) == expected


def test_equal_lines_are_stored_once(store: Store) -> None:
    batch = [entry(1), entry(1), entry(2)]
    store.push(batch)
    store.push(batch)
    assert lines(store) == ["line 1", "line 2"]


def test_equal_lines_are_stored_once_across_seals_and_restarts(tmp_path: Path) -> None:
    batch = [entry(n, request_id="r") for n in range(10)]
    for _ in range(3):
        with Store.open(tmp_path, SETTINGS) as store:
            store.push(batch)
            store.push([entry(n) for n in range(5)])
    with Store.open(tmp_path, SETTINGS) as store:
        store.flush()
        store.push(batch[::-1])
        assert len(lines(store)) == 15


def test_lines_that_differ_in_metadata_or_stream_alone_are_kept(store: Store) -> None:
    store.push([entry(1, "x"), entry(1, "x", a="1"), entry(1, "x", a="2")])
    store.push([entry(1, "x", labels=WEB)])
    assert lines(store) == ["x"] * 4


def test_late_lines_are_stored(store: Store) -> None:
    store.push([entry(n) for n in range(0, 100, 2)])
    store.flush()
    store.push([entry(n) for n in range(50)])
    assert len(lines(store)) == 75


def test_a_restart_reads_what_was_not_sealed(tmp_path: Path) -> None:
    for n in range(3):
        with Store.open(tmp_path, SETTINGS) as store:
            store.push([entry(n, detected_level="warn")])
    with Store.open(tmp_path, SETTINGS) as store:
        assert lines(store) == ["line 0", "line 1", "line 2"]


def test_many_rows_of_a_restart_are_sealed_apart_from_new_ones(tmp_path: Path) -> None:
    written = [entry(n) for n in range(12_000)]
    with Store.open(tmp_path, SETTINGS) as store:
        store.push(written)
    for _ in range(2):
        with Store.open(tmp_path, SETTINGS) as store:
            store.push([entry(12_000), *written[-10:]])
            assert len(lines(store)) == 12_001
            store.maintain()
            assert store.metrics()["segments"] == 1


def test_any_text_is_stored_as_it_came(store: Store) -> None:
    texts = ["", "\0", "a\nb", "é\u2028😀", '{"a": 1}', "'; DROP TABLE x", "x" * 200_000]
    store.push([entry(n, text) for n, text in enumerate(texts)])
    assert lines(store) == texts
    store.flush()
    assert lines(store) == texts


def test_half_a_surrogate_pair_is_replaced(store: Store) -> None:
    store.push([entry(1, "a\ud800b"), entry(2)])
    assert lines(store) == ["a?b", "line 2"]


def test_hot_fields_of_plain_lines_are_columns(store: Store) -> None:
    store.push([entry(1, '{"http_status":200,"task_name":"t","logger":null}'), entry(2, "no")])
    (part,) = store.relations(NOW_NS, NOW_NS + 10)
    columns = "f_http_status, f_task_name, f_logger, odd, bad_json"
    query = f"SELECT {columns} FROM {part.relation} ORDER BY ts"  # noqa: S608 - a name of ours
    found = store.cursor().execute(query)
    assert found.fetchall() == [
        ("200", "t", None, False, False),
        (None, None, None, True, True),
    ]


def test_a_second_process_is_refused(store: Store) -> None:
    with pytest.raises(PrerequisiteError, match="another process"):
        Store.open(store.folder, SETTINGS)


def test_lines_beyond_the_retention_are_not_read_and_their_segments_deleted(
    tmp_path: Path,
) -> None:
    now_ns = NOW_NS
    settings = StoreSettings(min_free_bytes=0, retention_s=1, clock_ns=lambda: now_ns)
    with Store.open(tmp_path, settings) as store:
        store.push([entry(0), entry(10)])
        store.flush()
        now_ns = NOW_NS + 10**9 + 5
        assert lines(store) == ["line 10"]
        now_ns += 10**9
        store.maintain()
        assert not list(tmp_path.glob("*.parquet"))


def test_volume_counts_bytes_and_lines(store: Store) -> None:
    store.push([entry(n, "é" * 10) for n in range(10)])
    store.flush()
    store.push([entry(20, "abc"), entry(21, "x", labels=WEB)])
    key = tuple(sorted(API.items()))
    assert store.volume(EVERY, NOW_NS, NOW_NS + 100)[key] == (203, 11)
    assert store.volume(EVERY, NOW_NS + 5, NOW_NS + 21) == {key: (103, 6)}


def test_streams_are_those_of_the_span(store: Store) -> None:
    store.push([entry(1)])
    store.flush()
    store.push([entry(100, labels=WEB)])
    assert store.streams(EVERY, NOW_NS, NOW_NS + 10) == [API]
    assert len(store.streams(EVERY, NOW_NS, NOW_NS + 101)) == 2


def test_subscribers_get_new_lines_alone(store: Store) -> None:
    seen: list[PushedEntry] = []
    end = store.subscribe(seen.extend)
    store.push([entry(1)])
    store.push([entry(1), entry(2)])
    end()
    store.push([entry(3)])
    assert seen == [entry(1), entry(2)]


def test_subscribers_get_the_lines_of_a_push_in_the_order_of_time(store: Store) -> None:
    seen: list[PushedEntry] = []
    store.subscribe(seen.extend)
    store.push([entry(1)])
    store.push([entry(3), entry(1), entry(2)])
    assert seen == [entry(n) for n in (1, 2, 3)]


def test_a_merge_keeps_each_line_once(tmp_path: Path) -> None:
    settings = StoreSettings(min_free_bytes=0, merge_count=3, clock_ns=SETTINGS.clock_ns)
    with Store.open(tmp_path, settings) as store:
        for start in range(3):
            store.push([entry(n) for n in range(start, 30, 3)])
            store.flush()
        open_query = store.rows(EVERY, NOW_NS, NOW_NS + 10**6)
        store.maintain()
        assert lines(store) == [f"line {n}" for n in range(30)]
        assert [row.line for row in open_query] == [f"line {n}" for n in range(30)]
        del open_query
        store.maintain()
        assert len(list(tmp_path.glob("*.parquet"))) == 1


def test_pushes_of_many_threads_are_all_stored(store: Store) -> None:
    def push(thread: int) -> None:
        for n in range(20):
            store.push([entry(thread * 100 + n)])

    threads = [threading.Thread(target=push, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lines(store)) == 160


def test_a_query_stops_when_its_check_raises(store: Store) -> None:
    store.push([entry(1)])

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        lines(store, check=stop)
