"""Each line gets to Loki, whichever of Loki and the agent is killed on the way."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from tests.agent.feeding import Driver, Feeding, File, json_lines, plain_lines
from tests.stack.pushing import assert_exact, new_service, numbered, sizes, stored_numbers
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.agent.running import RunningAgent
    from tests.stack.conftest import RunningLoki

DRAIN_S = 90
IN_FLIGHT = 1_000
"""Lines that may come twice after a kill: what the agent had read and not yet noted."""
LINES = {"json": json_lines, "plain": plain_lines}
WAYS = ["file", "driver"]

Make = "Callable[..., RunningAgent]"


@contextlib.contextmanager
def source_of(agent: RunningAgent, way: str, service: str) -> Iterator[File | Driver]:
    """A way in to this agent."""
    if way == "file":
        yield File(agent.logs, service)
        return
    with contextlib.closing(Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], service)) as driver:
        yield driver


def entry_of(way: str) -> str:
    """The entry file with that way in."""
    return {"file": "native", "driver": "docker"}[way]


def drained(loki_url: str, service: str, count: int) -> None:
    """Wait until Loki has `count` different lines."""
    eventually(lambda: len(stored_numbers(loki_url, service)) >= count, DRAIN_S)


@pytest.mark.parametrize("count", sizes(5_000, 100_000))
@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("way", WAYS)
def test_healthy(
    loki_url: str, make_agent: Callable[..., RunningAgent], way: str, form: str, count: int
) -> None:
    """Where nothing happens, each line is in Loki once."""
    service = new_service()
    agent = make_agent(loki_url, entry_of(way)).start()
    with source_of(agent, way, service) as source:
        Feeding(source, LINES[form](service, count), count / 3).join()
    drained(loki_url, service, count)
    assert agent.stop() == 0
    assert source.again == 0
    assert_exact(loki_url, service, {0: count})


@pytest.mark.parametrize("size", sizes((5_000, 2.0), (100_000, 60.0)))
@pytest.mark.parametrize("killed", ["loki", "agent", "both"])
@pytest.mark.parametrize("form", LINES)
@pytest.mark.parametrize("way", WAYS)
def test_kill(  # noqa: PLR0913, PLR0917 - the axes of one table
    make_loki: Callable[..., RunningLoki],
    make_agent: Callable[..., RunningAgent],
    way: str,
    form: str,
    killed: str,
    size: tuple[int, float],
) -> None:
    """Of lines written before, while and after it is away none is lost, and few come twice."""
    count, away_s = size
    loki, service = make_loki(), new_service()
    agent = make_agent(loki.url, entry_of(way)).start()
    with source_of(agent, way, service) as source:
        feeding = Feeding(source, LINES[form](service, count), count / (away_s * 2.5))
        eventually(lambda: stored_numbers(loki.url, service))
        if killed != "agent":
            loki.kill()
        if killed == "both":
            eventually(lambda: agent.numbers().retried)
        if killed != "loki":
            agent.kill()
        threading.Event().wait(away_s)  # nothing happens at the end of it but its end
        if killed != "agent":
            loki.start()
        if killed != "loki":
            agent.start()
        feeding.join()
    drained(loki.url, service, count)
    assert agent.stop() == 0
    found = stored_numbers(loki.url, service)
    assert found.keys() == numbered({0: count}).keys()
    twice = found.total() - count
    print(f"DUP {way} {form} {killed}: {twice}, sent again {source.again}")
    assert twice <= (0 if form == "json" or killed == "loki" else IN_FLIGHT)
