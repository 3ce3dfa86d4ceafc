"""`lokikit canary` beside a real Loki and `lokikit ship`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.faults import FaultProxy, Mode
from tests.stack.asking import command, environment, push
from tests.stack.shipping import Ship, stored
from tests.waiting import eventually

from lokikit.delivery.entry import read_entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.query import logql as queries
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.stack.engines import Running

_END_S = 60


class Singing:
    """A canary whose lines `lokikit ship` carries, by a file.

    Args:
        url: where the lines go.
        looks_at: where the canary looks for them.
        folder: takes the file.
        patience_s: of the canary.
    """

    def __init__(self, url: str, looks_at: str, folder: Path, patience_s: int = 60) -> None:
        self.url = url
        self._file = folder / "canary.log"
        self.ship = Ship(url, folder / "ship", str(self._file)).start()
        pace = ("--interval", "1s", "--check-every", "1s", "--patience", f"{patience_s}s")
        with self._file.open("wb") as output:
            self.process = subprocess.Popen(
                command("canary", *pace, "--contact-points", "2"),
                env=environment(looks_at, LOG_FORMAT="json", LOG_LEVEL="error"),
                stdout=output,
            )

    def lines(self) -> list[bytes]:
        """What it wrote."""
        return self._file.read_bytes().split(b"\n")[:-1]

    def told(self, name: str) -> list[Any]:
        """The values of a field, of the lines that have it."""
        parsed = [json.loads(line) for line in self.lines()]
        return [one[name] for one in parsed if name in one]

    def total(self, name: str) -> int:
        """Their sum."""
        return sum(self.told(name))

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_END_S)

    def end_all(self) -> None:
        """End it and its agent."""
        self.end()
        self.ship.end(signal.SIGKILL)


Start = Callable[..., Singing]


@pytest.fixture
def start(loki_url: str, tmp_path: Path) -> Iterator[Start]:
    """Start a canary that looks where its lines go, or elsewhere."""
    started: list[Singing] = []

    def start(looks_at: str = loki_url, patience_s: int = 60) -> Singing:
        started.append(Singing(loki_url, looks_at, tmp_path, patience_s))
        return started[-1]

    yield start
    for one in started:
        one.end_all()


def test_lines_come_back(start: Start) -> None:
    """A round trip is measured, nothing is lost, and what it wrote is what Loki has."""
    singing = start()
    eventually(lambda: singing.told("canary_round_trip_s"))
    assert singing.end() == 0
    lines = singing.lines()
    run = singing.told("canary_run")[0].encode()
    eventually(lambda: _stored(singing.url, run) == sorted(lines))
    trips = singing.told("canary_round_trip_s")
    assert all(0 < one < _END_S for one in trips)
    assert singing.told("canary_seq")[:2] == [1, 2]
    assert set(singing.told("contact_points")) == {2}
    assert [singing.total(name) for name in ("canary_lost", "canary_duplicates")] == [0, 0]


def _stored(url: str, run: bytes) -> list[bytes]:
    lines = [entry.line.encode() for entry in stored(url, "canary")]
    return sorted(line for line in lines if run in line)


@pytest.mark.loki_in_soak
def test_a_frozen_agent(start: Start) -> None:
    """Lines that do not come are lost, once each; when they come after all they are late."""
    singing = start(patience_s=1)
    assert singing.ship.process is not None
    os.kill(singing.ship.process.pid, signal.SIGSTOP)
    eventually(lambda: singing.total("canary_lost"))
    os.kill(singing.ship.process.pid, signal.SIGCONT)
    eventually(lambda: singing.total("canary_lost") == singing.total("canary_late"))


@pytest.mark.loki_in_soak
def test_a_line_that_comes_twice(start: Start) -> None:
    """A copy that another carrier brings, with metadata of its own, is one duplicate."""
    singing = start()
    first = eventually(singing.lines)[0]
    eventually(lambda: singing.told("canary_round_trip_s"))
    entry = read_entry(first, default_service=None, platform={"pod": "x"}, now_ns=time.time_ns)
    assert Pusher(singing.url).push([entry]).outcome is Outcome.DONE
    eventually(lambda: singing.total("canary_duplicates"))
    assert singing.end() == 0
    assert singing.total("canary_duplicates") == 1


@pytest.mark.loki_in_soak
def test_loki_out_of_reach(loki_url: str, start: Start) -> None:
    """While it cannot look it says so and gives up nothing, however old the lines get."""
    proxy, patience_s = FaultProxy(loki_url), 1
    proxy.switch(Mode.REFUSE)
    singing = start(proxy.url, patience_s)
    eventually(lambda: "nothing can be said" in " ".join(singing.told("message")))
    eventually(lambda: 3 in singing.told("canary_seq"))
    assert singing.told("canary_lost") == []
    proxy.switch(Mode.PASS)
    trips = eventually(lambda: singing.told("canary_round_trip_s"))
    assert trips[0] > patience_s
    singing.end()
    proxy.close()


def test_what_is_so_now(make_loki: Callable[..., Running]) -> None:
    """The newest number counts, not the greatest: else nobody is told, and it says somebody is."""
    loki_url, now_ns = make_loki().url, time.time_ns()
    rows = [
        (now_ns - age_s * 10**9, json.dumps({"level": level, "contact_points": number}))
        for age_s, level, number in ((3, "info", 2), (2, "error", 1), (1, "info", 0))
    ]
    push(loki_url, {"service_name": "canary", "env": "now"}, rows)
    query = queries.canary_latest("contact_points", "1h")
    assert [one.value for one in Loki(loki_url).instant(query)] == ["0"]
