"""`LokiHandler` beside its peers: cost of a call, delivered lines, losses.

    python -m tests.benchmarks.push

`push_runs` has the single run. The Loki is a real one. Nothing here is asserted on time.
"""

from __future__ import annotations

import contextlib
import logging
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.push_program import CANDIDATES, PUSH_PATH
from tests.benchmarks.push_runs import (
    BOTH,
    END_S,
    OURS,
    OUTAGE_S,
    STDOUT,
    Run,
    in_loki,
    in_sink,
    peers_python,
    run,
    run_outage,
    running_sink,
)
from tests.benchmarks.shapes import MARKED_SHAPES, SCALARS
from tests.benchmarks.ship import batched
from tests.faults import FaultProxy, Mode
from tests.programs.writer import Writing
from tests.stack.conftest import RunningLoki
from tests.stack.pushing import Programs

from lokikit import JsonFormatter
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import payload
from lokikit.fields import HOST
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.measurement import Cell

ORIGINAL = "python-logging-loki"
PUSHING = [name for name in CANDIDATES if name not in {STDOUT, BOTH}]
CALLS = {ORIGINAL: 3_000, "python-logging-loki, queue": 3_000, "OpenTelemetry": 30_000}
"""The slow ones get fewer, or nobody would wait for them."""
MANY_CALLS = 100_000
COST_CALLS = 20_000
ROUNDS = 3
CHILD_CALLS, CHILDREN = 500, 4
QUANTILE_CALLS, QUANTILE_RATE = 40_000, 4_000.0
FAULTS = {
    "healthy": (Mode.PASS,),
    "500, every second": (Mode.ERROR, Mode.PASS),
    "429, every second": (Mode.THROTTLE, Mode.PASS),
    "resets, every second": (Mode.RESET, Mode.PASS),
    "hangs": (Mode.HANG,),
    "refused": (Mode.REFUSE,),
}


def cost_table(sink: str) -> Table:
    """What a call costs its caller."""
    taken: dict[str, list[Run]] = {name: [] for name in CANDIDATES}
    for _ in range(ROUNDS):
        for name, runs in taken.items():
            count = min(COST_CALLS, CALLS.get(name, MANY_CALLS))
            runs.append(run(name, sink, lambda _: in_sink(sink), count=count))
    cpu = {name: statistics.median(one.cpu_us for one in runs) for name, runs in taken.items()}
    wall = {name: statistics.median(one.wall_us for one in runs) for name, runs in taken.items()}
    rows: list[list[Cell]] = [
        [name, cpu[name], cpu[name] / cpu[STDOUT], wall[name]] for name in CANDIDATES
    ]
    columns = ["caller, per call", "CPU, us", "of lokikit's stdout only", "by the clock, us"]
    head = (
        "`logger.info()` with six extra fields. All with their defaults, lokikit with a spool; "
        f"lokikit and OpenTelemetry flush before they end. Medians of {ROUNDS} rounds."
    )
    return Table("costs", columns, rows, head)


def delivery_table(sink: str, loki: str) -> Table:
    """Delivered lines a second and losses of all who push, with the floor of the real Loki."""
    rows: list[list[Cell]] = []
    floor = floor_rate(loki)
    for name in PUSHING:
        count = CALLS.get(name, MANY_CALLS)
        to_sink = run(name, sink, lambda _: in_sink(sink), count=count)
        to_loki = run(name, loki, lambda service: in_loki(loki, service), count=count)
        children = run(name, sink, lambda _: in_sink(sink), count=CHILD_CALLS, children=CHILDREN)
        away = run_outage(name, sink)
        rows.append(
            [
                *(name, count, to_sink.rate, to_sink.lost_percent),
                *(to_loki.rate, to_loki.lost_percent, to_loki.rate / floor),
                *(1e6 / to_loki.wall_us, away.lost_percent, children.lost_percent),
            ]
        )
    columns = [
        *("", "lines", "sink, delivered/s", "lost, %", "Loki, delivered/s", "lost in Loki, %"),
        *("of the floor", "caller's own rate/s", "lost in an outage, %"),
        "lost with forked children, %",
    ]
    note = (
        f"The floor, built batches of the same lines pushed to Loki: {floor:,.0f}/s. The outage "
        f"takes {OUTAGE_S:.0f} s; {CHILDREN} children are forked."
    )
    return Table("deliveries", columns, rows, note=note)


def shapes_table(sink: str) -> Table:
    """Lines a second that reach the sink, by what the lines hold, and how lokikit compares."""
    rows: list[list[Cell]] = []
    for shape in MARKED_SHAPES:
        rates: dict[str, float] = {}
        for name in PUSHING:
            count = CALLS.get(name, MANY_CALLS)
            runs = [
                run(name, sink, lambda _: in_sink(sink), count=count, shape=shape)
                for _ in range(ROUNDS)
            ]
            rates[name] = statistics.median(one.rate for one in runs)
        best = max(rate for name, rate in rates.items() if name != OURS)
        compared = [rates[OURS] / best, rates[OURS] / rates[ORIGINAL]]
        rows.append([shape, *(rates[name] for name in PUSHING), *compared])
    columns = ["delivered/s", *PUSHING, "of the best peer", f"of {ORIGINAL}"]
    return Table("shapes", columns, rows)


def floor_rate(loki: str) -> float:
    """Lines a second that Loki takes of batches built beforehand."""
    service = f"bench-{uuid.uuid4().hex[:12]}"
    bodies = [payload(batch) for batch in batched(built_entries(service), 5_000)]
    session = requests.Session()
    session.trust_env = False
    session.headers["Content-Type"] = "application/json"
    began_s = time.perf_counter()
    for body in bodies:
        session.post(loki + PUSH_PATH, body, timeout=60).raise_for_status()
    return MANY_CALLS / (time.perf_counter() - began_s)


def built_entries(service: str) -> Iterator[Entry]:
    """The lines of a run, as entries."""
    formatter = JsonFormatter(service=service, env="bench")
    labels, metadata = {"service_name": service, "env": "bench"}, {HOST: "bench"}
    for number in range(MANY_CALLS):
        record = logging.LogRecord(
            "shop.orders", logging.INFO, __file__, 1, "order #%d# placed", (number,), None
        )
        vars(record).update(SCALARS)
        yield Entry(time.time_ns(), formatter.format(record), labels, metadata)


def quantile_table(sink: str) -> Table:
    """How long the slowest calls of ours take in healthy and faulty runs."""
    rows = []
    for fault, modes in FAULTS.items():
        with contextlib.closing(FaultProxy(sink)) as proxy, tempfile.TemporaryDirectory() as name:
            proxy.switch(*modes)
            programs = Programs(Path(name))
            handler = {"spool_dir": str(Path(name) / "spool")}
            writing = Writing(
                *(proxy.url, "bench", QUANTILE_CALLS),
                rate=QUANTILE_RATE,
                handler=handler,
                ending="wait",
            )
            taken = programs.write(writing).report("written", END_S)
            programs.end_all()
        times_us = taken["p50_us"], taken["p999_us"], taken["max_us"]
        rows.append([fault, *times_us, taken["peak_kb"] / 1024])
    in_sink(sink)
    columns = [
        *("caller of lokikit, by the clock", "median, us", "p99.9, us", "max, us"),
        "memory, MiB",
    ]
    return Table("faults", columns, rows)


def report() -> list[Table]:
    """Return all tables."""
    program = require_loki()
    peers_python()
    with running_sink() as sink, tempfile.TemporaryDirectory() as name:
        loki = RunningLoki(program, Path(name), {}).start()
        try:
            tables = [
                cost_table(sink),
                shapes_table(sink),
                delivery_table(sink, loki.url),
                quantile_table(sink),
            ]
        finally:
            loki.kill()
    return tables


if __name__ == "__main__":
    print(markdown.tables(report()))
