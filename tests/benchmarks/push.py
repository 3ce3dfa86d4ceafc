"""`LokiHandler` beside its peers: cost of a call, delivered lines, losses.

    python -m tests.benchmarks.push

`push_runs` has the single run. The Loki is a real one. Nothing here is asserted on time.
"""

from __future__ import annotations

import contextlib
import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import requests
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
from tests.stack.conftest import RunningLoki
from tests.stack.pushing import Programs, Writing

from lokikit import JsonFormatter
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import payload
from lokikit.fields import HOST
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def cost_table(sink: str) -> str:
    """What a call costs its caller."""
    taken: dict[str, list[Run]] = {name: [] for name in CANDIDATES}
    for _ in range(ROUNDS):
        for name, runs in taken.items():
            count = min(COST_CALLS, CALLS.get(name, MANY_CALLS))
            runs.append(run(name, sink, lambda _: in_sink(sink), count=count))
    cpu = {name: statistics.median(one.cpu_us for one in runs) for name, runs in taken.items()}
    wall = {name: statistics.median(one.wall_us for one in runs) for name, runs in taken.items()}
    rows = [
        f"| {name} | {cpu[name]:.1f} | {cpu[name] / cpu[STDOUT]:.2f} | {wall[name]:.1f} |"
        for name in CANDIDATES
    ]
    head = "| caller, per call | CPU, us | of lokikit's stdout only | by the clock, us |"
    return "\n".join([head, "|---" * 4 + "|", *rows])


def delivery_table(sink: str, loki: str) -> str:
    """Delivered lines a second and losses of all who push, with the floor of the real Loki."""
    rows = []
    floor = floor_rate(loki)
    for name in PUSHING:
        count = CALLS.get(name, MANY_CALLS)
        to_sink = run(name, sink, lambda _: in_sink(sink), count=count)
        to_loki = run(name, loki, lambda service: in_loki(loki, service), count=count)
        children = run(name, sink, lambda _: in_sink(sink), count=CHILD_CALLS, children=CHILDREN)
        away = run_outage(name, sink)
        rows.append(
            f"| {name} | {count:,} | {to_sink.rate:,.0f} | {to_sink.lost} | {to_loki.rate:,.0f} "
            f"| {to_loki.lost} | {to_loki.rate / floor:.2f} | {1e6 / to_loki.wall_us:,.0f} "
            f"| {away.lost} | {children.lost} |"
        )
    head = (
        "| | lines | sink, delivered/s | lost | real Loki, delivered/s | lost | of the floor "
        f"| caller's own rate/s | lost in an outage of {OUTAGE_S:.0f} s "
        f"| lost with {CHILDREN} forked children |"
    )
    note = f"The floor, built batches of the same lines pushed to the real Loki: {floor:,.0f}/s."
    return "\n".join([head, "|---" * 10 + "|", *rows, "", note])


def shapes_table(sink: str) -> str:
    """Lines a second that reach the sink, by what the lines hold, and how lokikit compares."""
    rows = []
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
        cells = [f"{rates[name]:,.0f}" for name in PUSHING]
        cells += [f"{rates[OURS] / best:.1f}", f"{rates[OURS] / rates[ORIGINAL]:.0f}"]
        rows.append(f"| {shape} | {' | '.join(cells)} |")
    head = f"| delivered/s | {' | '.join(PUSHING)} | of the best peer | of {ORIGINAL} |"
    return "\n".join([head, f"{'|---' * (len(PUSHING) + 3)}|", *rows])


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


def quantile_table(sink: str) -> str:
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
        rows.append(
            f"| {fault} | {taken['p50_us']:.0f} | {taken['p999_us']:.0f} | {taken['max_us']:.0f} "
            f"| {taken['peak_kb'] / 1024:.0f} |"
        )
    in_sink(sink)
    head = "| caller of lokikit, by the clock | median, us | p99.9, us | max, us | memory, MiB |"
    return "\n".join([head, "|---" * 5 + "|", *rows])


def report() -> str:
    """All tables, in Markdown."""
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
    head = (
        f"`logger.info()` with six extra fields, Python {sys.version.split()[0]}, "
        f"{os.cpu_count()} cores; cost: medians of {ROUNDS} rounds. All with their defaults, "
        "lokikit with a spool; ours and OpenTelemetry flush before they end."
    )
    return "\n\n".join([head, *tables])


if __name__ == "__main__":
    print(report())
