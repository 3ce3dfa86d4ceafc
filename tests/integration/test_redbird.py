"""Rocketry with its history in Loki: a scheduler that starts anew knows what it ran before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.stage import APPS
from tests.stack.documents import marked_block
from tests.stack.pushing import new_service

from lokikit import Loki, task_runs
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Scheduler:
    """One service, started again and again.

    Args:
        python: has Rocketry.
        url: of Loki.
        folder: gets the page's application.
    """

    python: Path
    url: str
    folder: Path
    service: str = field(default_factory=new_service)

    def __post_init__(self) -> None:
        block = marked_block("queries.md", "rocketry")
        block = block.replace("http://127.0.0.1:3100", self.url)
        (self.folder / "page.py").write_text(block.replace('"scheduler"', f'"{self.service}"'))

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Start it, and wait until it ends."""
        paths = os.pathsep.join([str(kit_root() / "pylib/src"), str(self.folder)])
        own = {"LOKI_PUSH_URL": self.url, "LOG_FORMAT": "json", "PYTHONPATH": paths}
        return subprocess.run(
            [str(self.python), str(APPS / "rocketry_history.py")],
            env={**os.environ, **own, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def history(self) -> dict[str, Any]:
        """The history that it knows at its end."""
        done = self.run()
        assert done.returncode == 0, done.stdout + done.stderr
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        (history,) = [line["known"] for line in entries if line.get("event") == "history"]
        return dict(history)


@pytest.fixture(scope="module")
def histories(
    loki_url: str, rocketry_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """The histories that two processes of one scheduler know, one after the other."""
    scheduler = Scheduler(rocketry_python, loki_url, tmp_path_factory.mktemp("scheduler"))
    return [scheduler.history(), scheduler.history()]


def test_a_process_knows_at_once_what_it_ran(histories: list[dict[str, Any]]) -> None:
    """Each task ran once, as its history shows."""
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


def test_red_birds_conditions_are_kept(histories: list[dict[str, Any]]) -> None:
    """Records are selected by one of several values, by a time, and by their place."""
    for history in histories:
        value = history["report"]
        assert (value["first"], value["ends"], value["since"]) == ("run", 1, 2)


def test_a_killed_scheduler_finds_the_crash(
    loki_url: str, rocketry_python: Path, tmp_path: Path
) -> None:
    """A task that never ended is a crash to Rocketry, and to who asks Loki."""
    scheduler = Scheduler(rocketry_python, loki_url, tmp_path)
    assert scheduler.run(DIE_IN_TASK="1").returncode == -signal.SIGKILL
    assert scheduler.history()["report"]["actions"][:2] == ["run", "crash"]
    runs = task_runs(Loki(loki_url)).filter_by(service=scheduler.service, action="crash").all()
    assert [run.task_name for run in runs] == ["report"]
