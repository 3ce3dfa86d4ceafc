"""Fixtures for the tests of a service: what it logged, and a real Loki.

pytest loads this wherever lokikit is installed, so it imports what it needs only when used.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lokikit.captured import Logged
    from lokikit.client import Loki


@pytest.fixture
def logged() -> Iterator[Logged]:
    """What this test logs, as lines of the contract: `logged.one(level="error", user=7)`.

    A line counts at the level that the service has set; where it has set up no logging, at all
    levels.
    """
    from lokikit.captured import (  # noqa: PLC0415 - only when used
        CapturingHandler,
        Logged,
        open_root_level,
    )

    root, handler = logging.getLogger(), CapturingHandler()
    with open_root_level():
        root.addHandler(handler)
        yield Logged(handler.lines)
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loki]:
    """A client of a Loki that runs for this session: `loki.url` is where to push to."""
    try:
        from lokikit.client import Loki  # noqa: PLC0415 - likewise
        from lokikit.native.temporary import temporary_loki  # noqa: PLC0415 - likewise
    except ImportError as error:
        pytest.fail(f"the fixture loki needs: pip install 'lokikit[cli]' ({error})")
    with temporary_loki(tmp_path_factory.mktemp("loki")) as url, Loki(url) as client:
        yield client
