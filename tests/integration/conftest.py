"""A real Loki for every test of a framework."""

from __future__ import annotations

from tests.stack.conftest import loki_program, loki_url

__all__ = ["loki_program", "loki_url"]
