"""The same nasty lines by every way into Loki: the same entries, path against path."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import requests
from tests.agent import events
from tests.agent.feeding import Driver
from tests.agent.nasty import COUNT, SERVICE, nasty_lines
from tests.agent.running import HOST, RunningAgent
from tests.stack.asking import recent_entries
from tests.stack.shipping import Ship, append
from tests.waiting import eventually

from lokikit import fields
from lokikit.delivery.entry import ArrivalClock, Entry, EntryReader, read_entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.query.client import Loki
from lokikit.times import parse_timestamp_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.engines import Engine

    from lokikit.query.results import LogEntry

_PART_BYTES = 16 * 1024
_BATCH = 100


class Row(NamedTuple):
    """What is compared of an entry; an arrival time is none."""

    line: str
    timestamp_ns: int | None
    labels: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...]


class Ways:
    """Carries lines by each way, each time into a Loki of its own.

    Args:
        program: the `loki` to run.
        fluent_bit: the `fluent-bit` to run.
        folder: takes all that is written.
    """

    def __init__(self, engine: Engine, fluent_bit: Path, folder: Path) -> None:
        self.lines = [*nasty_lines()]
        self.posted = list(filter(arrives, self.lines))
        self._engine = engine
        self._fluent_bit = fluent_bit
        self._folder = folder
        self._found: dict[str, list[LogEntry]] = {}

    def entries(self, way: str) -> list[LogEntry]:
        """What Loki has afterwards."""
        if way not in self._found:
            folder = self._folder / way
            folder.mkdir()
            loki = self._engine.make(folder, {}).start()
            carry: Callable[[str, Path], Iterator[None]] = getattr(self, f"_{way}")
            try:
                count = len(self.posted if way == "http" else self.lines)
                for _ in carry(loki.url, folder):
                    eventually(lambda: len(_stored(loki.url)) >= count, within_s=60)
                self._found[way] = _stored(loki.url)
            finally:
                loki.kill()
        return self._found[way]

    def _push(self, url: str, _: Path) -> Iterator[None]:
        reader = EntryReader(SERVICE, {fields.HOST: HOST}, ArrivalClock())
        entries = [reader.read(line) for line in self.lines]
        pusher = Pusher(url)
        for start in range(0, len(entries), _BATCH):
            answer = pusher.push(entries[start:][:_BATCH])
            assert answer.outcome is Outcome.DONE, answer
        pusher.close()
        yield

    def _ship(self, url: str, folder: Path) -> Iterator[None]:
        append(folder / f"{SERVICE}.log", self.lines)
        ship = Ship(url, folder / "ship", str(folder / f"{SERVICE}.log")).start()
        yield
        assert ship.end() == 0

    def _tail(self, url: str, folder: Path) -> Iterator[None]:
        with_agent = RunningAgent(self._fluent_bit, folder, url, "native", {})
        append(with_agent.logs / f"{SERVICE}.log", self.lines)
        yield from _running(with_agent)

    def _forward(self, url: str, folder: Path) -> Iterator[None]:
        agent = RunningAgent(self._fluent_bit, folder, url, "docker", {})
        agent.start()
        driver = Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], SERVICE)
        for number, line in enumerate(self.lines):
            _send(driver, line, number)
        yield
        driver.close()
        agent.kill()

    def _http(self, url: str, folder: Path) -> Iterator[None]:
        agent = RunningAgent(self._fluent_bit, folder, url, "native", {}).start()
        with requests.Session() as session:
            session.headers["Content-Type"] = "application/json"
            target = agent.logs_url
            for line in self.posted:
                assert session.post(target, line, timeout=30).status_code == 201
        yield
        assert not agent.numbers().dead
        agent.kill()


def arrives(line: bytes) -> bool:
    """Whether it is an event, of as many levels as the agent can hold."""
    event = events.event_of(line)
    return event is not None and events.fits(event)


def _running(agent: RunningAgent) -> Iterator[None]:
    agent.start()
    yield
    agent.kill()


def _send(driver: Driver, line: bytes, number: int) -> None:
    """As Docker does: a line over 16 KB in marked parts."""
    if len(line) <= _PART_BYTES:
        driver.send(line)
        return
    parts = [line[start:][:_PART_BYTES] for start in range(0, len(line), _PART_BYTES)]
    for ordinal, part in enumerate(parts, 1):
        driver.send(
            part,
            partial_message="true",
            partial_id=f"{number:064x}",
            partial_ordinal=str(ordinal),
            partial_last="true" if ordinal == len(parts) else "false",
        )


def _stored(url: str) -> list[LogEntry]:
    return recent_entries(Loki(url), '{service_name=~".+"}')


@pytest.fixture(scope="module")
def ways(engine: Engine, fluent_bit: Path, tmp_path_factory: pytest.TempPathFactory) -> Ways:
    """One run of each way for all tests."""
    return Ways(engine, fluent_bit, tmp_path_factory.mktemp("ways"))


def rows(entries: list[LogEntry], lines: list[bytes]) -> Counter[Row]:
    """The table of a way, to compare as a multiset."""
    own = {entry.line for entry in map(_read, lines) if entry.timestamp_ns}
    return Counter(
        Row(
            entry.line,
            entry.timestamp_ns if entry.line in own else None,
            tuple(sorted(entry.labels.items())),
            tuple(sorted((k, v) for k, v in entry.metadata.items() if k != "stream")),
        )
        for entry in entries
    )


def _read(line: bytes) -> Entry:
    """What the reference makes of a line; time 0 when it has none of its own."""
    return read_entry(line, default_service=SERVICE, platform={}, now_ns=lambda: 0)


@pytest.mark.parametrize("way", ["ship", "tail", "forward"])
def test_entries_are_those_of_a_push(ways: Ways, way: str) -> None:
    """Line, timestamp, labels and metadata of a thousand nasty lines, each once."""
    pushed = rows(ways.entries("push"), ways.lines)
    carried = rows(ways.entries(way), ways.lines)
    assert carried - pushed == Counter()
    assert pushed - carried == Counter()


def test_lines_are_those_written(ways: Ways) -> None:
    """Byte for byte, as far as they are UTF-8 and within the limit."""
    written = Counter(_read(line).line for line in ways.lines)
    assert Counter(entry.line for entry in ways.entries("push")) == written


def test_events_are_those_of_a_push(ways: Ways) -> None:
    """Equal as JSON, with equal times, labels and metadata, as far as the agent can hold them."""
    pushed = {entry.line: entry for entry in ways.entries("push")}
    expected, found = {}, {}
    for line in ways.posted:
        event = events.event_of(line)
        read = _read(line)
        entry = pushed[read.line]
        assert event is not None
        stamp_ns = read.timestamp_ns if has_time(event) else None
        expected[events.canonical(events.rewritten(event))] = (
            stamp_ns,
            events.labels_of(event, entry.labels),
            events.metadata_of(event, entry.metadata),
        )
    for entry in ways.entries("http"):
        event = json.loads(entry.line)
        stamp_ns = in_full(entry.timestamp_ns) if has_time(event) else None
        found[events.canonical(event)] = (stamp_ns, entry.labels, entry.metadata)
    assert len(expected) == len(ways.posted) > COUNT * 0.9
    assert len(ways.entries("http")) == len(ways.posted)
    assert found.keys() - expected.keys() == set()
    assert {name: one for name, one in found.items() if one != expected[name]} == {}


def has_time(event: dict[str, Any]) -> bool:
    """Whether the agent reads a time from it: not from small letters."""
    stamp = event.get("timestamp")
    return parse_timestamp_ns(stamp) is not None and str(stamp).isupper()


def in_full(stamp_ns: int) -> int:
    """A time of microseconds that came out a nanosecond early, put right."""
    return stamp_ns + (stamp_ns % 1000 == 999)
