"""A store for every test of a framework, and an environment for Rocketry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.environments import environment_or_skip
from tests.one_engine import engine
from tests.stack.conftest import loki_program, loki_url

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["engine", "loki_program", "loki_url", "rocketry_python"]

PINS = Path(__file__).with_name("rocketry.txt")


@pytest.fixture(scope="session")
def rocketry_python(say: Callable[[str], None]) -> Path:
    """The Python of an environment with Rocketry, made once for each list of versions."""
    return environment_or_skip("rocketry", PINS.read_text().splitlines(), say)
