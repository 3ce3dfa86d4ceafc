from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lokikit.cli.rendering import as_raw, as_text, sample_as_json, samples_table
from lokikit.query.results import LogEntry, Sample, as_json

TIME_NS = 1_795_255_200_123_456_789
STAMP = "2026-11-21T10:00:00.123456Z"
LABELS = {"service_name": "shop", "env": "dev"}


def entry(line: str, **metadata: str) -> LogEntry:
    """An entry with this line."""
    return LogEntry(TIME_NS, line, LABELS, metadata)


def text(line: str, **metadata: str) -> str:
    """An entry with this line, as text."""
    return as_text(entry(line, **metadata)).decode()


def test_a_line_of_the_contract() -> None:
    """Time, level, service and message stand in front, what was bound follows as key=value."""
    line = json.dumps(
        {
            "timestamp": STAMP,
            "level": "warning",
            "logger": "shop.orders",
            "message": "late",
            "service": "shop",
            "host": "h",
            "pid": 1,
            "order": 17,
            "customer": "Ann Lee",
            "note": "",
            "tags": ["a", 1],
        }
    )
    assert text(line) == (
        f'{STAMP} WARNING  shop late order=17 customer="Ann Lee" note="" tags=["a", 1]'
    )


def test_a_traceback_stands_below() -> None:
    """A traceback keeps its lines, and what its last line says is not said twice."""
    line = json.dumps(
        {
            "level": "error",
            "message": "failed",
            "exc_type": "ValueError",
            "exc_message": "no",
            "stacktrace": "Traceback:\n  here\nValueError: no",
        }
    )
    assert text(line) == f"{STAMP} ERROR    shop failed\nTraceback:\n  here\nValueError: no"


@pytest.mark.parametrize("line", ["plain text", "[1, 2]", '{"no": "message"}', '{"broken'])
def test_other_lines(line: str) -> None:
    """A line that is none of the contract is shown as it is, with the level that Loki found."""
    assert text(line, detected_level="error") == f"{STAMP} ERROR    shop {line}"
    assert text(line, detected_level="unknown") == f"{STAMP} -        shop {line}"


def test_control_characters() -> None:
    """No line can steer the terminal; line ends and tabs stay."""
    assert text("a\x1b[31m\rb\n\tc\x9b").endswith("shop a\\x1b[31m\\x0db\n\tc\\x9b")
    line = json.dumps({"message": "m", "k\x1b": "v\x1b"})
    assert "\x1b" not in text(line)


def test_colour_is_asked_for() -> None:
    """Colour marks the level, and without it there is no escape sequence."""
    line = json.dumps({"level": "error", "message": "m"})
    assert b"\x1b[31mERROR" in as_text(entry(line), colour=True)
    assert b"\x1b" not in as_text(entry(line))


def test_raw_is_the_line() -> None:
    """Raw is the line and nothing else."""
    assert as_raw(entry('{"a": "ü\\u0000"}  ')) == '{"a": "ü\\u0000"}  '.encode()


def test_json_has_all() -> None:
    """One object holds time to the nanosecond, labels, metadata and the line."""
    assert json.loads(as_json(entry("x", request_id="r"))) == {
        "timestamp": "2026-11-21T10:00:00.123456789Z",
        "labels": LABELS,
        "metadata": {"request_id": "r"},
        "line": "x",
    }


def test_json_has_what_the_query_parsed() -> None:
    """What the query took from the line is there when it took something."""
    content = json.loads(as_json(LogEntry(TIME_NS, "x", {}, {}, {"status": "500"})))
    assert content["parsed"] == {"status": "500"}


def test_sample_as_json() -> None:
    """A value is one object, with the time in milliseconds as Loki gives it."""
    assert json.loads(sample_as_json(Sample({"a": "b"}, TIME_NS, "2"))) == {
        "timestamp": "2026-11-21T10:00:00.123Z",
        "labels": {"a": "b"},
        "value": "2",
    }
    assert json.loads(sample_as_json(Sample({}, None, "2")))["timestamp"] is None


def table_text(samples: list[Sample]) -> list[list[str]]:
    """The words of each row of the table."""
    out = io.StringIO()
    Console(file=out, width=200).print(samples_table(samples))
    return [row.split() for row in out.getvalue().splitlines()]


def test_table_of_one_time() -> None:
    """A vector is a row per series, a column per label; its one time is left out."""
    samples = [Sample({"a": "x"}, 1, "1"), Sample({"b": "y"}, 1, "2")]
    assert table_text(samples) == [["a", "b", "value"], ["x", "1"], ["y", "2"]]


def test_table_over_time() -> None:
    """A matrix has a row per time and series."""
    samples = [Sample({"a": "x"}, 0, "1"), Sample({"a": "x"}, 10**9, "2")]
    assert table_text(samples) == [
        ["time", "a", "value"],
        ["1970-01-01T00:00:00.000000Z", "x", "1"],
        ["1970-01-01T00:00:01.000000Z", "x", "2"],
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x85", "\x0b"])
def test_nothing_but_a_message_or_traceback_begins_a_line(end: str) -> None:
    """Else a client's key, level or service could forge a line of another service."""
    forged = f"x{end}2026-11-21T10:00:00Z ERROR bank"
    result = text(json.dumps({"message": "m", "level": forged, "service": forged, forged: forged}))
    assert len(result.splitlines()) == 1
    assert len(text("bare", detected_level=forged).splitlines()) == 1


def test_a_key_that_is_no_word_is_quoted() -> None:
    """As a value is, so that it ends where it ends."""
    assert text('{"message": "m", "a b": 1, "c=d": 2, "": 3}').endswith('m "a b"=1 "c=d"=2 ""=3')
