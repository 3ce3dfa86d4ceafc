"""The store of tests that are about lines and their carriers: the embedded store alone.

`tests/stack` shows that both engines store and answer alike. On Loki they run in `make soak`.
"""

from __future__ import annotations

import pytest
from tests.stack.engines import Engine, engine_of

ON_BOTH = pytest.mark.parametrize("engine", ["embedded", "loki"], indirect=True, scope="session")
"""For tests that Loki can fail although the embedded store passes them."""


@pytest.fixture(scope="session", params=["embedded", pytest.param("loki", marks=pytest.mark.soak)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """The embedded store; a real Loki too in `make soak`."""
    return engine_of(request)
