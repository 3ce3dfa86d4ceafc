"""Lines per second, CPU and memory of `lokikit ship` into a real Loki, beside a floor.

    python -m tests.benchmarks.ship --size-mb 1024

The floor is a bare loop that pushes batches of the same lines built beforehand over one
connection: what Loki itself and the HTTP client cost. Nothing here is asserted on time.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import psutil
import requests
from tests.benchmarks import markdown
from tests.benchmarks.measurement import Table
from tests.stack.conftest import RunningLoki
from tests.stack.shipping import Ship

from lokikit.delivery.address import PUSH_PATH
from lokikit.delivery.batch_limits import MAX_BATCH_BYTES, MAX_BATCH_ENTRIES
from lokikit.delivery.entry import ArrivalClock, EntryReader
from lokikit.delivery.push_api import payload
from lokikit.fields import HOST
from lokikit.query.client import Loki
from lokikit.ship.lines import LineCutter
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.benchmarks.measurement import Cell

    from lokikit.delivery.entry import Entry

MB = 1024 * 1024
SERVICE = "bench"
FLOOR_MB = 128
"""The floor's batches are held in memory, so it gets the first lines only."""
_SAMPLE_S = 0.2
_CHUNK_LINES = 10_000


@dataclass(frozen=True)
class Result:
    """One measured run.

    Args:
        name: of the row.
        lines: how many went through.
        elapsed_s: wall time.
        sender_cpu_s: CPU time of who sends.
        loki_cpu_s: CPU time of Loki in that time.
        memory_mb: resident memory of the sender, sampled.
    """

    name: str
    lines: int
    elapsed_s: float
    sender_cpu_s: float
    loki_cpu_s: float
    memory_mb: Sequence[float] = ()

    @property
    def rate(self) -> float:
        """Lines per second."""
        return self.lines / self.elapsed_s

    def row(self) -> list[Cell]:
        """The run as a row of the table."""
        sender_us, loki_us = (
            cpu_s / self.lines * 1e6 for cpu_s in (self.sender_cpu_s, self.loki_cpu_s)
        )
        quarter = len(self.memory_mb) // 4
        memory: list[Cell] = [None, None]
        if quarter:
            memory = [max(self.memory_mb[quarter : 2 * quarter]), max(self.memory_mb)]
        return [self.name, self.lines, self.rate, sender_us, loki_us, *memory]


def write_lines(path: Path, size_bytes: int) -> int:
    """Write lines of some 360 bytes, a microsecond apart and up to now; how many."""
    written = count = 0
    start_us = time.time_ns() // 1_000 - size_bytes // 300
    with path.open("wb") as file:
        while written < size_bytes:
            lines = (line(start_us + count + more) for more in range(_CHUNK_LINES))
            written += file.write(b"".join(lines))
            count += _CHUNK_LINES
    return count


def line(time_us: int) -> bytes:
    """One line as a web service of ours writes it."""
    second, micro = divmod(time_us, 1_000_000)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
    fields = {
        "timestamp": f"{stamp}.{micro:06d}Z",
        "level": "info",
        "logger": "shop.orders",
        "message": "order stored and the payment is on its way",
        "service": SERVICE,
        "env": "bench",
        "host": "shop-1",
        "pid": 4711,
        "thread": "MainThread",
        "caller": "shop/orders.py:42 store",
        "request_id": f"{time_us:032x}",
        "http_method": "GET",
        "http_path": f"/orders/{time_us}",
        "http_status": 200,
        "duration_ms": 1.25,
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def built_batches(path: Path, max_bytes: int) -> list[tuple[int, bytes]]:
    """Payloads as ship builds them of the first lines of a file, with their number of lines."""
    reader = EntryReader(SERVICE, {HOST: "bench"}, ArrivalClock())
    with path.open("rb") as file:
        lines = LineCutter().feed(file.read(max_bytes))
    per_batch = min(MAX_BATCH_ENTRIES, MAX_BATCH_BYTES * len(lines) // max_bytes)
    entries = (reader.read(one.raw) for one in lines)
    return [(len(part), payload(part)) for part in batched(entries, per_batch)]


def batched(items: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    """The items in lists of `size`."""
    while part := list(itertools.islice(items, size)):
        yield part


def run_floor(loki: RunningLoki, batches: list[tuple[int, bytes]]) -> Result:
    """Push built batches in a loop."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Content-Type"] = "application/json"
    before_s = loki_cpu_s(loki)
    start_s, start_cpu_s = time.perf_counter(), time.process_time()
    for _, body in batches:
        session.post(loki.url + PUSH_PATH, body, timeout=60).raise_for_status()
    elapsed_s, cpu_s = time.perf_counter() - start_s, time.process_time() - start_cpu_s
    count = sum(count for count, _ in batches)
    return Result("floor: built batches", count, elapsed_s, cpu_s, loki_cpu_s(loki) - before_s)


def run_ship(loki: RunningLoki, folder: Path, path: Path, lines: int) -> Result:
    """Follow a file until all its lines are delivered."""
    before_s = loki_cpu_s(loki)
    start_s = time.perf_counter()
    ship = Ship(loki.url, folder / "ship", str(path)).start()
    assert ship.process is not None
    sender = psutil.Process(ship.process.pid)
    memory_mb = []
    while ship.sent() < lines:
        assert ship.process.poll() is None, ship.said()
        memory_mb.append(sender.memory_info().rss / MB)
        time.sleep(_SAMPLE_S)
    elapsed_s = time.perf_counter() - start_s
    cpu = sender.cpu_times()
    used_s = loki_cpu_s(loki) - before_s
    assert ship.end() == 0, ship.said()
    return Result("lokikit ship", lines, elapsed_s, cpu.user + cpu.system, used_s, memory_mb)


def loki_cpu_s(loki: RunningLoki) -> float:
    """CPU time that this Loki has used."""
    (pid,) = {
        connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
        and connection.laddr
        and connection.laddr.port == int(loki.url.rpartition(":")[2])
    }
    cpu = psutil.Process(pid).cpu_times()
    return float(cpu.user + cpu.system)


def stored_lines(loki: RunningLoki) -> int:
    """How many lines Loki has."""
    query = f'sum(count_over_time({{service_name="{SERVICE}"}}[1h]))'
    return round(
        sum(float(sample.value) for sample in Loki(loki.url, timeout_s=120).instant(query))
    )


def report(size_mb: int) -> list[Table]:
    """Return the table of one run of each."""
    program = require_loki()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "bench.log"
        lines = write_lines(path, size_mb * MB)
        results = []
        floor, shipped = (RunningLoki(program, folder / one, {}) for one in ("floor", "shipped"))
        for loki in (floor, shipped):
            loki.folder.mkdir()
            loki.start()
            try:
                if loki is floor:
                    results.append(run_floor(loki, built_batches(path, FLOOR_MB * MB)))
                else:
                    results.append(run_ship(loki, folder, path, lines))
                    stored = stored_lines(loki)
            finally:
                loki.kill()
    columns = [
        *("sender", "lines", "lines/s", "sender CPU, us/line", "Loki CPU, us/line"),
        *("RSS at a quarter, MB", "greatest RSS, MB"),
    ]
    floor_result, ship_result = results
    note = (
        f"Ratio of lines/s to the floor: {ship_result.rate / floor_result.rate:.2f}. A file of "
        f"{size_mb} MB; {stored:,} of {lines:,} lines are in Loki."
    )
    return [Table("senders", columns, [one.row() for one in results], note=note)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size-mb", type=int, default=256, help="of the file that passes")
    print(markdown.tables(report(parser.parse_args().size_mb)))


if __name__ == "__main__":
    main()
