"""`POST /logs`: what becomes of an event, of an array, and of a bad request."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from tests.agent.running import HOST, RunningAgent
from tests.stack.pushing import stored
from tests.waiting import eventually

from lokikit import fields
from lokikit.stack.agent_metrics import METRICS_PATH
from lokikit.times import parse_timestamp_ns


@pytest.fixture
def service() -> str:
    """A service that no other test uses."""
    return f"http-{uuid.uuid4().hex[:12]}"


def post(agent: RunningAgent, body: bytes | list[Any] | dict[str, Any]) -> int:
    """The answer to a request."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = agent.logs_url
    headers = {"Content-Type": "application/json"}
    return requests.post(url, data, headers=headers, timeout=30).status_code


def test_an_array_is_as_many_events(agent: RunningAgent, loki_url: str, service: str) -> None:
    """Each with its labels, its metadata and its own timestamp."""
    now = datetime.now(timezone.utc)
    stamp = f"{now - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}.123456Z"
    whole = {
        "service": service,
        "env": "qa",
        "level": "WARN",
        "request_id": "r1",
        "trace_id": "t1",
        "timestamp": stamp,
    }
    assert post(agent, [whole, {"service": service, "n": 2}]) == 201
    eventually(lambda: len(list(stored(loki_url, service))) == 2)
    first, second = stored(loki_url, service)
    assert json.loads(first.line) == whole
    assert first.timestamp_ns == parse_timestamp_ns(stamp)
    assert first.labels == {fields.LABEL_SERVICE: service, "env": "qa"}
    assert first.metadata == {
        fields.HOST: HOST,
        "request_id": "r1",
        "trace_id": "t1",
        fields.DETECTED_LEVEL: "warn",
    }
    assert datetime.fromtimestamp(second.timestamp_ns / 1e9, timezone.utc) - now < timedelta(
        hours=1
    )
    assert second.labels == {fields.LABEL_SERVICE: service}


def test_an_event_without_a_service_is_of_unknown(agent: RunningAgent, loki_url: str) -> None:
    """It is found all the same."""
    mark = uuid.uuid4().hex
    assert post(agent, {"mark": mark}) == 201
    eventually(lambda: [e for e in stored(loki_url, fields.UNKNOWN_SERVICE) if mark in e.line])


def test_the_time_is_in_the_first_of_several_fields(
    agent: RunningAgent, loki_url: str, service: str
) -> None:
    """Under the names of other programs; the line keeps all of them."""
    second = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=1)
    stamp, other = (f"{one:%Y-%m-%dT%H:%M:%S}Z" for one in (second, second - timedelta(hours=1)))
    names = fields.TIME_FIELDS
    events = [
        {"service": service, "n": n, **dict.fromkeys(names[n + 1 :], other), name: stamp}
        for n, name in enumerate(names)
    ]
    assert post(agent, events) == 201
    eventually(lambda: len(list(stored(loki_url, service))) == len(names))
    found = list(stored(loki_url, service))
    assert {entry.timestamp_ns for entry in found} == {parse_timestamp_ns(stamp)}
    lines = sorted((json.loads(entry.line) for entry in found), key=lambda line: line["n"])
    assert lines == events


def test_a_bad_request_is_counted(agent: RunningAgent) -> None:
    """It gets a 4xx, and is among the warnings that the agent's metrics count."""
    before = _warnings(agent)
    assert post(agent, b'{"message":') == 400
    eventually(lambda: _warnings(agent) > before)
    assert "JSON data is incomplete" in agent.said()


def _warnings(agent: RunningAgent) -> int:
    text = requests.get(agent.admin_url + METRICS_PATH, timeout=10).text
    found = re.search(
        r'^fluentbit_logger_logs_total\{message_type="warn"\} (\d+)', text, re.MULTILINE
    )
    assert found
    return int(found[1])
