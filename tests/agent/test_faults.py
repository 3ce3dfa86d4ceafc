"""Each line gets to Loki, whichever of Loki and the agent is killed on the way."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.agent.feeding import Driver, Feeding, File, json_lines, plain_lines
from tests.stack.pushing import assert_exact, new_service, numbered, sizes, stored_numbers
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.agent.running import RunningAgent
    from tests.stack.engines import Running

    MakeAgent = Callable[..., RunningAgent]

DRAIN_S = 120
READ_LINES = 1_000
"""More than the agent reads of a file at once here: after a kill it may read these again."""
SHORT, FULL = (2_000, 1.0), (100_000, 60.0)
"""How many lines, and for how many seconds something is away."""
LINES = {"json": json_lines, "plain": plain_lines}
ENTRIES = {"file": "native", "driver": "docker", "post": "native"}
CASES = [
    case
    for case in itertools.product(ENTRIES, LINES, ["loki", "agent", "both"])
    if case[:2] != ("post", "plain")
]
SHORT_CASES = [("file", "plain", "both"), ("driver", "plain", "both"), ("post", "json", "agent")]
"""The hardest of each way: lines without a timestamp are twice when they are sent twice."""


class Post:
    """Sends events by `POST /logs`, a request again until it is answered.

    Args:
        port: where the agent takes them.

    Attributes:
        again: how many requests were sent more than once.
    """

    def __init__(self, port: int) -> None:
        self.again = 0
        self._url = f"http://127.0.0.1:{port}/logs"
        self._ended = threading.Event()

    def write(self, lines: Iterable[str]) -> None:
        """Send lines of JSON, all in one request."""
        events = [json.loads(line) for line in lines]
        while not self._is_taken(events):
            self.again += 1
            if self._ended.wait(0.1):
                return

    def close(self) -> None:
        """Give up whatever is not taken."""
        self._ended.set()

    def _is_taken(self, events: list[Any]) -> bool:
        try:
            return requests.post(self._url, json=events, timeout=10).ok
        except requests.RequestException:
            return False


@contextlib.contextmanager
def source_of(agent: RunningAgent, way: str, service: str) -> Iterator[File | Driver | Post]:
    """A way in to this agent."""
    if way == "file":
        yield File(agent.logs, service)
        return
    with contextlib.closing(
        Driver(agent.ports["FLUENTBIT_FORWARD_PORT"], service)
        if way == "driver"
        else Post(agent.ports["FLUENTBIT_HTTP_PORT"])
    ) as source:
        yield source


def held(lines: Iterable[str], count: int, is_away: threading.Event) -> Iterator[str]:
    """The lines, all behind the first `count` only once something is away."""
    for number, line in enumerate(lines):
        if number == count:
            is_away.wait()
        yield line


def drained(loki_url: str, service: str, count: int) -> None:
    """Wait until Loki has `count` different lines."""
    eventually(lambda: len(stored_numbers(loki_url, service)) >= count, DRAIN_S)


def cases() -> list[Any]:
    """A few cases at the size of `make test`, and all at full size."""
    short, full = sizes(SHORT, FULL)
    return [
        pytest.param(*case, *size.values, id="-".join((*case, size.id)), marks=size.marks)
        for size, chosen in ((short, SHORT_CASES), (full, CASES))
        for case in chosen
    ]


@pytest.mark.parametrize("count", sizes(3_000, 100_000))
@pytest.mark.parametrize(
    ("way", "form"), [("file", "plain"), ("driver", "plain"), ("post", "json")]
)
def test_healthy(loki_url: str, make_agent: MakeAgent, way: str, form: str, count: int) -> None:
    """Where nothing happens, each line is in Loki once."""
    service = new_service()
    agent = make_agent(loki_url, ENTRIES[way]).start()
    with source_of(agent, way, service) as source:
        Feeding(source, LINES[form](service, count), rate=count).join()
        drained(loki_url, service, count)
    assert agent.stop() == 0
    assert source.again == 0
    assert_exact(loki_url, service, {0: count})


@pytest.mark.parametrize(("way", "form", "killed", "size"), cases())
def test_kill(  # noqa: PLR0913, PLR0917 - the axes of one table
    make_loki: Callable[..., Running],
    make_agent: MakeAgent,
    way: str,
    form: str,
    killed: str,
    size: tuple[int, float],
) -> None:
    """Of lines written before, while and after it is away none is lost.

    Twice are only those of which the agent or the driver could not know that they had arrived.
    """
    (count, away_s), is_away = size, threading.Event()
    loki, service = make_loki(), new_service()
    agent = make_agent(loki.url, ENTRIES[way]).start()
    with source_of(agent, way, service) as source:
        lines = held(LINES[form](service, count), count // 2, is_away)
        feeding = Feeding(source, lines, count / (away_s * 2.5))
        eventually(lambda: stored_numbers(loki.url, service))
        if killed != "agent":
            loki.kill()
            is_away.set()
        if killed == "both":
            eventually(lambda: agent.numbers().retried)
        if killed != "loki":
            agent.kill()
            is_away.set()
        threading.Event().wait(away_s)  # nothing happens at the end of it but its end
        if killed != "agent":
            loki.start()
        if killed != "loki":
            agent.start()
        feeding.join()
        with contextlib.suppress(AssertionError):  # told below, with what is lost
            drained(loki.url, service, count)
    assert agent.stop() == 0
    found = stored_numbers(loki.url, service)
    lost, twice = numbered({0: count}) - found, found.total() - len(found)
    print(f"{way} {form} {killed}: {len(lost)} lost, {twice} twice, {source.again} sent again")
    assert not lost, sorted(lost)[:10]
    allowed = 0
    if form == "plain" and killed != "loki":
        allowed = READ_LINES if way == "file" else source.again
    assert twice <= allowed
