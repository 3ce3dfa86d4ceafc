"""The embedded store beside a real Loki in one run: ingest, dashboards, start, memory, disk.

    python -m tests.benchmarks.store --lines 5000000
    python -m tests.benchmarks.store --growth 1000000 5000000 20000000

Both get the same pushes and are then asked the same questions in turn; whoever is not asked
stands still. Without a `loki` on PATH the store is measured alone. Times are the best of some
rounds, whose spans of time differ by a step so that no answer comes from a cache.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import requests
from tests.benchmarks import markdown
from tests.benchmarks.dashboards import DAY_S, STEP_S, ask_dashboard, entries
from tests.benchmarks.measurement import Table
from tests.benchmarks.ship import batched
from tests.dashboards import DASHBOARDS, load
from tests.stack.asking import flush
from tests.stack.engines import EMBEDDED, Engine, Running, loki_engine

from lokikit.delivery.address import PUSH_PATH
from lokikit.delivery.push_api import payload
from lokikit.errors import PrerequisiteError
from lokikit.query.client import Loki
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks.measurement import Cell

    from lokikit.delivery.entry import Entry

LINES = 1_000_000
GROWTH = (1_000_000, 5_000_000, 20_000_000)
MB = 1024 * 1024
_BATCH = 1000
_LENGTH_BYTES = 4
_ROUNDS = 3
_SAMPLE_S = 0.05
_TIMEOUT_S = 600
_STEP_NS = STEP_S * 1_000_000_000
_DAY_NS = DAY_S * 1_000_000_000
_PATIENT = tuple(
    f"-{limit}={_TIMEOUT_S}s"
    for limit in ("querier.query-timeout", "server.http-write-timeout", "server.http-read-timeout")
)
_SERVICE = '{service_name="api"}'


@dataclass
class Measured:
    """What one engine was measured at.

    Args:
        engine: the engine.
        running: its process.
        values: name of a row -> its value.
    """

    engine: Engine
    running: Running
    values: dict[str, float] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start it, and measure how long that takes."""
        began_s = time.perf_counter()
        self.running.start(*(() if self.engine is EMBEDDED else _PATIENT))
        self.values[name] = time.perf_counter() - began_s

    @contextmanager
    def greatest_memory(self, name: str) -> Iterator[None]:
        """Measure the greatest resident memory of its process inside."""
        process, ended = psutil.Process(self.running.pid), threading.Event()
        greatest = [0]

        def sample() -> None:
            while not ended.wait(_SAMPLE_S):
                greatest.append(process.memory_info().rss)

        thread = threading.Thread(target=sample)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.values[name] = max(self.values.get(name, 0), max(greatest) / MB)


def disk_mb(folder: Path) -> float:
    """Size of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MB


def shared_entries(count: int) -> Iterator[Entry]:
    """The lines of a day; those of a stream share its labels, as those of real senders do."""
    known: dict[tuple[str, ...], Mapping[str, str]] = {}
    for entry in entries(count):
        yield entry._replace(labels=known.setdefault(tuple(entry.labels.values()), entry.labels))


def write_pushes(path: Path, count: int) -> None:
    """Write the bodies of all pushes, each behind its length, so that they are made once."""
    with path.open("wb") as file:
        for batch in batched(shared_entries(count), _BATCH):
            body = payload(batch)
            file.write(len(body).to_bytes(_LENGTH_BYTES, "big") + body)


def read_pushes(path: Path) -> Iterator[bytes]:
    """The bodies that `write_pushes` wrote."""
    with path.open("rb") as file:
        while length := file.read(_LENGTH_BYTES):
            yield file.read(int.from_bytes(length, "big"))


def ingest(one: Measured, pushes: Path, count: int) -> None:
    """Push the lines of a day, each push after the answer to the one before."""
    with requests.Session() as session:
        session.headers["Content-Type"] = "application/json"
        began_s = time.perf_counter()
        for body in read_pushes(pushes):
            session.post(one.running.url + PUSH_PATH, body, timeout=_TIMEOUT_S).raise_for_status()
        one.values["ingest, lines/s"] = count / (time.perf_counter() - began_s)
    flush(one.running.url, count, time.time_ns())


def questions(end_ns: int) -> dict[str, Callable[[str, int], object]]:
    """Name of a row -> asks an engine at a URL, in a round."""

    def lines(query: str, limit: int) -> Callable[[str, int], object]:
        def ask(url: str, round_: int) -> object:
            until_ns = end_ns - round_ * _STEP_NS
            loki = Loki(url, timeout_s=_TIMEOUT_S)
            return list(loki.query_range(query, until_ns - _DAY_NS, until_ns, limit, "backward"))

        return ask

    def board(path: Path) -> Callable[[str, int], object]:
        return lambda url, round_: ask_dashboard(url, path, end_ns - round_ * _STEP_NS)

    return {
        "last 100 lines of a service, s": lines(_SERVICE, 100),
        "a word, 1,000 lines, s": lines(f"{_SERVICE} |= `shop.errors.SoldOut`", 1000),
        "one request, s": lines(f"{_SERVICE} | request_id=`{LINES // 8:032x}`", 1000),
        **{f"dashboard {load(path)['title']}, s": board(path) for path in DASHBOARDS},
    }


def ask_all(measured: list[Measured], end_ns: int) -> None:
    """Ask each question of each engine in turn."""
    for name, ask in questions(end_ns).items():
        for round_ in range(_ROUNDS):
            for one in measured:
                with one.greatest_memory("greatest memory, queries, MB"):
                    began_s = time.perf_counter()
                    ask(one.running.url, round_)
                    elapsed_s = time.perf_counter() - began_s
                one.values[name] = min(elapsed_s, one.values.get(name, elapsed_s))


def measure(engines: list[Engine], count: int) -> list[Measured]:
    """Measure the engines, over the lines of a day."""
    with tempfile.TemporaryDirectory() as name:
        pushes, measured = Path(name) / "pushes", []
        write_pushes(pushes, count)
        for engine in engines:
            folder = Path(name) / engine.name
            folder.mkdir()
            # A Loki gets its patience by `_PATIENT`.
            limits = {"query_timeout": f"{_TIMEOUT_S}s"} if engine is EMBEDDED else None
            measured.append(Measured(engine, engine.make(folder, {}, limits)))
        try:
            for one in measured:
                one.start("start, empty, s")
                with one.greatest_memory("greatest memory, ingest, MB"):
                    ingest(one, pushes, count)
                one.values["disk, MB"] = disk_mb(one.running.folder)
                one.running.stop()
            for one in measured:
                one.start("start, with these lines, s")
            ask_all(measured, time.time_ns())
        finally:
            for one in measured:
                one.running.kill()
    return measured


def available_engines() -> list[Engine]:
    """The store, and the Loki on PATH."""
    try:
        return [EMBEDDED, loki_engine(require_loki())]
    except PrerequisiteError:
        return [EMBEDDED]


def report(count: int) -> list[Table]:
    """Return the table of the store beside Loki."""
    store, *others = measure(available_engines(), count)
    rows: list[list[Cell]] = []
    for name, value in store.values.items():
        compared = ((one.values[name], one.values[name] / value) for one in others)
        rows.append([name, value, *itertools.chain.from_iterable(compared)])
    compared_columns = ((one.engine.name, f"{one.engine.name} / store") for one in others)
    note = (
        f"{count:,} lines of 24 h, all services chosen; one sender that waits for each answer, "
        f"{_BATCH:,} lines a push. A dashboard's queries are asked 6 at a time. Best of {_ROUNDS}."
    )
    columns = ["", store.engine.name, *itertools.chain.from_iterable(compared_columns)]
    return [Table("engines", columns, rows, note=note)]


def growth_report(counts: list[int]) -> list[Table]:
    """Return how the cost of the store grows with its lines."""
    measured = [measure([EMBEDDED], count)[0] for count in counts]
    rows: list[list[Cell]] = [
        [name, *(one.values[name] for one in measured)] for name in measured[0].values
    ]
    columns = ["", *(f"{count:,} lines" for count in counts)]
    return [Table("growth", columns, rows, note="24 h of lines, whatever their number.")]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="of the day")
    parser.add_argument(
        "--growth", type=int, nargs="*", help="lines of each store that is measured"
    )
    options = parser.parse_args()
    is_growth = options.growth is not None
    found = growth_report(options.growth or list(GROWTH)) if is_growth else report(options.lines)
    print(markdown.tables(found))


if __name__ == "__main__":
    main()
