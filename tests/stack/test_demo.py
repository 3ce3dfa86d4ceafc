from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import pytest
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs

from lokikit import fields
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

REQUESTS = 400
TASKS = ONE_ROUND_OF_TASKS
UNUSUAL = {402, 404, 409, 500, 502, 503}


@pytest.fixture(scope="module")
def entries(loki_url: str) -> list[LogEntry]:
    """What Loki has after a fast demo of shop, customers and jobs at the same time."""
    env = f"demo-{uuid4().hex[:8]}"
    start_ns = time.time_ns()
    programs = Programs(loki_url, env, REQUESTS, TASKS)
    try:
        programs.run()
    finally:
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
