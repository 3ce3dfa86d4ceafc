"""`LokiHandler` in parents and children: what either logs is in Loki, once."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
import requests
from tests.programs.forking import CHILDREN
from tests.stack.conftest import free_ports
from tests.stack.pushing import (
    Programs,
    Writing,
    assert_exact,
    assert_same,
    new_service,
    numbered,
    sizes,
    stored_numbers,
)
from tests.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.loki_in_soak

SEND = """
import sys
from tests.programs.jobs import log
for number in range(int(sys.argv[1])):
    log.delay(number)
"""
SERVE = "from gunicorn.app.wsgiapp import run; run()"


@pytest.mark.parametrize("records", sizes(400, 10_000))
@pytest.mark.parametrize("way", ["os.fork", "fork", "spawn"])
def test_children(loki_url: str, programs: Programs, way: str, records: int) -> None:
    """Children that end right behind their last call lose nothing, and repeat no line."""
    service = new_service()
    argument = Writing(loki_url, service, records).as_argument()
    program = programs.run("-m", "tests.programs.forking", way, argument)
    assert program.end() == 0, program.said()
    assert_exact(loki_url, service, dict.fromkeys(range(CHILDREN + 1), records))


@pytest.mark.parametrize("preload", [False, True], ids=["load", "preload"])
@pytest.mark.parametrize("size", sizes((120, 40), (10_000, 500)))
def test_gunicorn(
    loki_url: str, programs: Programs, size: tuple[int, int], *, preload: bool
) -> None:
    """Workers that Gunicorn recycles and at last ends by SIGTERM have delivered each request."""
    requests_made, per_worker = size
    service, (port,) = new_service(), free_ports(1)
    options = [f"--bind=127.0.0.1:{port}", "--workers=2", f"--max-requests={per_worker}"]
    options += ["--no-control-socket", *(["--preload"] if preload else [])]
    server = programs.run(
        *("-c", SERVE, *options, "tests.programs.web:app"),
        environment={**os.environ, "WRITING": Writing(loki_url, service, 0).as_argument()},
    )
    url = f"http://127.0.0.1:{port}"
    with ThreadPoolExecutor(4) as pool:
        workers = set(pool.map(lambda number: _get(f"{url}/{number}"), range(requests_made)))
    assert server.end(signal.SIGTERM) == 0, server.said()
    assert len(workers) > 2, "no worker was recycled"
    found = stored_numbers(loki_url, service)
    loads = found.pop((1, 0))
    assert (loads == 1) if preload else (loads > 2)
    assert_same(found, numbered({0: requests_made}))


def _get(url: str) -> str:
    """The answer of a server that may just be starting, or be exchanging a worker."""

    def try_once() -> str:
        try:
            return requests.get(url, timeout=10).text
        except requests.ConnectionError:
            return ""

    return eventually(try_once)


@pytest.mark.parametrize("tasks", sizes(30, 10_000))
def test_celery(loki_url: str, programs: Programs, tmp_path: Path, tasks: int) -> None:
    """Workers of Celery's prefork pool, recycled and at last ended, have delivered each task."""
    service = new_service()
    environment = {
        **os.environ,
        "JOBS_FOLDER": str(tmp_path),
        "WRITING": Writing(loki_url, service, 0).as_argument(),
    }
    options = ["--pool=prefork", "--concurrency=2", f"--max-tasks-per-child={tasks // 6}"]
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    without = {name: value for name, value in environment.items() if name != "WRITING"}
    assert programs.run("-c", SEND, str(tasks), environment=without).end() == 0
    worker = programs.run(
        *("-m", "celery", "-A", "tests.programs.jobs", "worker", *options), environment=environment
    )

    def done() -> list[str]:
        assert worker.process.poll() is None, worker.said()
        path = tmp_path / "done"
        lines = path.read_text().splitlines() if path.exists() else []
        return lines if len(lines) >= tasks else []

    processes = {line.split()[1] for line in eventually(done, 60 + tasks / 5)}
    assert len(processes) > 2, "no worker was recycled"
    assert worker.end(signal.SIGTERM) == 0, worker.said()
    assert_exact(loki_url, service, {0: tasks})
