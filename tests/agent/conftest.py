"""A real Fluent Bit and a store for every test of the agent's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.agent.pods import ApiServer
from tests.agent.running import RunningAgent
from tests.one_engine import engine
from tests.stack.conftest import loki_program, loki_url, make_loki

from lokikit.stack.native.agent import find_fluent_bit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["engine", "fluent_bit", "loki_program", "loki_url", "make_agent", "make_loki"]


@pytest.fixture(scope="session")
def fluent_bit() -> Path:
    """The `fluent-bit` on PATH."""
    program = find_fluent_bit()
    if program is None:
        pytest.skip("THE AGENT IS NOT TESTED: no fluent-bit 5 or newer on PATH")
    return program


@pytest.fixture(scope="module")
def agent(
    fluent_bit: Path, loki_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAgent]:
    """One for the tests of a module that leave it as it is."""
    running = RunningAgent(
        fluent_bit, tmp_path_factory.mktemp("shared"), loki_url, "native", {}
    ).start()
    yield running
    running.kill()


@pytest.fixture
def make_agent(
    fluent_bit: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningAgent]]:
    """Agents of the test's own, not yet started: `make_agent(loki_url, "docker", NAME="value")`."""
    made: list[RunningAgent] = []

    def make(loki_url: str, entry: str = "native", **variables: str) -> RunningAgent:
        folder = tmp_path_factory.mktemp("agent")
        made.append(RunningAgent(fluent_bit, folder, loki_url, entry, variables))
        return made[-1]

    yield make
    for agent in made:
        agent.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where split files go."""
    made = tmp_path / "split"
    made.mkdir(mode=0o755)
    return made


@pytest.fixture
def api() -> Iterator[ApiServer]:
    """An API server that knows no pod yet."""
    started = ApiServer()
    yield started
    started.close()
