"""One Loki and three replicas, side by side: what they take in, and how fast they answer.

    python -m tests.benchmarks.replicas --lines 500000

All of it is on this one machine, S3 too, so three replicas share what one has alone: the table says
what replication costs, not what three machines give. Nothing here is asserted on time.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psutil
import requests
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.stack.conftest import RunningLoki
from tests.stack.replicas import Replicas

from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.measurement import Cell

LINES = 300_000
_BATCH = 5_000
_FILLER = "x" * 280
_QUERIES = {
    "count of all": 'sum(count_over_time({service_name="bench"}[1h]))',
    "count of a word": 'sum(count_over_time({service_name="bench"} |= "line 77" [1h]))',
    "count by a field": 'sum by (shop) (count_over_time({service_name="bench"} | json [1h]))',
}


@dataclass(frozen=True)
class Row:
    """One measured run.

    Args:
        name: what ran.
        lines_per_s: that were acknowledged.
        cpu_us: CPU time of all its processes for each line.
        queries_s: how long each of `_QUERIES` took.
    """

    name: str
    lines_per_s: float
    cpu_us: float
    queries_s: list[float]


def measure(name: str, urls: Sequence[str], processes: Sequence[int], lines: int) -> Row:
    """Send `lines` over one connection to each of `urls` in turn, then ask the first."""
    sessions = cycle([(requests.Session(), url) for url in urls])
    before_s, start_s, start_ns = _cpu_s(processes), time.perf_counter(), time.time_ns()
    for first in range(0, lines, _BATCH):
        session, url = next(sessions)
        body = _payload(range(first, min(first + _BATCH, lines)), start_ns)
        headers = {"Content-Type": "application/json"}
        answer = session.post(f"{url}/loki/api/v1/push", body, headers=headers, timeout=70)
        answer.raise_for_status()
    elapsed_s, cpu_s = time.perf_counter() - start_s, _cpu_s(processes) - before_s
    queries_s = [_asked_s(urls[0], query) for query in _QUERIES.values()]
    return Row(name, lines / elapsed_s, cpu_s / lines * 1e6, queries_s)


def _payload(numbers: range, start_ns: int) -> bytes:
    values = [
        [
            str(start_ns + number * 1000),
            f'{{"level":"info","message":"line {number}","shop":{number % 7},"more":"{_FILLER}"}}',
        ]
        for number in numbers
    ]
    return orjson.dumps({"streams": [{"stream": {"service_name": "bench"}, "values": values}]})


def _cpu_s(processes: Sequence[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in processes]
    return sum(one.user + one.system for one in times)


def _asked_s(url: str, query: str) -> float:
    start_s = time.perf_counter()
    answer = requests.get(f"{url}/loki/api/v1/query", params={"query": query}, timeout=120)
    answer.raise_for_status()
    return time.perf_counter() - start_s


def report(lines: int) -> list[Table]:
    """Return the table."""
    program = require_loki()
    with tempfile.TemporaryDirectory() as folder:
        single = RunningLoki(program, Path(folder), {}).start()
        rows = [measure("one", [single.url], [single.pid], lines)]
        single.kill()
    with tempfile.TemporaryDirectory() as folder:
        three = Replicas(program, Path(folder))
        urls, processes = zip(*((one.url, one.pid) for one in three.all), strict=True)
        rows.append(measure("three replicas", urls, processes, lines))
        three.end()
    columns = ["", "lines/s", "CPU us a line", *(f"{name}, s" for name in _QUERIES)]
    body: list[list[Cell]] = [
        [row.name, row.lines_per_s, row.cpu_us, *row.queries_s] for row in rows
    ]
    head = f"{lines:,} lines of 350 B over one connection, all on one machine."
    return [Table("replicas", columns, body, head)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=LINES)
    print(markdown.tables(report(parser.parse_args().lines)))
