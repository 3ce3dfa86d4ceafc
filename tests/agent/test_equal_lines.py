"""Equal lines of one stream and one timestamp, which Loki would store once."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from tests.agent.feeding import Driver
from tests.stack.pushing import new_service
from tests.stack.shipping import append, stored
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]


def line(service: str, ago: str = "00", message: str = "same") -> bytes:
    """A line of a program that stamps whole seconds of this hour."""
    stamp = f"{datetime.now(timezone.utc):%Y-%m-%dT%H}:00:{ago}Z"
    return json.dumps({"timestamp": stamp, "service": service, "message": message}).encode()


@pytest.mark.parametrize(
    ("seconds", "times"),
    [(["00"], 1500), (["00", "01"], 50), (["00", "01", "02"], 500)],
    ids=["of one stamp", "of two stamps in turns", "of three stamps in turns"],
)
def test_equal_lines_of_a_file(
    agent: RunningAgent, loki_url: str, seconds: list[str], times: int
) -> None:
    service = new_service()
    lines = [line(service, second) for _ in range(times) for second in seconds]
    append(agent.logs / f"{service}.log", lines)
    eventually(lambda: len(stored(loki_url, service)) >= len(lines))
    assert sorted(one.line.encode() for one in stored(loki_url, service)) == sorted(lines)


def test_equal_lines_of_two_containers_of_a_service(make_agent: MakeAgent, loki_url: str) -> None:
    service = new_service()
    port = make_agent(loki_url, "docker").start().ports["FLUENTBIT_FORWARD_PORT"]
    for container in ("a", "b", "c"):
        with contextlib.closing(Driver(port, container)) as driver:
            for _ in range(2):
                driver.send(line(service))
    eventually(lambda: len(stored(loki_url, service)) >= 6)


def test_lines_of_one_stamp_stay_in_their_order(agent: RunningAgent, loki_url: str) -> None:
    service = new_service()
    messages = ["one", "two", "one", "three"]
    lines = [line(service, message=message) for message in messages]
    append(agent.logs / f"{service}.log", lines)
    eventually(lambda: len(stored(loki_url, service)) >= len(lines))
    assert [one.line.encode() for one in stored(loki_url, service)] == lines


def test_lines_that_are_sent_again_after_a_kill_are_stored_once(
    make_agent: MakeAgent, loki_url: str
) -> None:
    """As before: what is counted is forgotten, and so is counted the same."""
    service = new_service()
    agent = make_agent(loki_url).start()
    lines = [line(service, second) for _ in range(5) for second in ("00", "01")]
    append(agent.logs / f"{service}.log", lines)
    eventually(lambda: len(stored(loki_url, service)) >= len(lines))
    agent.kill()
    for name in agent.storage.glob("files.db*"):
        name.unlink()
    agent.start()
    append(agent.logs / f"{service}.log", [line(service, message="end")])
    eventually(lambda: len(stored(loki_url, service)) > len(lines))
    assert len(stored(loki_url, service)) == len(lines) + 1
