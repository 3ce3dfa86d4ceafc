"""What the queries of each dashboard cost together, as a ratio to one plain count of the lines.

    python -m tests.benchmarks.dashboards --lines 5000000

The lines of a day, five services and a worker among them, are pushed into a real Loki; then each
dashboard asks all of its queries at once, as a browser does, over that day and for all services.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import requests
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.benchmarks.ship import batched, loki_cpu_s
from tests.dashboards import DASHBOARDS, Chosen, load, targets
from tests.stack.asking import flush
from tests.stack.conftest import RunningLoki

from lokikit.delivery.address import PUSH_PATH
from lokikit.delivery.entry import Entry
from lokikit.delivery.push_api import payload
from lokikit.query.client import Loki
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.benchmarks.measurement import Cell

LINES = 5_000_000
DAY_S = 86_400
STEP_S = 120
"""What Grafana takes for a graph of a day on half of a screen."""
_SERVICES = ("api", "shop", "search", "billing", "mail")
_BATCH = 5000
_TIMEOUT_S = 600
_PATIENT = tuple(
    f"-{limit}={_TIMEOUT_S}s"
    for limit in ("querier.query-timeout", "server.http-write-timeout", "server.http-read-timeout")
)
"""So that a slow machine is measured too, instead of refused."""
_BROWSER = 6
"""How many requests a browser sends at once to one host."""
_TRACEBACK = "Traceback (most recent call last):\n" + 12 * (
    '  File "/opt/shop/orders.py", line 42, in store\n    return self._insert(order, retry=True)\n'
)
_PLAIN = '{service_name=~".+"}'


def entry(number: int, time_us: int, random_: random.Random) -> Entry:
    """One line: mostly plain ones and requests, some steps of tasks, a few errors."""
    second, micro = divmod(time_us, 1_000_000)
    service = random_.choice(_SERVICES)
    kind = random_.random()
    fields: dict[str, Any] = {
        "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(second))}.{micro:06d}Z",
        "level": "info",
        "logger": f"{service}.orders",
        "message": "order stored and the payment is on its way",
        "service": service,
        "env": "prod",
        "host": f"{service}-1",
        "pid": 4711,
        "thread": "MainThread",
        "caller": "shop/orders.py:42 store",
        "request_id": f"{number // 4:032x}",
    }
    if kind < 0.3:
        fields |= _request(random_)
    elif kind < 0.35:
        fields |= _task(number, random_)
    elif kind < 0.37:
        fields |= _exception(random_)
    else:
        fields |= {"order_id": number, "total": "49.90", "currency": "EUR"}
    labels = {"service_name": fields["service"], "env": "prod"}
    metadata = {"request_id": fields["request_id"], "host": fields["host"]}
    return Entry(time_us * 1000, orjson.dumps(fields).decode(), labels, metadata)


def _request(random_: random.Random) -> dict[str, Any]:
    status = random_.choices((200, 201, 404, 500), (90, 5, 4, 1))[0]
    route = f"/{random_.choice(('orders', 'products', 'cart', 'users'))}/{{id}}"
    return {
        "level": "error" if status == 500 else "info",
        "http_method": random_.choice(("GET", "POST")),
        "http_route": route,
        "http_status": status,
        "duration_ms": round(random_.lognormvariate(3, 1), 3),
    }


def _task(number: int, random_: random.Random) -> dict[str, Any]:
    """Begin and end of a run follow each other by the number of the line."""
    ended = random_.choices(("success", "fail", "inaction"), (90, 2, 8))[0]
    step = {"action": "run"} if number % 2 else {"action": ended, "runtime_s": 0.25}
    name = f"task_{random_.randrange(20)}"
    return {"service": "worker", "task_name": name, "task_id": f"{number // 2000}", **step}


def _exception(random_: random.Random) -> dict[str, Any]:
    kind = random_.choice(("ValueError", "KeyError", "TimeoutError", "shop.errors.SoldOut"))
    message = "no answer within 3 s"
    return {"level": "error", "exc_type": kind, "exc_message": message, "stacktrace": _TRACEBACK}


def entries(count: int) -> Iterator[Entry]:
    """The lines of a day that ends now."""
    random_ = random.Random(20261121)
    step_us = DAY_S * 1_000_000 / count
    start_us = time.time_ns() // 1_000 - DAY_S * 1_000_000
    for number in range(count):
        yield entry(number, int(start_us + number * step_us), random_)


def fill(loki: RunningLoki, count: int) -> None:
    """Push the lines of a day, until Loki has stored and finds all of them."""
    with requests.Session() as session, ThreadPoolExecutor(1) as pool:
        session.headers["Content-Type"] = "application/json"
        sent = None
        for batch in batched(entries(count), _BATCH):
            body = payload(batch)
            if sent:
                sent.result().raise_for_status()
            sent = pool.submit(session.post, loki.url + PUSH_PATH, body, timeout=_TIMEOUT_S)
    flush(loki.url, count, time.time_ns())


@dataclass(frozen=True)
class Cost:
    """What questions cost.

    Args:
        elapsed_s: by the clock.
        cpu_s: of Loki.
    """

    elapsed_s: float
    cpu_s: float


def cost(loki: RunningLoki, work: Callable[[], object]) -> Cost:
    """What it costs to ask, once."""
    start_s, start_cpu_s = time.perf_counter(), loki_cpu_s(loki)
    work()
    return Cost(time.perf_counter() - start_s, loki_cpu_s(loki) - start_cpu_s)


def median(costs: Sequence[Cost]) -> Cost:
    """Clock and CPU, each in the middle."""
    elapsed, used = (one.elapsed_s for one in costs), (one.cpu_s for one in costs)
    return Cost(statistics.median(elapsed), statistics.median(used))


def ask_plain(url: str, end_ns: int) -> object:
    """The lines of the day, counted."""
    query = f"sum(count_over_time({_PLAIN} [{STEP_S}s]))"
    loki = Loki(url, timeout_s=_TIMEOUT_S)
    return loki.range_samples(query, end_ns - DAY_S * 10**9, end_ns, STEP_S)


def ask_dashboard(url: str, path: Path, end_ns: int) -> object:
    """All queries of a dashboard, as many at once as a browser asks."""
    chosen = Chosen(range_s=DAY_S, step_s=STEP_S)
    with ThreadPoolExecutor(_BROWSER) as pool:
        asked = [
            pool.submit(chosen.ask, Loki(url, timeout_s=_TIMEOUT_S), target, path, end_ns)
            for target in targets(path)
        ]
        return [one.result() for one in asked]


def report(count: int) -> list[Table]:
    """Return the table of one Loki."""
    plains, boards = [], []
    with tempfile.TemporaryDirectory() as name:
        loki = RunningLoki(require_loki(), Path(name), {}).start(*_PATIENT)
        try:
            fill(loki, count)
            end_ns = time.time_ns()
            ask_plain(loki.url, end_ns)
            for path in DASHBOARDS:
                plains.append(cost(loki, partial(ask_plain, loki.url, end_ns)))
                boards.append(cost(loki, partial(ask_dashboard, loki.url, path, end_ns)))
        finally:
            loki.kill()
    plain = median(plains)
    rows = [
        _row(load(path)["title"], len(list(targets(path))), one, plain)
        for path, one in zip(DASHBOARDS, boards, strict=True)
    ]
    columns = [
        *("dashboard", "queries", "s", "of one plain count", "CPU of Loki, s"),
        "CPU, of one plain count",
    ]
    note = (
        f"{count:,} lines of 24 h, all services chosen, the queries of a dashboard {_BROWSER} at a "
        "time. The plain count is asked before each dashboard; its row is the median."
    )
    rows.insert(0, _row("one plain `count_over_time`", 1, plain, plain))
    return [Table("dashboards", columns, rows, note=note)]


def _row(name: str, queries: int, one: Cost, plain: Cost) -> list[Cell]:
    elapsed, used = one.elapsed_s / plain.elapsed_s, one.cpu_s / plain.cpu_s
    return [name, queries, one.elapsed_s, elapsed, one.cpu_s, used]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="of the day")
    print(markdown.tables(report(parser.parse_args().lines)))


if __name__ == "__main__":
    main()
