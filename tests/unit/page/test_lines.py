from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lokikit.page.lines import as_row, entry_id, page_of, whole_line
from lokikit.query.results import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = {"service_name": "shop", "env": "dev"}


def entry(time_ns: int, line: str = "{}", **metadata: str) -> LogEntry:
    """An entry of the shop."""
    return LogEntry(time_ns, line, LABELS, metadata)


class FakeLoki:
    """Holds entries."""

    def __init__(self, *entries: LogEntry) -> None:
        self.entries = entries

    def query_range(
        self,
        _query: str,
        start: int,
        end: int,
        limit: int | None = None,
        direction: str = "forward",
    ) -> Iterator[LogEntry]:
        """Those of the span, in order."""
        found = [one for one in self.entries if start <= one.timestamp_ns < end]
        found.sort(key=lambda one: one.timestamp_ns, reverse=direction == "backward")
        yield from found[:limit]


def pages(loki: FakeLoki, limit: int) -> list[list[int]]:
    """The times of each page."""
    found, end_ns = [], 10**9
    while True:
        page = page_of(loki, "q", 0, end_ns, limit)  # type: ignore[arg-type]
        found.append([one.timestamp_ns for one in page.entries])
        if page.next_ns is None:
            return found
        end_ns = page.next_ns


def test_pages_repeat_no_line_and_miss_none() -> None:
    loki = FakeLoki(*(entry(number // 2) for number in range(20)))
    times = [one for page in pages(loki, 5) for one in page]
    assert times == sorted((number // 2 for number in range(20)), reverse=True)


def test_a_nanosecond_that_fills_more_than_a_page_comes_whole() -> None:
    loki = FakeLoki(*(entry(7, json.dumps({"n": n})) for n in range(12)), entry(3), entry(9))
    assert pages(loki, 5) == [[9], [7] * 12, [3]]


def test_a_row_shows_the_message_and_the_exception() -> None:
    line = json.dumps({"level": "error", "message": "m", "exc_type": "E", "exc_message": "why"})
    row = as_row(entry(1, line, detected_level="error", request_id="r"))
    assert row == {
        "ts": "1",
        "id": entry_id(entry(1, line, detected_level="error", request_id="r")),
        "level": "error",
        "service": "shop",
        "env": "dev",
        "message": "m",
        "exception": "E: why",
        "request": "r",
    }


def test_a_line_that_is_no_json_is_its_own_message() -> None:
    assert as_row(entry(1, "Segmentation fault"))["message"] == "Segmentation fault"


def test_a_long_message_is_cut_in_its_row() -> None:
    assert len(as_row(entry(1, "x" * 10**6))["message"]) == 1001


def test_equal_lines_of_other_streams_have_other_ids() -> None:
    other = LogEntry(1, "{}", {"service_name": "jobs"}, {})
    assert entry_id(entry(1)) != entry_id(other)


def fields(line: str) -> list[list[object]]:
    """Those of a whole line."""
    one = entry(1, line)
    whole = whole_line(FakeLoki(one), "q", 1, entry_id(one))  # type: ignore[arg-type]
    assert whole["line"] == line
    held: list[list[object]] = whole["field"]
    return held


def test_numbers_stand_as_the_line_writes_them() -> None:
    line = '{"b": 1.50, "a": 12345678901234567890, "c": 1e3, "d": NaN}'
    assert fields(line) == [
        ["b", "1.50", True],
        ["a", "12345678901234567890", True],
        ["c", "1e3", True],
        ["d", "NaN", True],
    ]


def test_what_cannot_be_asked_for_is_no_filter() -> None:
    long = "x" * 1001
    line = json.dumps({"a": {"b": 1}, "c": None, "d]": "x", "e": long, "f": True})
    assert [can for _, _, can in fields(line)] == [False, False, False, False, True]


def test_a_line_without_fields_has_none() -> None:
    assert fields("[1]") == fields("plain") == []
