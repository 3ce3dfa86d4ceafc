"""`lokikit ship` reads a pipe into Loki, under the log contract."""

from __future__ import annotations

import itertools
import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from tests.stack.shipping import Ship, line_at, lines_of, new_service, stored, stored_lines
from tests.waiting import eventually

from lokikit import fields

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.loki_in_soak

YEAR_US = 365 * 86_400 * 1_000_000


def test_lines_arrive_under_the_contract(loki_url: str, tmp_path: Path) -> None:
    """Line, timestamp, labels and metadata in Loki are what the contract says."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), 3_000))
    assert Ship(loki_url, tmp_path).feed(b"\n".join(lines)) == 0
    entries = stored(loki_url, service)
    assert [entry.line.encode() for entry in entries] == lines
    for entry in entries:
        line = json.loads(entry.line)
        moment = datetime.strptime(line["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: DTZ007
        stamp_us = round(moment.replace(tzinfo=timezone.utc).timestamp() * 1_000_000)
        assert entry.timestamp_ns == stamp_us * 1_000
        assert entry.labels == {fields.LABEL_SERVICE: service, fields.LABEL_ENV: "test"}
        assert entry.metadata[fields.HOST] == "test-host"
        assert entry.metadata[fields.REQUEST_ID] == line["request_id"]
        assert entry.metadata[fields.DETECTED_LEVEL] == "info"


def test_any_bytes_arrive(loki_url: str, tmp_path: Path) -> None:
    """What is not JSON, not UTF-8 or full of NUL bytes arrives under the default service."""
    service = new_service()
    sent = [b"plain text", b"  indented", b"\xff\xfe bad \xc3", b"a\0b\0"]
    sent += [b'{"broken', b"[1,2]", b'"text"', "\u2028 é \U0001f600".encode(), b"\x1b[31mred"]
    assert Ship(loki_url, tmp_path, "--service", service).feed(b"\n".join(sent)) == 0
    expected = [line.decode("utf-8", "replace") for line in sent]
    assert [entry.line for entry in stored(loki_url, service)] == expected


def test_line_ends_are_no_part_of_a_line(loki_url: str, tmp_path: Path) -> None:
    """LF and CRLF are stripped, blank lines are counted as blank, the last one needs no end."""
    service = new_service()
    ship = Ship(loki_url, tmp_path, "--service", service)
    assert ship.feed(b"one\r\ntwo\n\n\r\nthree\rfour\nfive") == 0
    lines = [entry.line for entry in stored(loki_url, service)]
    assert lines == ["one", "two", "three\rfour", "five"]
    assert ship.stats()["blank"] == 2


def test_equal_lines_all_arrive(loki_url: str, tmp_path: Path) -> None:
    """Lines that equal each other are not merged, with arrival time or a coarse one of theirs."""
    service = new_service()
    second = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    stamped = json.dumps({"timestamp": second, "service": service}).encode()
    data = b"same\n" * 700 + stamped.join([b"", *[b"\n"] * 700])
    assert Ship(loki_url, tmp_path, "--service", service).feed(data) == 0
    assert stored_lines(loki_url, service) == sorted([b"same"] * 700 + [stamped] * 700)


def test_long_line_is_cut_and_marked(loki_url: str, tmp_path: Path) -> None:
    """A line over the limit arrives cut and marked under its own service; one at it arrives whole.

    A line far beyond what is kept in memory arrives cut, and the lines around it arrive too.
    """
    service = new_service()
    limit = fields.MAX_LINE_BYTES
    long = next(lines_of(service))[:-1] + b',"more":"' + b"x" * 300_000 + b'"}'
    data = b"\n".join([long, b"y" * limit, b"z" * 5_000_000, b"after"])
    assert Ship(loki_url, tmp_path, "--service", service).feed(data) == 0
    found = {entry.line[0]: entry for entry in stored(loki_url, service)}
    assert {key: len(entry.line) for key, entry in found.items()} == {
        "{": limit,
        "y": limit,
        "z": limit,
        "a": 5,
    }
    assert found["{"].line.encode() == long[:limit]
    assert found["{"].labels[fields.LABEL_ENV] == "test"
    marked = {key for key, entry in found.items() if entry.metadata.get(fields.TRUNCATED)}
    assert marked == {"{", "z"}


def test_poison_stands_alone(loki_url: str, tmp_path: Path) -> None:
    """One entry that Loki refuses for its age becomes a dead letter; the 4,999 around it arrive."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), 5_000))
    lines[2_345] = line_at(service, time.time_ns() // 1_000 - YEAR_US, 2_345)
    ship = Ship(loki_url, tmp_path)
    assert ship.feed(b"\n".join(lines)) == 0
    (letter,) = ship.letters()
    assert letter["line"].encode() == lines.pop(2_345)
    assert "too old" in letter["reason"]
    assert stored_lines(loki_url, service) == sorted(lines)
    assert ship.stats()["dropped_by_reason"] == {"too_old": 1}
    assert "too_old 1" in ship.said()


def test_any_poison_stands_alone(loki_url: str, tmp_path: Path) -> None:
    """Entries beyond Loki's clock or its integers become dead letters; the others arrive."""
    service = new_service()
    good = list(itertools.islice(lines_of(service), 50))
    poison = [line_at(service, time.time_ns() // 1_000 + YEAR_US, 1)]
    poison += [
        json.dumps({"timestamp": stamp, "service": service}).encode()
        for stamp in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59.5Z")
    ]
    ship = Ship(loki_url, tmp_path)
    assert ship.feed(b"\n".join([*good[:20], *poison, *good[20:]])) == 0
    assert sorted(letter["line"].encode() for letter in ship.letters()) == sorted(poison)
    assert stored_lines(loki_url, service) == sorted(good)


def test_hostile_values_do_not_stop_the_rest(loki_url: str, tmp_path: Path) -> None:
    """Labels and ids that are numbers, long, empty, nested or no Unicode still arrive."""
    service = new_service()
    lines = [
        json.dumps({"service": service, key: value, "n": number}).encode()
        for number, (key, value) in enumerate(
            itertools.product(
                ("env", "request_id", "trace_id", "timestamp"),
                (5, 1.5, True, None, "", "é" * 5_000, {"a": 1}, [1], "\ud800", 'a"\\\n\0', "{}"),
            )
        )
    ]
    lines.append(b'{"service": "%s", "n": NaN}' % service.encode())
    ship = Ship(loki_url, tmp_path)
    assert ship.feed(b"\n".join(lines)) == 0
    assert stored_lines(loki_url, service) == sorted(lines)


def test_line_arrives_while_the_pipe_stays_open(loki_url: str, tmp_path: Path) -> None:
    """A single line does not wait for others to come."""
    service = new_service()
    ship = Ship(loki_url, tmp_path).start(-1)
    assert ship.process is not None
    assert ship.process.stdin is not None
    ship.process.stdin.write(next(lines_of(service)) + b"\n")
    ship.process.stdin.flush()
    eventually(lambda: stored(loki_url, service))
    ship.process.stdin.close()
    assert ship.process.wait(30) == 0


def test_sigterm_delivers_what_was_written_before(loki_url: str, tmp_path: Path) -> None:
    """Told to stop, it still delivers what stands in the pipe."""
    service = new_service()
    lines = list(itertools.islice(lines_of(service), 300))
    ship = Ship(loki_url, tmp_path).start(-1)
    assert ship.process is not None
    assert ship.process.stdin is not None
    ship.process.stdin.write(lines[0] + b"\n")
    ship.process.stdin.flush()
    eventually(lambda: stored(loki_url, service))
    ship.process.stdin.write(b"\n".join(lines[1:]) + b"\n")
    ship.process.stdin.flush()
    assert ship.end() == 0
    assert stored_lines(loki_url, service) == sorted(lines)
    ship.process.stdin.close()


def test_what_cannot_be_delivered_is_kept(tmp_path: Path) -> None:
    """Without a Loki, lines of a pipe end as dead letters, and the exit code says so."""
    lines = list(itertools.islice(lines_of(new_service()), 20))
    ship = Ship("http://127.0.0.1:9", tmp_path).start(-1)
    assert ship.process is not None
    assert ship.process.stdin is not None
    ship.process.stdin.write(b"\n".join(lines) + b"\n")
    ship.process.stdin.close()
    eventually(lambda: "does not take lines" in ship.said())
    assert ship.end() == 4
    assert [letter["line"].encode() for letter in ship.letters()] == lines
    assert ship.stats()["dropped_by_reason"] == {"undelivered": 20}
