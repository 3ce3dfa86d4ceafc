"""Fixtures for the tests of a service: its lines, and a Loki.

pytest loads this wherever lokikit is installed, so modules are imported at their first use.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lokikit.query.client import Loki
    from lokikit.testing.captured_logs import Logged


@pytest.fixture
def logged() -> Iterator[Logged]:
    """The lines that this test logs, as in `logged.one(level="error", user=7)`.

    Lines below the level of the service are left out; without a set-up of logging no level is.
    """
    from lokikit.testing.captured_logs import CapturingHandler, Logged, open_root_level  # noqa: PLC0415 - only when used

    root, handler = logging.getLogger(), CapturingHandler()
    with open_root_level():
        root.addHandler(handler)
        yield Logged(handler.lines)
        root.removeHandler(handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that connects the fixture `loki` to a running Loki."""
    group = parser.getgroup("lokikit")
    group.addoption("--loki-url", metavar="URL", help="Loki that the fixture `loki` is a client of")


@pytest.fixture(scope="session")
def loki(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """A client of a Loki for this session; `loki.url` is the address for pushes.

    It is an embedded store that starts empty, or the Loki of `--loki-url`.
    """
    try:
        from lokikit.query.client import Loki  # noqa: PLC0415 - only when used
        from lokikit.stack.native.temporary import temporary_store  # noqa: PLC0415 - only when used
    except ImportError as error:
        pytest.fail(f"the fixture loki needs: pip install 'lokikit[cli]' ({error})")
    with ExitStack() as opened:
        url: str | None = pytestconfig.getoption("loki_url")
        if url is None:
            url = opened.enter_context(temporary_store(tmp_path_factory.mktemp("loki")))
        yield opened.enter_context(Loki(url))
