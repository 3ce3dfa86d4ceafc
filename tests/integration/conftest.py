"""A real Loki for every test of a framework, and an environment for Rocketry."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.environments import environment
from tests.stack.conftest import engine, loki_program, loki_url

__all__ = ["engine", "loki_program", "loki_url", "rocketry_python"]

PINS = Path(__file__).with_name("rocketry.txt")


@pytest.fixture(scope="session")
def rocketry_python() -> Path:
    """The Python of an environment with Rocketry, made once for each list of versions."""
    return environment("rocketry", PINS.read_text().splitlines())
