"""What the agent tells of itself is what happened to the lines."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import requests
from tests.agent.feeding import Driver, File, json_lines
from tests.agent.sink import Sink
from tests.faults import FaultProxy, Mode
from tests.stack.pushing import new_service
from tests.waiting import eventually

from lokikit.stack.agent_metrics import HEALTH_PATH, METRICS_PATH, AgentNumbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

TOO_OLD = '{"timestamp":"2001-01-01T00:00:00.000000Z","message":"too old"}'
LINES, POSTED = 40, 3
FLUENT_BITS_LIMIT = 5
"""Errors in a minute above which Fluent Bit takes itself for ill, if nothing else is set."""
ALL = LINES + POSTED


def counts(read: int, sent: int, dropped: int = 0, dead: int = 0) -> AgentNumbers:
    """The numbers of an agent whose lines met no fault but a refusal, with nothing left."""
    return AgentNumbers(read, sent, 0, dropped, dead=dead, buffered_bytes=0, oldest_s=0.0)


def tells(agent: RunningAgent, expected: AgentNumbers) -> None:
    """Wait until the agent's numbers are these."""
    with contextlib.suppress(AssertionError):
        eventually(lambda: agent.numbers() == expected, within_s=60)
    assert agent.numbers() == expected


def post(agent: RunningAgent, service: str, count: int) -> None:
    """Send events by `POST /logs`."""
    url = agent.logs_url
    events = [{"service": service, "message": f"posted {number}"} for number in range(count)]
    requests.post(url, json=events, timeout=10).raise_for_status()


@pytest.fixture
def proxy(loki_url: str) -> Iterator[FaultProxy]:
    """A Loki that can be away."""
    with contextlib.closing(FaultProxy(loki_url)) as one:
        yield one


@pytest.mark.parametrize("entry", ["native", "docker"])
def test_a_line_is_counted_once(loki_url: str, make_agent: MakeAgent, entry: str) -> None:
    """In and out, by each input, also where a filter hands it to an input of its own."""
    service = new_service()
    agent = make_agent(loki_url, entry).start()
    post(agent, service, POSTED)
    if entry == "native":
        File(agent.logs, service).write(json_lines(service, LINES))
    else:
        with contextlib.closing(Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], service)) as driver:
            driver.write(json_lines(service, LINES))
    tells(agent, counts(ALL, ALL))


def test_while_loki_is_away(make_agent: MakeAgent, proxy: FaultProxy) -> None:
    """Lines are in and not out, wait on disk and grow older; once it is back, none waits."""
    service = new_service()
    agent = make_agent(proxy.url).start()
    proxy.switch(Mode.REFUSE)
    post(agent, service, POSTED)
    File(agent.logs, service).write(json_lines(service, LINES))
    eventually(lambda: agent.numbers().read == ALL)
    waits = eventually(lambda: one if (one := agent.numbers()).retried >= ALL else None)
    assert (waits.sent, waits.dropped, waits.dead) == (0, 0, 0)
    assert waits.buffered_bytes
    eventually(lambda: (agent.numbers().oldest_s or 0) > (waits.oldest_s or 0) + 1)
    proxy.switch(Mode.PASS)
    eventually(lambda: agent.numbers().sent == ALL, within_s=60)
    after = agent.numbers()
    assert (after.read, after.dropped, after.dead) == (ALL, 0, 0)
    assert after.retried >= waits.retried
    eventually(lambda: (agent.numbers().buffered_bytes, agent.numbers().oldest_s) == (0, 0.0))


def test_after_a_restart(make_agent: MakeAgent, proxy: FaultProxy) -> None:
    """Counts begin anew; what waited from before goes out without coming in again."""
    service = new_service()
    agent = make_agent(proxy.url).start()
    proxy.switch(Mode.REFUSE)
    File(agent.logs, service).write(json_lines(service, LINES))
    eventually(lambda: agent.numbers().retried)
    agent.kill()
    proxy.switch(Mode.PASS)
    agent.start()
    tells(agent, counts(read=0, sent=LINES))


def test_refused_lines(loki_url: str, make_agent: MakeAgent) -> None:
    """A chunk that Loki refuses is dropped and dead; the dead outlast the agent, the count not."""
    service = new_service()
    agent = make_agent(loki_url).start()
    source = File(agent.logs, service)
    source.write(json_lines(service, LINES))
    tells(agent, counts(read=LINES, sent=LINES))
    source.write([TOO_OLD])
    tells(agent, counts(LINES + 1, LINES, dropped=1, dead=1))
    agent.stop()
    agent.start()
    tells(agent, counts(0, 0, dead=1))


def test_refused_lines_are_no_ill_health(make_agent: MakeAgent) -> None:
    """One service with a wrong clock would else take the agent of all services off its node."""
    with contextlib.closing(Sink(status=400)) as sink:
        agent = make_agent(sink.url).start()
        source = File(agent.logs, new_service())
        for number in range(1, 9):
            source.write([TOO_OLD])
            post(agent, "clock", 1)
            eventually(lambda: agent.numbers().dead == 2 * number)  # noqa: B023 - asked now
        answer = eventually(lambda: counting_errors(agent.admin_url))
        assert answer.status_code == 200


def counting_errors(url: str) -> requests.Response | None:
    """The agent's health, once it knows of enough errors to be ill by Fluent Bit's own measure."""
    answer = requests.get(url + HEALTH_PATH, timeout=10)
    return answer if answer.json()["errors"] > FLUENT_BITS_LIMIT else None


def test_health_and_metrics(make_agent: MakeAgent, proxy: FaultProxy) -> None:
    """Both answer on the admin port, and an agent that only waits for Loki is not sick."""
    agent = make_agent(proxy.url).start()
    proxy.switch(Mode.REFUSE)
    File(agent.logs, new_service()).write(json_lines("waits", 1))
    eventually(lambda: agent.numbers().retried)
    assert requests.get(agent.admin_url + HEALTH_PATH, timeout=10).status_code == 200
    metrics = requests.get(agent.admin_url + METRICS_PATH, timeout=10)
    assert metrics.headers["Content-Type"].startswith("text/plain")
    assert 'fluentbit_output_retried_records_total{name="loki"} ' in metrics.text
