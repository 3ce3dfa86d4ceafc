"""Every query of docs/explore.md on a real Loki that the demo, a canary and a stranger fill."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest
from tests.stack.demo import ONE_ROUND_OF_TASKS, Programs
from tests.waiting import eventually

from lokikit import fields
from lokikit.query.client import Loki, is_log_query
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stack.engines import Engine

PAGE = (kit_root() / "docs/explore.md").read_text()
TITLES = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
QUERIES = re.findall(r"^```logql\n(.+?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
REQUESTS = 300
"""Enough for some of each kind that the page asks for."""
STEP_S = 10


@pytest.fixture(scope="module")
def loki(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """A Loki with lines of all services, of a canary, and one that is no JSON."""
    running = engine.make(tmp_path_factory.mktemp("explore"), {}).start()
    one = Loki(running.url, timeout_s=60)
    programs = Programs(running.url, "test", REQUESTS, ONE_ROUND_OF_TASKS)
    pace = ("--interval", "1s", "--check-every", "1s")
    canary = programs.start("-m", "lokikit", "canary", *pace, LOKI_URL=running.url)
    try:
        os.write(programs.pipe, b"Segmentation fault (core dumped)\n")
        programs.run()
        trips = f'{{service_name="{fields.CANARY_SERVICE}"}} |= "{fields.CANARY_ROUND_TRIP_S}"'
        eventually(lambda: list(entries(one, trips)), within_s=60)
    finally:
        canary.send_signal(signal.SIGTERM)
        canary.wait(60)
        programs.deliver()
    yield one
    running.kill()


def entries(loki: Loki, query: str) -> Iterator[str]:
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
    request_id = next(entries(loki, asked))
    empty = [
        title
        for title, query in zip(TITLES, QUERIES, strict=True)
        if not answers(loki, query.replace("REQUEST_ID", request_id))
    ]
    assert empty == []


def answers(loki: Loki, query: str) -> list[object]:
    """What Loki answers, over the time of the test."""
    if is_log_query(query):
        return list(entries(loki, query))
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
