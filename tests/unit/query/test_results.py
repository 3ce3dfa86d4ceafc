from __future__ import annotations

import sys
from datetime import datetime, timezone

import pytest

from lokikit.query.results import LogEntry, read_volumes

TIME_NS = 1_795_255_200_123_456_789


def entry(line: str) -> LogEntry:
    """An entry with that line."""
    return LogEntry(TIME_NS, line, {"service_name": "a"}, {})


def test_the_time_is_exact_to_the_microsecond() -> None:
    """A `datetime` holds no nanoseconds; these are cut, not rounded through a float."""
    assert entry("").timestamp == datetime(2026, 11, 21, 10, 0, 0, 123456, timezone.utc)


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        ('{"a": 1, "b": {"c": [true, null]}}', {"a": 1, "b": {"c": [True, None]}}),
        ('{"a": 1e400}', {"a": float("inf")}),
        ("no JSON", {}),
        ("[1]", {}),
        ("", {}),
    ],
)
def test_fields_of_any_line(line: str, fields: dict[str, object]) -> None:
    """A JSON object has its fields, also one that only the lenient read; any other line none."""
    assert entry(line).fields == fields


def test_fields_are_parsed_once() -> None:
    """The second look costs nothing."""
    one = entry('{"a": 1}')
    assert one.fields is one.fields


def test_a_look_at_the_fields_changes_no_entry() -> None:
    """Entries are equal by what Loki said, and hold no dictionary of their own."""
    looked, other = entry('{"a": 1}'), entry('{"a": 1}')
    assert looked.fields
    assert looked == other
    assert not hasattr(looked, "__dict__")
    assert sys.getsizeof(looked) < 128


def test_the_largest_volume_comes_first() -> None:
    """Who logs most stands at the top."""
    entries = [{"metric": {"a": size}, "value": [0, size]} for size in ("9", "100", "20")]
    assert [one.size_bytes for one in read_volumes({"result": entries})] == [100, 20, 9]
