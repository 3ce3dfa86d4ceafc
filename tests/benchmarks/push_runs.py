"""One run of the push benchmark: a candidate in a process of its own, and what arrived of it.

Each peer runs in an environment of the peers' own, made at the first run. The sink is a process
that answers 204 to everything.
"""

from __future__ import annotations

import contextlib
import json
import re
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
from tests.benchmarks.push_program import CANDIDATES
from tests.benchmarks.shapes import SIX
from tests.faults import FaultProxy, Mode
from tests.stack.conftest import free_ports
from tests.stack.pushing import REPOSITORY, stored
from tests.waiting import eventually

from lokikit.stack.kit_files import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OURS, STDOUT, BOTH = list(CANDIDATES)[:3]
OUTAGE_CALLS, OUTAGE_RATE, OUTAGE_S = 4_000, 200.0, 5.0
OUTAGE_BEGINS_S = 7.5
"""Before the tenth second, when loki-logger-handler sends for the first time."""
END_S = 180
_PEERS = Path(__file__).with_name("peers.txt")
_MARK = re.compile(r"#(\d+)#")


@dataclass
class Run:
    """Figures of one candidate.

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
    def lost_percent(self) -> float:
        """The share that did not arrive."""
        return 100 * (1 - len(self.found) / self.expected)


def peers_python() -> str:
    """The interpreter of the peers' environment, which is made when it is not there."""
    folder = state_dir() / "bench" / "peers"
    python, stamp = folder / "bin" / "python", folder / "peers.txt"
    wanted = _PEERS.read_text(encoding="ascii")
    if not stamp.exists() or stamp.read_text(encoding="ascii") != wanted:
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--requirement", str(_PEERS)], check=True)
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
    """Have a candidate log to `url`; `found(service)` counts the arrived lines by their number."""
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
        figures = json.loads(report.read_text()) if report.exists() else {}
    finished_s = figures.get("ended_s", ended_s) if name == OURS else ended_s
    return Run(
        expected=count * (children + 1),
        found=found(service),
        elapsed_s=finished_s - figures.get("began_s", ended_s - END_S),
        wall_us=figures.get("wall_us", float("nan")),
        cpu_us=figures.get("cpu_us", float("nan")),
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
    """Lines that the sink got since the last call: number of a line -> how often."""
    return Counter(requests.get(url, timeout=120).json())


def in_loki(url: str, service: str) -> Counter[int]:
    """Lines of a service in Loki: number of a line -> how often."""
    marks = (_MARK.search(entry.line) for entry in stored(url, service))
    return Counter(int(mark[1]) for mark in marks if mark)


def run_outage(name: str, sink: str) -> Run:
    """A run at a steady rate, in whose middle no server listens for `OUTAGE_S`."""
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
