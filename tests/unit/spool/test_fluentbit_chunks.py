"""Chunks that Fluent Bit left on disk become the entries that it would have sent."""

from __future__ import annotations

import struct
from pathlib import Path

import msgpack
import pytest

from lokikit.delivery.entry import Entry
from lokikit.spool.fluentbit_chunks import (
    begun_s,
    chunk_paths,
    is_posted,
    read_chunk,
    rejected_paths,
)

RECORD = {
    "log": '{"message":"é"}',
    "service_name": "shop",
    "env": "dev",
    "metadata": {"request_id": "r1"},
}


def chunk(*records: object, metadata: bytes = b"") -> bytes:
    """A chunk as Fluent Bit writes it, its events a second apart."""
    events = b""
    for number, record in enumerate(records):
        time = msgpack.ExtType(0, struct.pack(">II", 1_795_255_200 + number, 123_456_789))
        events += msgpack.packb([[time, {}], record])
    return b"\xc1\x00" + bytes(20) + struct.pack(">H", len(metadata)) + metadata + events


def test_an_event_is_an_entry() -> None:
    """Its time to the nanosecond, line, labels and metadata, with the host of the agent."""
    assert list(read_chunk(chunk(RECORD), "h1")) == [
        Entry(
            1_795_255_200_123_456_789,
            '{"message":"é"}',
            {"service_name": "shop", "env": "dev"},
            {"host": "h1", "request_id": "r1"},
        )
    ]


def test_the_metadata_of_a_chunk_is_skipped() -> None:
    """It holds the tag."""
    assert len(list(read_chunk(chunk(RECORD, RECORD, metadata=b"\xf1\x77line.a"), "h1"))) == 2


@pytest.mark.parametrize("record", [5, "text", {}, {"log": 5}, {"log": "x", "metadata": "y"}])
def test_what_is_no_line_of_ours_is_none(record: object) -> None:
    """It has its place, so that nobody takes the chunk for empty."""
    found = list(read_chunk(chunk(RECORD, record, RECORD), "h1"))
    assert [entry is None for entry in found] == [False, True, False]


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_torn_chunk_is_read_up_to_the_tear(cut: int) -> None:
    """Nothing before it is lost."""
    found = list(read_chunk(chunk(RECORD, RECORD)[:-cut], "h1"))
    assert len(found) == 1


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\xc1\x00" + bytes(20), b"something else" * 9])
def test_what_is_no_chunk_holds_nothing(data: bytes) -> None:
    """Whatever lies in the folder."""
    assert list(read_chunk(data, "h1")) == []


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    """The same holds for every line of the kit."""
    (entry,) = read_chunk(chunk({**RECORD, "log": b"a\xffb"}).replace(b"\xc4\x03", b"\xa3"), "h1")
    assert entry is not None
    assert entry.line == "a�b"


def test_chunks_that_wait_are_not_those_refused(tmp_path: Path) -> None:
    """The folder of a chunk decides."""
    for name in ("files/7-1795255200.000000001.flb", "rejected/line.a_400_loki_0x1.flb"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(chunk(RECORD))
    (waiting,), (rejected,) = chunk_paths(tmp_path), rejected_paths(tmp_path)
    assert (waiting.parent.name, rejected.parent.name) == ("files", "rejected")
    assert begun_s(waiting) == pytest.approx(1_795_255_200)


def test_what_was_posted_is_its_own_line() -> None:
    """The line is the JSON without the fields of the agent; service and ids follow the contract."""
    record = {"service": "web", "n": 1, "_lokikit_service": "web", "_lokikit_request_id": "r1"}
    (entry,) = read_chunk(chunk(record), "h1", posted=True)
    assert entry is not None
    assert entry.line == '{"service": "web", "n": 1}'
    assert entry.labels == {"service_name": "web"}
    assert entry.metadata == {"host": "h1", "request_id": "r1"}


@pytest.mark.parametrize(("element", "line"), [(5, "5"), ("é", '"é"'), (None, "null"), ([], "[]")])
def test_a_posted_element_that_is_no_object_is_a_line_of_nobody(element: object, line: str) -> None:
    """Fluent Bit cannot send it; nothing is lost."""
    (entry,) = read_chunk(chunk(element), "h1", posted=True)
    assert entry is not None
    assert (entry.line, entry.labels) == (line, {"service_name": "unknown"})


def test_posted_chunks_are_known_by_their_output() -> None:
    """Whose alias stands in the file name."""
    assert is_posted(Path("rejected/http.logs_0_loki_http_0x7f.flb"))
    assert not is_posted(Path("rejected/line:file.a_400_loki_0x7f.flb"))


def test_a_tag_does_not_make_a_chunk_a_posted_one() -> None:
    assert not is_posted(Path("rejected/line:file.a_loki_http_b_400_loki_0x7f.flb"))
