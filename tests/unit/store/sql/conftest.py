"""A store with the nasty lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.store.sql.corpus import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lokikit.store.segments.store import Store


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two segments and unsealed rows; tests only read."""
    with open_store(tmp_path_factory.mktemp("store")) as opened:
        yield opened
