"""The demo's programs at full speed, with one stdout that a real `lokikit ship` carries."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

from tests.stack.conftest import free_ports
from tests.waiting import eventually

DEMO = Path(__file__).parents[2] / "deploy/demo"
ONE_ROUND_OF_TASKS = 14


def answers(port: int) -> bool:
    """Whether the shop is up."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Programs:
    """The demo's programs, all with one stdout: the pipe that a `lokikit ship` reads.

    Args:
        loki_url: where the lines go.
        env: their label `env`.
        requests: how many the customers send.
        tasks: how many the jobs run.
    """

    def __init__(self, loki_url: str, env: str, requests: int, tasks: int) -> None:
        (self._port,) = free_ports(1)
        limits = {"DEMO_REQUESTS": str(requests), "DEMO_TASKS": str(tasks)}
        speeds = {"DEMO_REQUESTS_PER_S": "2000", "DEMO_TASKS_PER_S": "100"}
        waits = {"DEMO_SLOW_S": "0.05", "DEMO_TASK_LIMIT_S": "2"}
        self._environ = {**os.environ, "DEMO_PORT": str(self._port), **limits, **speeds, **waits}
        self._environ |= {"ENV": env, "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
        self._environ.pop("SERVICE_NAME", None)
        read_end, self.pipe = os.pipe()
        self.ship = subprocess.Popen(
            [sys.executable, "-m", "lokikit", "ship", "--url", loki_url], stdin=read_end
        )
        os.close(read_end)

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
        """Run `python ARGUMENTS` in the demo's folder."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=DEMO,
            env={**self._environ, **variables},
            stdout=self.pipe,
            stderr=self.pipe,
        )

    def run(self) -> None:
        """Run the shop, its customers and its jobs at the same time, until the last two end."""
        shop = self.start("-m", "gunicorn", "-c", "gunicorn.conf.py", "shop:app")
        try:
            eventually(lambda: answers(self._port), within_s=60)
            finite = [self.start("traffic.py"), self.start("jobs.py")]
            assert [one.wait(180) for one in finite] == [0, 0]
        finally:
            shop.terminate()
            shop.wait(60)

    def deliver(self) -> None:
        """End the input of `lokikit ship`, and wait until it has delivered all of it."""
        os.close(self.pipe)
        assert self.ship.wait(120) == 0
