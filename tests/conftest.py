"""What tests of several layers need."""

from __future__ import annotations

import gc
import signal
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from tests.schedule import Schedule

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.loki import require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tests.stack.engines import Engine, Running
    from xdist.remote import Producer

_ON_LOKI = ("stack", "agent", "integration", "grafana", "chart")
"""Folders with tests that run on a real Loki."""


@cache
def _no_loki() -> str:
    """Why there is no real Loki; empty when there is one."""
    try:
        require_loki()
    except PrerequisiteError as error:
        return str(error)
    return ""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Schedule | None:
    """Have the tests that share a server run in one worker."""
    return Schedule(config, log) if config.option.dist == "loadfile" else None


def pytest_configure() -> None:
    """Take interrupts, and let the tests' programs take theirs: `make test &` ignores them."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector, which would search thousands of tests for nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a real Loki can run, where there is none: one line says so at the end."""
    of_loki = [item for item in items if _needs_loki(item)]
    if of_loki and _no_loki():
        config.hook.pytest_deselected(items=of_loki)
        left_out = set(of_loki)
        items[:] = [item for item in items if item not in left_out]


def _needs_loki(item: pytest.Item) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    return params.get("engine") == "loki" or "loki_program" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line that nothing ran on a real Loki."""
    names = {
        str(getattr(one, "nodeid", ""))
        for group in terminalreporter.stats.values()
        for one in group
    }
    has_run = any(name.startswith(f"tests/{folder}/") for name in names for folder in _ON_LOKI)
    if has_run and _no_loki():
        terminalreporter.write_line(f"NOTHING IS TESTED ON A REAL LOKI: {_no_loki()}", red=True)


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Show a line of the set-up, whatever is captured."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def show(text: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\ntests: {text}\n")

    return show


@pytest.fixture(scope="session")
def shared_loki(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Engine], Running]]:
    """Start each engine once, however often tests on one and on the other take turns."""
    started: dict[str, Running] = {}

    def start(engine: Engine) -> Running:
        if engine.name not in started:
            started[engine.name] = engine.make(tmp_path_factory.mktemp("loki"), {}).start()
        return started[engine.name]

    yield start
    for loki in started.values():
        loki.kill()
