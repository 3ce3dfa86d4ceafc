"""Rocketry with its history in Loki: a scheduler that starts anew knows what it ran before."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.stage import APPS
from tests.stack.pushing import new_service

from lokikit.kit import kit_root

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def histories(loki_url: str, rocketry_python: Path) -> list[dict[str, Any]]:
    """What two processes of one scheduler, one after the other, know of their tasks."""
    variables = {"LOKI_HERE": loki_url, "SERVICE_HERE": new_service(), "LOG_FORMAT": "json"}
    variables["PYTHONPATH"] = str(kit_root() / "pylib/src")

    def run() -> dict[str, Any]:
        done = subprocess.run(
            [str(rocketry_python), str(APPS / "rocketry_history.py")],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told = [json.loads(line) for line in done.stdout.splitlines()]
        (history,) = [line["told"] for line in told if line.get("event") == "history"]
        return dict(history)

    return [run(), run()]


def test_a_process_knows_at_once_what_it_ran(histories: list[dict[str, Any]]) -> None:
    """Each task ran once, and its history says so."""
    first, _ = histories
    assert first["report"]["actions"] == ["run", "success"]
    assert first["fail"]["actions"] == ["run", "fail"]


def test_a_restarted_scheduler_finds_its_state_again(histories: list[dict[str, Any]]) -> None:
    """What ran today does not run again, and status and times are those of before."""
    first, second = histories
    for task in ("report", "fail"):
        assert second[task]["runs"] == 1
        assert second[task]["actions"] == first[task]["actions"]
        assert second[task]["status"] == first[task]["status"]
        assert second[task]["last_run"] == pytest.approx(first[task]["last_run"], abs=0.001)
    assert "LookupError: no such supplier" in second["fail"]["exc_text"]
