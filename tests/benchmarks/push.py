"""`LokiHandler` beside its peers: cost of a call, delivered lines, losses.

    python -m tests.benchmarks.push

Each candidate logs in a process of its own; the peers have an environment of their own, made at
the first run. The sink is a process that answers 204 to everything; the Loki is a real one.
Nothing here is asserted on time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
import venv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from tests.benchmarks.push_program import CANDIDATES, PUSH_PATH
from tests.benchmarks.shapes import MARKED_SHAPES, SCALARS, SIX
from tests.benchmarks.ship import batched
from tests.faults import FaultProxy, Mode
from tests.stack.conftest import RunningLoki, free_ports
from tests.stack.pushing import REPOSITORY, Programs, Writing, stored
from tests.waiting import eventually

from lokikit import JsonFormatter
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import payload
from lokikit.fields import HOST
from lokikit.stack.kit_files import state_dir
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS, STDOUT, BOTH = list(CANDIDATES)[:3]
ORIGINAL = "python-logging-loki"
PUSHING = [name for name in CANDIDATES if name not in {STDOUT, BOTH}]
CALLS = {ORIGINAL: 3_000, "python-logging-loki, queue": 3_000, "OpenTelemetry": 30_000}
"""The slow ones get fewer, or nobody would wait for them."""
MANY_CALLS = 100_000
COST_CALLS = 20_000
ROUNDS = 3
OUTAGE_CALLS, OUTAGE_RATE, OUTAGE_S = 4_000, 200.0, 5.0
OUTAGE_BEGINS_S = 7.5
"""Before the tenth second, when loki-logger-handler sends for the first time."""
CHILD_CALLS, CHILDREN = 500, 4
QUANTILE_CALLS, QUANTILE_RATE = 40_000, 4_000.0
END_S = 180
FAULTS = {
    "healthy": (Mode.PASS,),
    "500, every second": (Mode.ERROR, Mode.PASS),
    "429, every second": (Mode.THROTTLE, Mode.PASS),
    "resets, every second": (Mode.RESET, Mode.PASS),
    "hangs": (Mode.HANG,),
    "refused": (Mode.REFUSE,),
}
_PEERS = Path(__file__).with_name("peers.txt")
_MARK = re.compile(r"#(\d+)#")


@dataclass
class Run:
    """How one candidate did.

    Args:
        expected: how many lines it logged.
        found: how often each of them arrived.
        elapsed_s: from the first call to the end of the last delivery.
        wall_us: what a call took by the clock.
        cpu_us: what it took of the calling thread.
    """

    expected: int
    found: Counter[int]
    elapsed_s: float
    wall_us: float
    cpu_us: float

    @property
    def rate(self) -> float:
        """Delivered lines a second."""
        return len(self.found) / self.elapsed_s

    @property
    def lost(self) -> str:
        """The share that did not arrive."""
        return f"{100 * (1 - len(self.found) / self.expected):.1f} %"


def peers_python() -> str:
    """The interpreter of the peers' environment, which is made when it is not there."""
    folder = state_dir() / "bench" / "peers"
    python, stamp = folder / "bin" / "python", folder / "peers.txt"
    wanted = _PEERS.read_text(encoding="ascii")
    if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", _PEERS], check=True)
        stamp.write_text(wanted, encoding="ascii")
    return str(python)


def run(  # noqa: PLR0913 - what differs from run to run
    name: str,
    url: str,
    found: Callable[[str], Counter[int]],
    *,
    count: int,
    shape: str = SIX,
    rate: float = 0,
    children: int = 0,
) -> Run:
    """Have a candidate log to `url`; `found(service)` tells what arrived."""
    service = f"bench-{uuid.uuid4().hex[:12]}"
    python = sys.executable if name.startswith("lokikit") else peers_python()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report"
        program = ["-m", "tests.benchmarks.push_program", name, url, service]
        with subprocess.Popen(
            [python, *program, shape, str(count), str(rate), str(children), str(report)],
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            try:
                process.wait(END_S)
            except subprocess.TimeoutExpired:
                process.kill()
        ended_s = time.time()
        told = json.loads(report.read_text()) if report.exists() else {}
    finished_s = told.get("ended_s", ended_s) if name == OURS else ended_s
    return Run(
        expected=count * (children + 1),
        found=found(service),
        elapsed_s=finished_s - told.get("began_s", ended_s - END_S),
        wall_us=told.get("wall_us", float("nan")),
        cpu_us=told.get("cpu_us", float("nan")),
    )


@contextlib.contextmanager
def running_sink() -> Iterator[str]:
    """A sink in a process of its own; its URL."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.sink", str(port)], cwd=REPOSITORY
    ) as process:
        try:
            eventually(lambda: _answers(url))
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.ConnectionError:
        return False


def in_sink(url: str) -> Counter[int]:
    """What the sink got since it was last asked."""
    return Counter(requests.get(url, timeout=120).json())


def in_loki(url: str, service: str) -> Counter[int]:
    """What Loki has of a service."""
    marks = (_MARK.search(entry.line) for entry in stored(url, service))
    return Counter(int(mark[1]) for mark in marks if mark)


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


def run_outage(name: str, sink: str) -> Run:
    """A steady run in whose middle nobody listens."""
    with contextlib.closing(FaultProxy(sink)) as proxy:
        timers = [
            threading.Timer(OUTAGE_BEGINS_S, proxy.switch, [Mode.REFUSE]),
            threading.Timer(OUTAGE_BEGINS_S + OUTAGE_S, proxy.switch, [Mode.PASS]),
        ]
        for timer in timers:
            timer.start()
        done = run(name, proxy.url, lambda _: in_sink(sink), count=OUTAGE_CALLS, rate=OUTAGE_RATE)
        for timer in timers:
            timer.join()
        return done


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
            told = programs.write(writing).report("written", END_S)
            programs.end_all()
        rows.append(
            f"| {fault} | {told['p50_us']:.0f} | {told['p999_us']:.0f} | {told['max_us']:.0f} "
            f"| {told['peak_kb'] / 1024:.0f} |"
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
