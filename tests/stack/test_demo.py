"""The demo on both engines: what it writes arrives, and every query of docs/explore.md finds some.

One run of shop, customers and jobs, with a canary and a stranger beside them, is for all tests.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs
from tests.waiting import eventually

from lokikit import fields
from lokikit.query.client import Loki, is_log_query
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.engines import Engine

    from lokikit.query.results import LogEntry

PAGE = (kit_root() / "docs/explore.md").read_text()
TITLES = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
QUERIES = re.findall(r"^```logql\n(.+?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
ENV = "test"
REQUESTS = 400
"""Enough for some of each kind that the page asks for."""
STEP_S = 10
TASKS = ONE_ROUND_OF_TASKS
UNUSUAL = {402, 404, 409, 500, 502, 503}


@pytest.fixture(scope="module")
def loki(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """A Loki with lines of all services, of a canary, and one that is no JSON."""
    running = engine.make(tmp_path_factory.mktemp("explore"), {}).start()
    one = Loki(running.url, timeout_s=60)
    programs = Programs(running.url, ENV, REQUESTS, TASKS)
    pace = ("--interval", "1s", "--check-every", "1s")
    canary = programs.start("-m", "lokikit", "canary", *pace, LOKI_URL=running.url)
    try:
        os.write(programs.pipe, b"Segmentation fault (core dumped)\n")
        programs.run()
        trips = f'{{service_name="{fields.CANARY_SERVICE}"}} |= "{fields.CANARY_ROUND_TRIP_S}"'
        eventually(lambda: list(newest(one, trips)), within_s=60)
    finally:
        canary.send_signal(signal.SIGTERM)
        canary.wait(60)
        programs.deliver()
    yield one
    running.kill()


@pytest.fixture(scope="module")
def entries(loki: Loki) -> list[LogEntry]:
    """What Loki has of the demo's programs."""
    query = f'{{{fields.LABEL_ENV}="{ENV}", {fields.LABEL_SERVICE}!="{fields.CANARY_SERVICE}"}}'
    now_ns = time.time_ns()
    return list(loki.query_range(query, now_ns - 3600 * 10**9, now_ns))


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


def newest(loki: Loki, query: str) -> Iterator[str]:
    """The first lines that it finds in the last hour."""
    now_ns = time.time_ns()
    found = loki.query_range(query, now_ns - 3600 * 10**9, now_ns, limit=10)
    return (entry.line for entry in found)


def test_there_are_twenty() -> None:
    """Numbered from 1 on, one query each."""
    assert [title.partition(".")[0] for title in TITLES] == [str(n) for n in range(1, 21)]
    assert len(QUERIES) == len(TITLES)


def test_every_query_finds_something(loki: Loki) -> None:
    """None is an error, and none is empty."""
    shop = f'{{{fields.LABEL_SERVICE}="shop"}} | {fields.REQUEST_ID}!=""'
    asked = f"{shop} | line_format `{{{{.{fields.REQUEST_ID}}}}}`"
    request_id = next(newest(loki, asked))
    empty = [
        title
        for title, query in zip(TITLES, QUERIES, strict=True)
        if not answers(loki, query.replace("REQUEST_ID", request_id))
    ]
    assert empty == []


def answers(loki: Loki, query: str) -> list[object]:
    """What Loki answers, over the time of the test."""
    if is_log_query(query):
        return list(newest(loki, query))
    now_ns = time.time_ns()
    return list(loki.range_samples(query, now_ns - 600 * 10**9, now_ns, STEP_S))


def test_fields_are_those_of_the_contract() -> None:
    """What a query takes from a line by name is named in the contract."""
    known = {
        *fields.LINE_FIELDS,
        *fields.REQUEST_FIELDS,
        *fields.TASK_FIELDS,
        *fields.CANARY_FIELDS,
    }
    named = {
        name
        for query in QUERIES
        for taken in re.findall(r"\| json ([^|\[]+)", query)
        for name in re.split(r"[,\s]+", taken.strip())
    }
    assert named <= known
    assert named
