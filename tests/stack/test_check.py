"""`lokikit check` beside a real Loki and `lokikit ship`."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.command_line import run_command
from tests.ports import free_ports
from tests.stack.asking import run

from lokikit.delivery.entry import read_entry
from lokikit.delivery.push_api import Outcome, Pusher
from lokikit.stack.native.processes import find_groups
from lokikit.stack.native.stack import bring_up, take_down
from lokikit.stack.native.stack_parts import stack_parts
from lokikit.stack.native.store import StoreChoice
from lokikit.times import format_time

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.stack.engines import Engine, Running


class Pair:
    """A Loki and the agent of a stack of the test's own."""

    def __init__(self, loki: Running, state: Path) -> None:
        self.loki = loki
        self._state = state
        self._variables = {
            "LOKI_PORT": loki.url.rpartition(":")[2],
            "LOKIKIT_STATE": str(state),
            "AGENT": "ship",
        }

    def start_agent(self) -> None:
        """Start the agent as `lokikit up` does."""
        environ = {**os.environ, **self._variables}
        store = StoreChoice(self.loki.url)
        agent = stack_parts(self._state, store, demo=False, environ=environ)[0]
        (condition,) = bring_up([agent], self._state, lambda _: None)
        assert condition.healthy, condition.log.read_text()

    def agent_pid(self) -> int:
        """The agent's process."""
        leader = find_groups(self._state)["ship"].leader
        assert leader is not None
        return leader.pid

    def check(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """What `lokikit check` said and returned."""
        inherited = {name: value for name, value in os.environ.items() if name != "LOKI_URL"}
        return run_command(["check", *options], {**inherited, **self._variables, **variables})

    @contextmanager
    def frozen_agent(self) -> Iterator[None]:
        """Have an agent that is there and does nothing."""
        pid = self.agent_pid()
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def loki(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A Loki of this module alone, in which no other test's lines arrive twice."""
    started = engine.make(tmp_path_factory.mktemp("loki"), {}).start()
    yield started
    started.kill()


@pytest.fixture
def pair(loki: Running, tmp_path: Path) -> Iterator[Pair]:
    """A Loki and an agent of the test's own, which is not started."""
    yield Pair(loki, tmp_path)
    take_down(tmp_path)


def results(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """Way -> what the table says of it."""
    rows = (line.split(maxsplit=1) for line in done.stdout.splitlines()[1:])
    return {way: " ".join(rest.split()) for way, rest in rows}


def test_a_healthy_pair(pair: Pair) -> None:
    """Through both ways the line comes back: each has its latency, and the exit code is 0."""
    pair.start_agent()
    done = pair.check()
    assert done.returncode == 0, done.stderr
    outcome = results(done)
    assert set(outcome) == {"push", "agent"}
    for result in outcome.values():
        word, latency, unit = result.split()
        assert (word, unit) == ("ok", "ms")
        assert int(latency) >= 0


@pytest.mark.loki_in_soak
def test_an_agent_that_hangs(pair: Pair) -> None:
    """A way that runs and brings nothing is lost, is named, and the exit code is 1."""
    pair.start_agent()
    with pair.frozen_agent():
        done = pair.check("--timeout", "2s")
    assert done.returncode == 1
    assert "agent (nothing came within 2 s)" in done.stderr
    assert results(done)["push"].startswith("ok")
    assert results(done)["agent"].startswith("lost")


@pytest.mark.loki_in_soak
def test_an_agent_that_has_died(pair: Pair) -> None:
    """An agent that should run and does not is a loss: the stack is up."""
    pair.start_agent()
    os.kill(pair.agent_pid(), signal.SIGKILL)
    done = pair.check("--timeout", "2s")
    assert done.returncode == 1
    assert "agent" in done.stderr


def test_no_agent(pair: Pair) -> None:
    """A way that nobody started is named as not checked, and is no loss."""
    done = pair.check()
    assert done.returncode == 0, done.stderr
    assert results(done)["agent"].startswith("not checked not running")


def test_another_loki(pair: Pair) -> None:
    """With LOKI_URL elsewhere the stack's agent is not checked: it sends to the stack's Loki."""
    pair.start_agent()
    done = pair.check(LOKI_URL=pair.loki.url, LOKI_PORT="9")
    assert done.returncode == 0, done.stderr
    assert "sends to http://127.0.0.1:9" in results(done)["agent"]


def test_a_refused_push(make_loki: Callable[..., Running], tmp_path: Path) -> None:
    """A push that Loki refuses is lost with Loki's reason."""
    one = Pair(make_loki(limits={"max_label_value_length": 3}), tmp_path)
    done = one.check()
    assert done.returncode == 1
    assert "push (" in done.stderr
    assert "service_name" in done.stderr


@pytest.mark.loki_in_soak
def test_loki_away(pair: Pair) -> None:
    """Without a Loki nothing can be said of the ways: exit code 4."""
    done = pair.check(LOKI_PORT=str(free_ports(1)[0]))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (4, "", 1)


@pytest.mark.loki_in_soak
def test_a_service_whose_lines_arrive_twice(make_loki: Callable[..., Running]) -> None:
    """By push and by an agent that adds metadata of its own: named, with what to do."""
    loki = make_loki()
    line = b'{"timestamp":"%b","service":"doubled"}' % format_time(time.time_ns()).encode()
    for platform in ({"host": "a"}, {"host": "a", "container": "b"}):
        entry = read_entry(line, default_service=None, platform=platform, now_ns=time.time_ns)
        assert Pusher(loki.url).push([entry]).outcome is Outcome.DONE
    done = run(loki.url, "check")
    assert done.returncode == 1
    assert "doubled (1 lines)" in done.stderr
    assert "one way for each service" in done.stderr
