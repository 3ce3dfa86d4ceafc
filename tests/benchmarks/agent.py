"""Fluent Bit with the kit's configuration, file -> agent -> Loki, beside what else could carry it.

    python -m tests.benchmarks.agent --size-mb 128

Beside it: Fluent Bit with the plain tail -> Loki configuration of its manual, which stores the line
inside a JSON object under one label at the time of its arrival, and `lokikit ship`. Each run has a
Loki of its own; the runs alternate, and medians stand in the table. Nothing is asserted on time.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from tests.agent.running import RunningAgent
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.ship import (
    MB,
    SERVICE,
    Result,
    line,
    loki_cpu_s,
    run_ship,
    write_lines,
)
from tests.stack.conftest import RunningLoki
from tests.stack.shipping import Ship
from tests.waiting import eventually

from lokikit.errors import PrerequisiteError
from lokikit.query.client import Loki
from lokikit.stack.native.agent import find_fluent_bit
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from tests.benchmarks.measurement import Cell

KIT, PLAIN, SHIP = "Fluent Bit, the kit's", "Fluent Bit, plain", "lokikit ship"
ROUNDS = 3
DELAY_LINES, DELAY_RATE = 20_000, 1_000
_SELECTOR = {KIT: '{service_name=~".+"}', PLAIN: '{job="fluentbit"}'}
_SELECTOR[SHIP] = _SELECTOR[KIT]
_NUMBER = re.compile(r"/orders/(\d+)")
_STEP_S = 0.01
_DRAIN_S = 600
_PLAIN = """\
service:
  flush: 1
  log_level: error
  http_server: on
  http_listen: 127.0.0.1
  http_port: ${FLUENTBIT_ADMIN_PORT}
pipeline:
  inputs:
    - name: tail
      path: ${FLUENTBIT_FILES}
      read_from_head: on
  outputs:
    - name: loki
      alias: loki
      match: '*'
      host: ${LOKI_HOST}
      port: ${LOKI_PORT}
      labels: job=fluentbit
"""


class Bench:
    """Runs the carriers, each time in a folder and with a Loki of its own.

    Args:
        folder: takes all that is written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = require_loki()
        found = find_fluent_bit()
        if found is None:
            raise PrerequisiteError("no Fluent Bit 5 on PATH")
        self._fluent_bit = found
        self._count = 0

    def throughput(self, name: str, path: Path, lines: int) -> Result:
        """Carry a file that is there already, and see that all of it arrived once."""
        folder, loki = self._loki()
        try:
            if name == SHIP:
                result = run_ship(loki, folder, path, lines)
            else:
                result = _carry(self._agent(name, folder, loki.url, path), loki, name, lines)
            stored = stored_lines(loki, name)
            assert stored == lines, (name, stored, lines)
            return result
        finally:
            loki.kill()

    def delays_s(self, name: str) -> list[float]:
        """Of lines written at an even rate: from the write of each until a query has it."""
        folder, loki = self._loki()
        path = folder / f"{SERVICE}.log"
        path.touch()
        try:
            if name == SHIP:
                ship = Ship(loki.url, folder / "ship", str(path)).start()
                eventually(ship.is_running)
                found = watched(loki.url, _SELECTOR[name], path)
                ship.end()
                return found
            agent = self._agent(name, folder, loki.url, path).start()
            found = watched(loki.url, _SELECTOR[name], path)
            agent.kill()
            return found
        finally:
            loki.kill()

    def _loki(self) -> tuple[Path, RunningLoki]:
        self._count += 1
        folder = self._folder / str(self._count)
        (folder / "loki").mkdir(parents=True)
        return folder, RunningLoki(self._program, folder / "loki", {}).start()

    def _agent(self, name: str, folder: Path, url: str, path: Path) -> RunningAgent:
        variables = {"FLUENTBIT_FILES": str(path)}
        agent = RunningAgent(self._fluent_bit, folder, url, "native", variables)
        if name == PLAIN:
            (folder / "plain.yaml").write_text(_PLAIN)
            agent.command[-1] = str(folder / "plain.yaml")
        return agent


def stored_lines(loki: RunningLoki, name: str) -> int:
    """How many lines Loki has of one carrier."""
    query = f"sum(count_over_time({_SELECTOR[name]}[2h]))"
    samples = Loki(loki.url, timeout_s=120).instant(query)
    return round(sum(float(sample.value) for sample in samples))


def _carry(agent: RunningAgent, loki: RunningLoki, name: str, lines: int) -> Result:
    memory_mb: list[float] = []

    def done() -> bool:
        memory_mb.append(agent.rss_bytes() / MB)
        return agent.numbers().sent >= lines

    before_s, start_s = loki_cpu_s(loki), time.perf_counter()
    agent.start()
    try:
        eventually(done, _DRAIN_S)
        elapsed_s = time.perf_counter() - start_s
        assert agent.process is not None
        cpu = psutil.Process(agent.process.pid).cpu_times()
        used_s = loki_cpu_s(loki) - before_s
    finally:
        agent.kill()
    return Result(name, lines, elapsed_s, cpu.user + cpu.system, used_s, memory_mb)


def watched(url: str, selector: str, path: Path) -> list[float]:
    """Write `DELAY_LINES` at `DELAY_RATE`; seconds until each is found, sorted."""
    written: dict[int, float] = {}
    found: dict[int, float] = {}
    writer = threading.Thread(target=_write, args=(path, written), daemon=True)
    loki, oldest_ns = Loki(url), time.time_ns()
    writer.start()

    def all_found() -> bool:
        nonlocal oldest_ns
        for entry in loki.query_range(selector, oldest_ns, time.time_ns()):
            match = _NUMBER.search(entry.line)
            assert match
            found.setdefault(int(match[1]), time.time())
        missing = [number for number in list(written) if number not in found]
        oldest_ns = min(missing, default=time.time_ns() // 1000 - 1) * 1000
        return len(found) >= DELAY_LINES

    eventually(all_found, _DRAIN_S)
    return sorted(found[number] - at_s for number, at_s in written.items())


def _write(path: Path, written: dict[int, float]) -> None:
    """Append lines at an even rate, some at once; each has the microsecond as its number."""
    each = round(DELAY_RATE * _STEP_S)
    with path.open("ab", buffering=0) as file:
        start_s = time.monotonic()
        for step in range(DELAY_LINES // each):
            threading.Event().wait(max(0.0, start_s + step * _STEP_S - time.monotonic()))
            now_us = time.time_ns() // 1000
            file.write(b"".join(line(now_us + number) for number in range(each)))
            written.update({now_us + number: time.time() for number in range(each)})


def report(size_mb: int, rounds: int = ROUNDS) -> list[Table]:
    """Return the tables.

    Raises:
        PrerequisiteError: no Fluent Bit 5 is on PATH.
    """
    results: dict[str, list[Result]] = {name: [] for name in (KIT, PLAIN, SHIP)}
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        path = Path(folder) / f"{SERVICE}.log"
        lines = write_lines(path, size_mb * MB)
        for turn in range(rounds):
            for name in sorted(results, reverse=bool(turn % 2)):
                results[name].append(bench.throughput(name, path, lines))
        delays = {name: bench.delays_s(name) for name in results}
    middle = {name: median(of) for name, of in results.items()}
    return [
        _throughput_table([_row(one, middle[PLAIN]) for one in middle.values()], size_mb, rounds),
        _delay_table([_delay_row(name, of) for name, of in delays.items()]),
    ]


def _throughput_table(rows: list[list[Cell]], size_mb: int, rounds: int) -> Table:
    columns = [
        *("agent", "lines/s", "of plain", "agent CPU", "Loki CPU", "together"),
        *("together, of plain", "greatest RSS, MB"),
    ]
    head = (
        f"A file of {size_mb} MB that is there when the agent starts; medians of {rounds} "
        "alternating runs, each with a Loki of its own; CPU in microseconds a line."
    )
    return Table("throughput", columns, rows, head)


def _delay_table(rows: list[list[Cell]]) -> Table:
    head = (
        f"From the write of a line until a query finds it, at {DELAY_RATE:,} lines/s for "
        f"{DELAY_LINES // DELAY_RATE} s; asked every 50 ms:"
    )
    return Table("delays", ["agent", "median, s", "p99, s", "max, s"], rows, head)


def median(results: list[Result]) -> Result:
    """Each figure's own median."""

    def of(figure: str) -> float:
        return statistics.median(float(getattr(one, figure)) for one in results)

    memory_mb = [statistics.median(max(one.memory_mb) for one in results)]
    first = results[0]
    figures = of("elapsed_s"), of("sender_cpu_s"), of("loki_cpu_s")
    return Result(first.name, first.lines, *figures, memory_mb)


def _row(one: Result, plain: Result) -> list[Cell]:
    costs_us = _costs_us(one)
    ratio = costs_us[2] / _costs_us(plain)[2]
    return [one.name, one.rate, one.rate / plain.rate, *costs_us, ratio, one.memory_mb[0]]


def _costs_us(one: Result) -> tuple[float, float, float]:
    agent, loki = (cpu_s / one.lines * 1e6 for cpu_s in (one.sender_cpu_s, one.loki_cpu_s))
    return agent, loki, agent + loki


def _delay_row(name: str, delays_s: list[float]) -> list[Cell]:
    p99_s = delays_s[int(len(delays_s) * 0.99)]
    return [name, statistics.median(delays_s), p99_s, delays_s[-1]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mb", type=int, default=128, help="of the file that passes")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    print(markdown.tables(report(arguments.size_mb, arguments.rounds)))


if __name__ == "__main__":
    main()
