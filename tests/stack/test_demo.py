from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from tests.waiting import eventually

from lokikit import fields
from lokikit.client import Loki

if TYPE_CHECKING:
    from lokikit.answers import LogEntry

DEMO = Path(__file__).parents[2] / "deploy/demo"
REQUESTS = 400
TASKS = 14
"""One round of all tasks."""
UNUSUAL = {402, 404, 409, 500, 502, 503}


def answers(port: int) -> bool:
    """Whether the shop is up."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False


class Programs:
    """The demo's programs, all with one stdout: the pipe that a `lokikit ship` reads.

    Args:
        loki_url: where the lines go.
        env: their label `env`.
        port: of the shop.
    """

    def __init__(self, loki_url: str, env: str, port: int) -> None:
        limits = {"DEMO_REQUESTS": str(REQUESTS), "DEMO_TASKS": str(TASKS)}
        speeds = {"DEMO_REQUESTS_PER_S": "2000", "DEMO_TASKS_PER_S": "100"}
        waits = {"DEMO_SLOW_S": "0.05", "DEMO_TASK_LIMIT_S": "2"}
        self._environ = {**os.environ, "DEMO_PORT": str(port), **limits, **speeds, **waits}
        self._environ |= {"ENV": env, "LOG_FORMAT": "json", "LOG_LEVEL": "info"}
        self._environ.pop("SERVICE_NAME", None)
        read_end, self._pipe = os.pipe()
        self.ship = subprocess.Popen(
            [sys.executable, "-m", "lokikit", "ship", "--url", loki_url], stdin=read_end
        )
        os.close(read_end)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run `python ARGUMENTS` in the demo's folder."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=DEMO,
            env=self._environ,
            stdout=self._pipe,
            stderr=self._pipe,
        )

    def deliver(self) -> None:
        """End the input of `lokikit ship`, and wait until it has delivered all of it."""
        os.close(self._pipe)
        assert self.ship.wait(120) == 0


@pytest.fixture(scope="module")
def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.fixture(scope="module")
def entries(loki_url: str, free_port: int) -> list[LogEntry]:
    """What Loki has after a fast demo of shop, customers and jobs at the same time."""
    env = f"demo-{uuid4().hex[:8]}"
    start_ns = time.time_ns()
    programs = Programs(loki_url, env, free_port)
    shop = programs.start("-m", "gunicorn", "-c", "gunicorn.conf.py", "shop:app")
    try:
        eventually(lambda: answers(free_port))
        finite = [programs.start("traffic.py"), programs.start("jobs.py")]
        assert [one.wait(180) for one in finite] == [0, 0]
    finally:
        shop.terminate()
        shop.wait(60)
        programs.deliver()
    query = f'{{env="{env}"}}'
    return list(Loki(loki_url).query_range(query, start_ns, time.time_ns()))


@pytest.fixture(scope="module")
def lines(entries: list[LogEntry]) -> dict[str, list[dict[str, Any]]]:
    """The lines by service; each must be JSON, so none was torn in the shared pipe."""
    by_service = defaultdict(list)
    for entry in entries:
        by_service[entry.labels[fields.LABEL_SERVICE]].append(orjson.loads(entry.line))
    return dict(by_service)


def request_lines(lines: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The shop's one line per request; those of the waiting for it left out."""
    requests = [line for line in lines["shop"] if fields.HTTP_STATUS in line]
    return [line for line in requests if line[fields.HTTP_PATH] != "/health"]


def test_three_services_are_three_streams(entries: list[LogEntry]) -> None:
    """Workers, customers and task processes add no stream."""
    streams = {tuple(sorted(entry.labels.items())) for entry in entries}
    assert len(streams) == 3
    assert {dict(one)[fields.LABEL_SERVICE] for one in streams} == {"shop", "traffic", "jobs"}


def test_every_request_is_one_line_exactly_once(lines: dict[str, list[dict[str, Any]]]) -> None:
    """The ids that the customers sent and those that the shop logged are the same, each once."""
    sent = Counter(line[fields.REQUEST_ID] for line in lines["traffic"])
    served = Counter(line[fields.REQUEST_ID] for line in request_lines(lines))
    assert sum(sent.values()) == len(sent) == REQUESTS
    assert served == sent


def test_every_kind_of_request_is_there(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Normal, slow, refused and crashed ones, the crashed with their stacktrace."""
    requests = request_lines(lines)
    statuses = {line[fields.HTTP_STATUS] for line in requests}
    assert statuses == {200, 201, *UNUSUAL}
    assert any(line[fields.DURATION_MS] >= 50 for line in requests)
    crashed = [line for line in requests if line[fields.HTTP_STATUS] == 500]
    assert all(line[fields.STACKTRACE] for line in crashed)


def test_the_request_id_is_metadata_of_every_line_of_the_request(
    entries: list[LogEntry],
) -> None:
    """It can be filtered by without parsing a line."""
    for entry in entries:
        expected = orjson.loads(entry.line).get(fields.REQUEST_ID)
        assert entry.metadata.get(fields.REQUEST_ID) == expected


def test_all_workers_wrote(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Four worker processes beside the master share the stream."""
    pids = {line[fields.PID] for line in lines["shop"]}
    assert len(pids) == 5


def test_every_task_action_is_there(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Each run once, and all the ways in which a task ends."""
    actions = Counter(line[fields.ACTION] for line in lines["jobs"] if fields.ACTION in line)
    assert set(actions) == set(fields.TASK_ACTIONS)
    assert actions["run"] == TASKS
    assert actions.total() == 2 * TASKS


def test_gunicorn_tells_its_life_in_the_contract(lines: dict[str, list[dict[str, Any]]]) -> None:
    """Its own first and last messages are lines of the shop."""
    own = [line[fields.MESSAGE] for line in lines["shop"] if line["logger"] == "gunicorn.error"]
    assert own[0].startswith("Starting gunicorn")
    assert own[-1].startswith("Shutting down")
