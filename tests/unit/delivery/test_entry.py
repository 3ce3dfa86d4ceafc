from __future__ import annotations

import json
from datetime import datetime, timezone

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lokikit import fields
from lokikit.delivery.entry import MAX_VALUE_BYTES, ArrivalClock, Entry, EntryReader, read_entry
from lokikit.delivery.equal_lines import EqualLines
from lokikit.times import parse_timestamp_ns

ARRIVAL_NS = 1_800_000_000_000_000_007
LINE = (
    b'{"timestamp":"2026-11-21T10:00:00.123456Z","level":"info","message":"hi",'
    b'"service":"shop","env":"dev","request_id":"r1","trace_id":"t1","span_id":"s1"}'
)


def read(raw: bytes, default_service: str | None = "file") -> Entry:
    """The entry of `raw` at a fixed arrival time."""
    return read_entry(
        raw,
        default_service=default_service,
        platform={fields.HOST: "h1"},
        now_ns=lambda: ARRIVAL_NS,
    )


def test_line_under_the_contract() -> None:
    """Labels, metadata and timestamp come from the line, which stays as it is."""
    assert read(LINE) == Entry(
        timestamp_ns=1_795_255_200_123_456_000,
        line=LINE.decode(),
        labels={"service_name": "shop", "env": "dev"},
        metadata={"host": "h1", "request_id": "r1", "trace_id": "t1"},
    )


@pytest.mark.parametrize(
    "raw", [b"plain", b"[1]", b'"s"', b"12", b'{"a":', b"{}", b"\xff", b"a\0b"]
)
def test_line_without_fields(raw: bytes) -> None:
    """A line that names nothing gets the default service and its arrival time."""
    entry = read(raw)
    assert entry.labels == {"service_name": "file"}
    assert entry.timestamp_ns == ARRIVAL_NS
    assert entry.line == raw.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "number",
    ["-0", "1234567890123456", "1234567890123456789", "1" * 40, "1.50", "-0.0", "1e5", "NaN"],
)
@pytest.mark.parametrize("field", ["request_id", "trace_id"])
def test_numbers_are_ids_as_they_are_written(number: str, field: str) -> None:
    assert read(f'{{"{field}":{number}}}'.encode()).metadata[field] == number


def test_number_as_service_is_its_text() -> None:
    assert read(b'{"service":1234567890123456789012}').labels == {
        "service_name": "1234567890123456789012"
    }


def test_nobody_knows_the_service() -> None:
    """Without a default the service is `unknown`."""
    assert read(b"plain", None).labels == {"service_name": fields.UNKNOWN_SERVICE}


def test_what_only_the_standard_library_reads() -> None:
    """NaN, lone surrogates and leading blanks do not hide the service of a line."""
    assert read(b'{"service":"a","x":NaN}').labels["service_name"] == "a"
    assert read(rb'{"service":"a","x":"\ud800"}').labels["service_name"] == "a"
    assert read(b' \t{"service":"a"}').labels["service_name"] == "a"
    assert read(rb'{"service":"a\ud800"}').labels["service_name"] == "a?"


def test_invalid_bytes_do_not_hide_the_service() -> None:
    """A JSON line with bytes that are no UTF-8 keeps its service; the bytes are replaced."""
    entry = read(b'{"service":"a","x":"\xff"}')
    assert entry.labels["service_name"] == "a"
    assert entry.line == '{"service":"a","x":"\ufffd"}'


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5", "5"), ("1.5", "1.5"), ("true", "true"), ('"x"', "x")]
    + [(value, None) for value in ('""', "null", "{}", "[1]")],
)
def test_values_are_words(value: str, expected: str | None) -> None:
    """A label or id is always a string; what is no word is absent."""
    entry = read(f'{{"env":{value},"request_id":{value}}}'.encode())
    assert entry.labels.get("env") == expected
    assert entry.metadata.get("request_id") == expected


def test_long_values_are_cut() -> None:
    """A label or id that Loki would refuse for its length is cut, on a whole character."""
    entry = read(json.dumps({"service": "é" * 5_000, "trace_id": "x" * 5_000}).encode())
    assert entry.labels["service_name"] == "é" * (MAX_VALUE_BYTES // 2)
    assert entry.metadata["trace_id"] == "x" * MAX_VALUE_BYTES


def test_long_line_is_cut_and_marked() -> None:
    """A line over the limit is cut on a whole character and marked; its fields count."""
    entry = read(b'{"service":"a","x":"' + "é".encode() * fields.MAX_LINE_BYTES + b'"}')
    size = len(entry.line.encode())
    assert fields.MAX_LINE_BYTES - 4 < size <= fields.MAX_LINE_BYTES
    assert entry.metadata[fields.TRUNCATED] == "true"
    assert entry.labels["service_name"] == "a"


def test_line_of_exactly_the_limit_is_whole() -> None:
    """A line of the limit is neither cut nor marked."""
    entry = read(b"x" * fields.MAX_LINE_BYTES)
    assert len(entry.line) == fields.MAX_LINE_BYTES
    assert fields.TRUNCATED not in entry.metadata


def test_replacing_counts_towards_the_limit() -> None:
    """Invalid bytes grow when they are replaced; the line still fits."""
    assert len(read(b"\xff" * fields.MAX_LINE_BYTES).line.encode()) <= fields.MAX_LINE_BYTES


def test_absurd_nesting_is_a_plain_line() -> None:
    """A line nested beyond any parser arrives unparsed."""
    raw = b'{"a":' * 100_000
    assert read(raw).labels == {"service_name": "file"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5", 1_500_000_000),
        ("1970-01-01 00:00:01,000001Z", 1_000_001_000),
        ("1970-01-01t00:00:01.123456789z", 1_123_456_789),
        ("1970-01-01T00:00:01.1234567891234Z", 1_123_456_789),
        ("1970-01-01T02:00:01+02:00", 1_000_000_000),
        ("1969-12-31T22:30:01-0130", 1_000_000_000),
        ("1969-12-31T23:59:59.5Z", -500_000_000),
    ],
)
def test_timestamps(text: str, expected: int) -> None:
    """RFC 3339 in its variants is read to the nanosecond; no zone means UTC."""
    assert parse_timestamp_ns(text) == expected


@pytest.mark.parametrize(
    "value",
    [
        *[None, 5, "", "now", "2026-13-01T00:00:00Z", "2026-11-21", "2026-11-21T10:00:00Zx"],
        "\u0662\u0660\u0662\u0666-11-21T10:00:00Z",
    ],
)
def test_no_timestamps(value: object) -> None:
    """What is no RFC 3339 time is none."""
    assert parse_timestamp_ns(value) is None


@given(st.datetimes(min_value=datetime(1678, 1, 1), max_value=datetime(2262, 1, 1)))  # noqa: DTZ001 - hypothesis wants it so
def test_microseconds_are_exact(moment: datetime) -> None:
    """Any time to the microsecond is read exactly."""
    aware = moment.replace(tzinfo=timezone.utc)
    delta = aware - datetime(1970, 1, 1, tzinfo=timezone.utc)
    expected_us = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    assert parse_timestamp_ns(moment.isoformat() + "Z") == expected_us * 1_000


@given(st.binary(max_size=200))
def test_no_bytes_raise(raw: bytes) -> None:
    """Whatever the bytes, the entry is one that a push can carry."""
    entry = read(raw)
    orjson.dumps([entry.line, dict(entry.labels), dict(entry.metadata)])


def test_arrival_times_increase() -> None:
    """A clock that stands still or steps back still gives increasing arrival times."""
    times = iter([5, 5, 3, 9])
    clock = ArrivalClock(lambda: next(times))
    assert [clock() for _ in range(4)] == [5, 6, 7, 9]


def test_equal_stamps_are_kept_apart() -> None:
    """Lines of one timestamp get different nanoseconds of the same microsecond."""
    reader = EntryReader("s", {}, lambda: 0)
    stamps = [reader.read(LINE).timestamp_ns for _ in range(3)]
    other = reader.read(LINE.replace(b"123456", b"123457")).timestamp_ns
    assert [stamp - stamps[0] for stamp in [*stamps, other]] == [0, 1, 2, 1_000]


@pytest.mark.parametrize(("digits", "count"), [("", 1500), (".250", 1500), (".123456", 1000)])
def test_equal_lines_of_one_coarse_stamp_are_all_different(digits: str, count: int) -> None:
    reader = EntryReader("s", {}, lambda: 0)
    line = LINE.replace(b".123456", digits.encode())
    stamps = [reader.read(line).timestamp_ns for _ in range(count)]
    assert stamps == list(range(stamps[0], stamps[0] + count))


def test_equal_lines_whose_stamps_take_turns_are_all_different() -> None:
    reader = EntryReader("s", {}, lambda: 0)
    lines = [LINE.replace(b".123456", digits) for digits in (b".1", b".2", b".3")] * 500
    assert len({reader.read(line).timestamp_ns for line in lines}) == len(lines)


def test_equal_lines_of_two_sources_of_a_stream_are_all_different() -> None:
    readers = [EntryReader(name, {}, lambda: 0, sent) for sent in [EqualLines()] for name in "ab"]
    stamps = {reader.read(LINE).timestamp_ns for reader in readers for _ in range(3)}
    assert len(stamps) == 6


def test_equal_lines_of_two_streams_keep_their_times() -> None:
    sent, line = EqualLines(), LINE.replace(b'"service":"shop",', b"")
    readers = [EntryReader(name, {}, lambda: 0, sent) for name in "ab"]
    assert len({reader.read(line).timestamp_ns for reader in readers}) == 1


def test_own_nanoseconds_stay() -> None:
    """A stamp that gives nanoseconds itself is not touched."""
    reader = EntryReader("s", {}, lambda: 0)
    line = LINE.replace(b"123456", b"123456789")
    assert {reader.read(line).timestamp_ns % 1_000 for _ in range(3)} == {789}


def test_a_byte_order_mark_is_no_part_of_a_line() -> None:
    """Programs on Windows, and PowerShell's redirection, begin a file with one."""
    line = '{"timestamp":"2026-11-21T10:00:00Z","service":"api"}'
    entry = read(line.encode("utf-8-sig"))
    assert entry.line == line
    assert entry.labels["service_name"] == "api"
    assert entry.timestamp_ns == 1_795_255_200_000_000_000


@pytest.mark.parametrize(
    "line",
    [
        b'{"time":"2026-11-21T10:00:00.5Z"}',
        b'{"ts":1795255200.5}',
        b'{"time":1795255200500}',
        b'{"@timestamp":"2026-11-21T10:00:00.5Z"}',
        b'{"timestamp":1795255200.5,"x":NaN}',
        b'{"timestamp":"yesterday","time":12.5,"ts":1795255200.5}',
        b'{"timestamp":true,"time":"1795255200.5"}',
    ],
)
def test_time_of_another_program_is_the_time_of_its_line(line: bytes) -> None:
    assert read(line).timestamp_ns == 1_795_255_200_500_000_000


@pytest.mark.parametrize("marks", [b"\0", b"\0\0\0", b"\xef\xbb\xbf", b"\0\xef\xbb\xbf"])
def test_marks_before_a_line_are_no_part_of_it(marks: bytes) -> None:
    assert read(marks + LINE) == read(LINE)
