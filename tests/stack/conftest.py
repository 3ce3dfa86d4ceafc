"""The embedded store and, where one is on PATH, a real Loki for every test that asks for a Loki."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.ports import free_ports
from tests.stack.engines import Engine, Running, RunningLoki, RunningStore, engine_of
from tests.stack.pushing import Programs

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["RunningLoki", "RunningStore", "free_ports"]


@pytest.fixture(scope="session")
def loki_program() -> Path:
    """The `loki` on PATH."""
    try:
        return require_loki()
    except PrerequisiteError as error:
        pytest.skip(f"NOTHING IS TESTED ON A REAL LOKI: {error}")


@pytest.fixture(scope="session", params=["embedded", "loki"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """What is tested: the embedded store, and a real Loki where one is on PATH."""
    return engine_of(request)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Leave the form on a real Loki to `make soak` where a mark says so.

    A second fixture `engine` in a module would not do: `loki_url` is made once for both, and would
    keep the store's address for tests on Loki.
    """
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if params.get("engine") == "loki" and item.get_closest_marker("loki_in_soak"):
        item.add_marker("soak")


@pytest.fixture(scope="session")
def loki_url(engine: Engine, shared_loki: Callable[[Engine], Running]) -> str:
    """The URL of a Loki that all tests of the run share; use labels of your own."""
    return shared_loki(engine).url


@pytest.fixture
def make_loki(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Running]]:
    """Start Lokis of the test's own.

    `make_loki(NAME="value of the configuration", limits={"name in limits_config": value})`
    """
    started: list[Running] = []

    def make(*, limits: dict[str, object] | None = None, **variables: str) -> Running:
        loki = engine.make(tmp_path_factory.mktemp("loki"), variables, limits)
        started.append(loki)
        return loki.start()

    yield make
    for loki in started:
        loki.kill()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Start Python programs; those that are left at the end of the test are ended."""
    started = Programs(tmp_path)
    yield started
    started.end_all()
