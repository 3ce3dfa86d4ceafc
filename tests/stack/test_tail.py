"""`lokikit tail` and the client on a real Loki: live, and exact over a restart of Loki."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.stack.asking import command, environment, new_labels, push, run, selector
from tests.stack.pushing import sizes
from tests.waiting import eventually

from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.engines import Running


class TailProcess:
    """A running `lokikit tail -o raw`, with what it has said so far."""

    def __init__(self, folder: Path, url: str, query: str, *options: str) -> None:
        self._out, self._err = folder / "tail.out", folder / "tail.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command("tail", query, "-o", "raw", *options),
                env=environment(url),
                stdout=out,
                stderr=err,
            )

    def lines(self) -> list[str]:
        """What it has shown."""
        return self._out.read_text().splitlines()

    def said(self) -> str:
        """Its stderr."""
        return self._err.read_text()

    def shows(self, line: str) -> bool:
        """Whether it has shown `line`."""
        assert self.process.poll() is None, self.said()
        return line in self.lines()


@pytest.fixture
def tail(tmp_path: Path) -> Iterator[Callable[..., TailProcess]]:
    """Start `lokikit tail`, which is ended with the test: `tail(url, query, "--since", "1h")`."""
    started: list[TailProcess] = []

    def start(url: str, query: str, *options: str) -> TailProcess:
        started.append(TailProcess(tmp_path, url, query, *options))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


class Service(threading.Thread):
    """A service whose lines are pushed, again and again until Loki has them, as an agent does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.labels = new_labels()
        self.written: list[str] = []
        self._pusher = Pusher(url)
        self._ended = threading.Event()

    def run(self) -> None:
        """Write on until `end`, some 500 lines a second."""
        while not self._ended.wait(0.02):
            start_ns, first = time.time_ns(), len(self.written)
            lines = [f"line {first + n}" for n in range(10)]
            self._deliver(
                [Entry(start_ns + n, line, self.labels, {}) for n, line in enumerate(lines)]
            )
            self.written += lines

    def end(self) -> None:
        """Stop writing; all lines are in Loki."""
        self._ended.set()
        self.join()
        self._pusher.close()

    def _deliver(self, entries: list[Entry]) -> None:
        while self._pusher.push(entries).outcome is not Outcome.DONE:
            self._ended.wait(0.1)


def test_lines_are_shown_as_they_come(loki_url: str, tail: Callable[..., TailProcess]) -> None:
    """A line is shown while the command runs; with `--since` also those from before."""
    labels = new_labels()
    push(loki_url, labels, [(time.time_ns(), "before")])
    running = tail(loki_url, selector(labels), "--since", "1m")
    eventually(lambda: running.shows("before"))
    for number in range(3):
        push(loki_url, labels, [(time.time_ns(), f"live {number}")])
        eventually(lambda line=f"live {number}": running.shows(line))
    assert running.lines() == ["before", "live 0", "live 1", "live 2"]


def test_filters_and_stages(loki_url: str, tail: Callable[..., TailProcess]) -> None:
    """Filters and stages of the query hold live too."""
    labels = new_labels()
    query = f'{selector(labels)} | json | order > 5 | line_format "{{{{.order}}}}"'
    running = tail(loki_url, query, "--since", "1m")
    push(loki_url, labels, [(time.time_ns() + n, f'{{"order": {n}}}') for n in range(9)])
    eventually(lambda: running.shows("8"))
    assert running.lines() == ["6", "7", "8"]


@pytest.mark.parametrize("count", sizes(12_000, 30_000))
def test_a_flood_is_complete(loki_url: str, count: int) -> None:
    """Of a flood every entry is shown once, although Loki's live feed leaves entries out."""
    labels = new_labels()
    rows = [(time.time_ns() + n, f"row {n}") for n in range(count)]
    entries = Loki(loki_url).tail(selector(labels), since=rows[0][0])
    flood = threading.Thread(target=push, args=(loki_url, labels, rows))
    flood.start()
    shown = [next(entries).line for _ in range(count)]
    flood.join()
    entries.close()
    assert sorted(shown) == sorted(line for _, line in rows)


def test_a_restart_of_loki(
    make_loki: Callable[..., Running], tail: Callable[..., TailProcess]
) -> None:
    """Over a stop, a kill and two starts of Loki each line is shown, and none twice."""
    loki = make_loki()
    service = Service(loki.url)
    running = tail(loki.url, selector(service.labels), "--since", "1m")
    service.start()
    for end in (loki.stop, loki.kill):
        eventually(lambda: running.shows(service.written[-1]) if service.written else False)
        end()
        eventually(lambda: running.said().count("Trying again"))
        loki.start()
        resumed_at = len(service.written)
        eventually(lambda at=resumed_at: len(running.lines()) > at + 100, within_s=180)
    service.end()
    eventually(lambda: len(running.lines()) >= len(service.written), within_s=180)
    assert sorted(running.lines()) == sorted(service.written)


def test_interrupt(loki_url: str, tail: Callable[..., TailProcess]) -> None:
    """Ctrl-C ends it with exit code 130 and without a word."""
    labels = new_labels()
    push(loki_url, labels, [(time.time_ns(), "line")])
    running = tail(loki_url, selector(labels), "--since", "1m")
    eventually(lambda: running.shows("line"))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(30) == 130
    assert running.said() == ""


@pytest.mark.parametrize(
    ("query", "reason"),
    [('{service_name="x', "parse error"), ('rate({service_name="x"}[1m])', "a query for lines")],
)
def test_a_wrong_query(loki_url: str, query: str, reason: str) -> None:
    """A query that cannot be followed is refused at once, on one line, with exit code 2."""
    done = run(loki_url, "tail", query)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert reason in done.stderr


def test_loki_away(loki_url: str) -> None:
    """Without a Loki at the start it ends instead of waiting for ever; exit code 4."""
    done = run(loki_url.rpartition(":")[0] + ":9", "tail", '{service_name="x"}')
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
