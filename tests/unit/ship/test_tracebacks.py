from __future__ import annotations

from datetime import datetime, timezone
from itertools import count

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.foreign import Case, cases

from lokikit.delivery.entry import EntryReader
from lokikit.fields import MAX_LINE_BYTES
from lokikit.ship.lines import Line
from lokikit.ship.tracebacks import JOIN_WAIT_S, RULES, START, Event, Joiner

NOW = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
CASES = cases(NOW)
ARRIVAL_NS = 1_800_000_000_000_000_000
ALL_LINES = [line for case in CASES for line in case.lines]


class Rig:
    """A joiner whose clocks the test holds."""

    def __init__(self) -> None:
        self.now_s = 0.0
        arrivals = count(ARRIVAL_NS)
        self.joiner = Joiner(lambda: next(arrivals), lambda: self.now_s)
        self.ends = count(1)

    def feed(self, *lines: bytes) -> list[Event]:
        """What is complete with these lines."""
        return [event for raw in lines for event in self.joiner.feed(Line(raw, next(self.ends)))]

    def texts(self, *lines: bytes) -> list[bytes]:
        """The events of these lines to their end, without the blank ones."""
        events = self.feed(*lines) + self.joiner.flush()
        return [event.raw for event in events if event.raw]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_foreign_programs(case: Case) -> None:
    """What foreign programs print becomes the entries of the shared table."""
    rig = Rig()
    reader = EntryReader("carrier", {}, lambda: ARRIVAL_NS)
    events = [event for event in rig.feed(*case.lines) + rig.joiner.flush() if event.raw]
    entries = [reader.read(event.raw, event.arrived_ns) for event in events]
    assert [entry.line for entry in entries] == [one.line for one in case.stored]
    for entry, expected in zip(entries, case.stored, strict=True):
        assert entry.labels == {"service_name": "carrier", **expected.labels}
        assert expected.metadata.items() <= entry.metadata.items()
        if expected.time_ns is None:
            assert entry.timestamp_ns >= ARRIVAL_NS
        else:
            assert entry.timestamp_ns == expected.time_ns


def test_rules_are_such_as_fluent_bit_takes() -> None:
    """The first rule starts, each state can be left, and none leads back to the start."""
    states = {rule.state for rule in RULES}
    assert RULES[0].state == START
    assert {rule.next_state for rule in RULES} == states - {START}
    assert all(rule.pattern.startswith(r"\A") for rule in RULES)


@given(st.lists(st.sampled_from(ALL_LINES), max_size=40))
def test_no_line_is_lost_doubled_or_moved(lines: list[bytes]) -> None:
    """The events hold each line once, in the order of the lines."""
    rig = Rig()
    events = rig.feed(*lines) + rig.joiner.flush()
    found = [part for event in events if event.raw for part in event.raw.split(b"\n")]
    assert found == [line for line in lines if line]
    assert sum(event.lines + event.blank for event in events) == len(lines)
    assert not lines or events[-1].end == len(lines)


@given(st.lists(st.sampled_from(ALL_LINES), max_size=40))
def test_json_stands_alone(lines: list[bytes]) -> None:
    """A JSON object is an event of its own, after whatever lines it comes."""
    rig = Rig()
    for raw in rig.texts(*lines):
        parts = raw.split(b"\n")
        assert len(parts) == 1 or not any(_is_object(part) for part in parts)


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def test_rest_that_comes_late_is_waited_for() -> None:
    """An event goes out when nothing was added to it for the wait, and not before."""
    rig = Rig()
    assert rig.feed(b"java.lang.Error: x") == []
    rig.now_s = JOIN_WAIT_S * 0.9
    assert rig.joiner.expire(rig.now_s) == []
    assert rig.feed(b"\tat a.B(B.java:1)") == []
    rig.now_s = JOIN_WAIT_S * 1.8
    assert rig.joiner.expire(rig.now_s) == []
    rig.now_s = JOIN_WAIT_S * 2
    (event,) = rig.joiner.expire(rig.now_s)
    assert event.raw == b"java.lang.Error: x\n\tat a.B(B.java:1)"
    assert rig.joiner.expire(rig.now_s) == rig.joiner.flush() == []


def test_rest_that_comes_too_late_is_one_event() -> None:
    """Frames that come after their event has gone are joined with each other."""
    rig = Rig()
    rig.feed(b"java.lang.Error: x")
    rig.joiner.flush()
    assert rig.texts(b"\tat a.B(B.java:1)", b"\tat a.C(C.java:1)") == [
        b"\tat a.B(B.java:1)\n\tat a.C(C.java:1)"
    ]


def test_time_is_that_of_the_first_line() -> None:
    """A joined event arrived when its first line did."""
    rig = Rig()
    rig.feed(b"java.lang.Error: x")
    assert rig.joiner.flush()[0].arrived_ns == ARRIVAL_NS
    rig.feed(b"\tat a.B(B.java:1)", b"\tat a.C(C.java:1)")
    assert rig.joiner.flush()[0].arrived_ns == ARRIVAL_NS + 1


def test_blank_lines_go_with_what_is_held() -> None:
    """The end of an event stands behind the blank lines read with it, so none is read again."""
    rig = Rig()
    assert rig.feed(b"", b"java.lang.Error: x", b"", b"") == [Event(b"", 1, lines=0, blank=1)]
    assert rig.joiner.flush() == [Event(b"java.lang.Error: x", 4, ARRIVAL_NS, 1, 2)]


@pytest.mark.parametrize("filler", [b"x", b"\xff"])
def test_event_fits_into_an_entry(filler: bytes) -> None:
    """A traceback over the limit of a line goes on in the next event; nothing of it is cut."""
    rig = Rig()
    frame = b"\tat " + filler * 10_000
    lines = [b"java.lang.Error: x", *[frame] * 60]
    texts = rig.texts(*lines)
    sizes = [len(text.decode("utf-8", "replace").encode()) for text in texts]
    assert max(sizes) <= MAX_LINE_BYTES
    assert min(sizes[:-1]) > MAX_LINE_BYTES - 40_000
    assert b"\n".join(texts).split(b"\n") == lines


def test_event_of_exactly_the_limit_is_whole() -> None:
    """The limit counts the bytes of the entry, and no more."""
    first = b"java.lang.Error: x"
    frame = b"\tat " + b"x" * (MAX_LINE_BYTES - len(first) - 5)
    assert list(map(len, Rig().texts(first, frame))) == [MAX_LINE_BYTES]
    assert len(Rig().texts(first, frame + b"x")) == 2
