"""What waits for Loki: on disk, up to a cap, over the end of the agent, in flat memory."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from tests.agent.feeding import File, json_lines
from tests.faults import FaultProxy, Mode
from tests.one_engine import ON_BOTH
from tests.stack.pushing import assert_exact, new_service, sizes, stored_numbers
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.agent.running import RunningAgent
    from tests.stack.engines import Running

    from lokikit.stack.agent_metrics import AgentNumbers

    MakeAgent = Callable[..., RunningAgent]

MIB = 1024 * 1024
LINE_BYTES = 1_000
"""About what a padded line takes on disk."""
CHUNK_BYTES = 2 * MIB
"""What Fluent Bit gathers in one file, as its cap is counted in whole ones."""
BATCH = 1_000
DRAIN_S = 600
MAX_RSS_BYTES = 400 * MIB


@pytest.fixture
def proxy(loki_url: str) -> Iterator[FaultProxy]:
    """A Loki that can be away."""
    with contextlib.closing(FaultProxy(loki_url)) as one:
        yield one


def padded(service: str, count: int, line_bytes: int) -> Iterator[list[str]]:
    """Numbered lines of about that size, in batches."""
    pad = f',"pad":"{"x" * (line_bytes - 100)}"}}'
    for start in range(0, count, BATCH):
        lines = json_lines(service, min(BATCH, count - start), start)
        yield [line[:-1] + pad for line in lines]


def write(agent: RunningAgent, service: str, count: int, line_bytes: int = LINE_BYTES) -> int:
    """Write padded lines, none faster than the agent reads; its largest memory meanwhile."""
    source, written, most = File(agent.logs, service), 0, 0
    for lines in padded(service, count, line_bytes):
        source.write(lines)
        written += len(lines)
        if written % (20 * BATCH) == 0 or written == count:
            eventually(lambda: agent.numbers().read >= written, DRAIN_S)  # noqa: B023 - asked now
            most = max(most, agent.rss_bytes())
    return most


def emptied(agent: RunningAgent) -> AgentNumbers:
    """The agent's numbers, once nothing waits any more."""

    def check() -> AgentNumbers | None:
        found = agent.numbers()
        gone = found.sent + found.dropped
        return found if found.read <= gone and not found.buffered_bytes else None

    found = eventually(check, DRAIN_S)
    assert found is not None
    return found


@pytest.mark.parametrize("cap_bytes", sizes(8 * MIB, 64 * MIB))
def test_cap(make_agent: MakeAgent, proxy: FaultProxy, loki_url: str, cap_bytes: int) -> None:
    """Above the cap the oldest lines go, each counted; the agent goes on.

    Of a chunk that goes while it is being sent, Fluent Bit counts the lines as dropped although
    Loki takes them, or counts them twice and keeps them as a dead letter.
    """
    service, count = new_service(), 2 * cap_bytes // LINE_BYTES
    agent = make_agent(proxy.url, FLUENTBIT_STORAGE_LIMIT=str(cap_bytes)).start()
    proxy.switch(Mode.REFUSE)
    write(agent, service, count)
    waits = agent.numbers()
    assert waits.buffered_bytes is not None
    assert cap_bytes - 2 * CHUNK_BYTES <= waits.buffered_bytes <= cap_bytes + CHUNK_BYTES
    assert waits.dropped > count / 3
    proxy.switch(Mode.PASS)
    numbers = emptied(agent)
    found = stored_numbers(loki_url, service)
    assert max(found.values()) == 1
    lost = count - found.total()
    assert numbers.dead is not None
    assert numbers.read == count
    assert numbers.sent <= found.total()
    assert lost <= numbers.dropped <= lost + numbers.dead + found.total() - numbers.sent
    assert found.keys() == {(0, number) for number in range(lost, count)}


@pytest.mark.parametrize("count", sizes(2_000, 100_000))
@pytest.mark.parametrize("loki", ["away", "back"])
def test_sigterm(
    make_agent: MakeAgent, proxy: FaultProxy, loki_url: str, count: int, loki: str
) -> None:
    """What waits is sent before the end where Loki is back in time, else at the next start."""
    service = new_service()
    agent = make_agent(proxy.url).start()
    proxy.switch(Mode.REFUSE)
    write(agent, service, count)
    eventually(lambda: agent.numbers().retried)
    if loki == "back":
        proxy.switch(Mode.PASS)
    assert agent.stop() == 0
    assert stored_numbers(loki_url, service).total() == (count if loki == "back" else 0)
    proxy.switch(Mode.PASS)
    agent.start()
    eventually(lambda: len(stored_numbers(loki_url, service)) >= count, DRAIN_S)
    assert_exact(loki_url, service, {0: count})


@ON_BOTH
@pytest.mark.parametrize("count", sizes(15_000, 500_000))
def test_drain(make_loki: Callable[..., Running], make_agent: MakeAgent, count: int) -> None:
    """The kit's own Loki takes a backlog without one refusal, and has each line once."""
    loki, service = make_loki(), new_service()
    with contextlib.closing(FaultProxy(loki.url)) as proxy:
        proxy.switch(Mode.REFUSE)
        agent = make_agent(proxy.url).start()
        write(agent, service, count, line_bytes=360)
        # A new one does not spread it over the waits between its tries: all comes at once.
        agent.kill()
        proxy.switch(Mode.PASS)
        agent.start()
        eventually(lambda: agent.numbers().sent >= count, DRAIN_S)
    assert "HTTP status" not in agent.said()
    assert_exact(loki.url, service, {0: count})


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_memory(make_agent: MakeAgent, proxy: FaultProxy) -> None:
    """It is flat through a backlog of 1 GB, on the way in and on the way out."""
    count = 1024 * MIB // LINE_BYTES
    agent = make_agent(proxy.url, FLUENTBIT_STORAGE_LIMIT="2G").start()
    proxy.switch(Mode.REFUSE)
    most = write(agent, new_service(), count)
    assert (agent.numbers().buffered_bytes or 0) > 1000 * MIB
    proxy.switch(Mode.PASS)

    def is_empty() -> bool:
        nonlocal most
        most = max(most, agent.rss_bytes())
        return agent.numbers().sent >= count

    eventually(is_empty, 4 * DRAIN_S)
    print(f"at most {most // MIB} MiB of memory")
    assert agent.numbers().dropped == 0
    assert most <= MAX_RSS_BYTES
