"""The kit's own clients work against the store as against Loki."""

import json
import logging
import subprocess
import sys

import pytest
from tests.waiting import eventually

import lokikit
from lokikit.query.client import Loki


@pytest.fixture
def loki(served):
    with Loki(served.url) as asked:
        yield asked


def test_handler_delivers(served, loki):
    handler = lokikit.LokiHandler(
        url=f"{served.url}/loki/api/v1/push", tags={"service_name": "handled"}
    )
    record = logging.makeLogRecord(
        {"name": "x", "levelno": 40, "levelname": "ERROR", "msg": "boom"}
    )
    handler.handle(record)
    handler.flush()
    (entry,) = eventually(lambda: loki.last("handled"))
    handler.close()
    assert (json.loads(entry.line)["message"], entry.metadata["detected_level"]) == (
        "boom",
        "error",
    )


def test_ship_delivers(served, loki):
    command = [sys.executable, "-m", "lokikit", "ship", "--url", served.url, "--service", "shipped"]
    lines = 'plain\n{"level":"error","n":1}\n'
    subprocess.run(command, input=lines, text=True, check=True, capture_output=True)
    assert [entry.line for entry in loki.last("shipped")] == lines.splitlines()


def test_client_reads_all_that_it_asks_loki_for(client, loki):
    client.push(*[f"line {index}" for index in range(5)], service_name="read")
    assert loki.ready()
    assert "service_name" in loki.labels()
    assert "read" in loki.labels("service_name")
    assert loki.series(client.selector) == [{"run": client.run, "service_name": "read"}]
    assert [entry.line for entry in loki.query(client.selector, limit=2)] == ["line 4", "line 3"]
    assert len(list(loki.query_range(client.selector))) == 5
    assert loki.instant(f"sum(count_over_time({client.selector}[1h]))")[0].value == "5"
    assert loki.volume(client.selector)[0].size_bytes == 30


def test_client_tails(client, loki):
    client.push([str(client.now_ns), "new"])
    tail = loki.tail(client.selector, since="1m")
    assert next(tail).line == "new"
    tail.close()
