from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.waiting import eventually

from lokikit import fields

DEMO = Path(__file__).parents[2] / "deploy/demo"
TASKS_OF_A_ROUND = 14


def start(output: Path, **variables: str) -> subprocess.Popen[bytes]:
    """The job worker, writing to `output`."""
    with output.open("ab") as stdout:
        return subprocess.Popen(
            [sys.executable, "-W", "error", "jobs.py"],
            cwd=DEMO,
            env={**os.environ, "LOG_FORMAT": "json", **variables},
            stdout=stdout,
            stderr=stdout,
        )


def lines_of(output: Path) -> list[dict[str, Any]]:
    """What it wrote so far, whole lines only."""
    *whole, _ = output.read_bytes().split(b"\n")
    return [json.loads(line) for line in whole]


@pytest.fixture(scope="module")
def one_round(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The task lines of one round of all tasks, by task id."""
    output = tmp_path_factory.mktemp("jobs") / "jobs.log"
    variables = {"DEMO_TASKS": str(TASKS_OF_A_ROUND), "DEMO_TASKS_PER_S": "100"}
    assert start(output, **variables, DEMO_TASK_LIMIT_S="2").wait(120) == 0
    runs = defaultdict(list)
    for line in lines_of(output):
        if fields.ACTION in line:
            runs[line[fields.TASK_ID]].append(line)
    return dict(runs)


def test_each_run_begins_and_ends_exactly_once(one_round: dict[str, list[dict[str, Any]]]) -> None:
    """Whatever happens to its process, a task has one line `run` and one that says how it ended."""
    assert len(one_round) == TASKS_OF_A_ROUND
    for first, last in one_round.values():
        assert first[fields.ACTION] == "run"
        assert last[fields.ACTION] in set(fields.TASK_ACTIONS) - {"run"}


def test_a_round_has_every_action(one_round: dict[str, list[dict[str, Any]]]) -> None:
    """Tasks succeed, fail, overrun, crash and find nothing to do."""
    actions = {line[fields.ACTION] for run in one_round.values() for line in run}
    assert actions == set(fields.TASK_ACTIONS)


def test_the_last_line_of_a_run_has_every_task_field(
    one_round: dict[str, list[dict[str, Any]]],
) -> None:
    """The first one lacks what only the end can tell."""
    for first, last in one_round.values():
        assert set(fields.TASK_FIELDS) - set(last) == set()
        assert set(fields.TASK_FIELDS) - set(first) == {fields.END, fields.RUNTIME_S}


def test_a_failure_has_its_exception(one_round: dict[str, list[dict[str, Any]]]) -> None:
    """It is logged by the process in which it was raised, with the stacktrace."""
    failures = [last for _, last in one_round.values() if last[fields.ACTION] == "fail"]
    assert {one[fields.EXC_TYPE] for one in failures} == {"ConnectionResetError", "ValueError"}
    assert all("tasks.py" in one[fields.STACKTRACE] for one in failures)


def test_a_crash_names_what_ended_the_process(one_round: dict[str, list[dict[str, Any]]]) -> None:
    """The worker outlives it, and tells the signal or the exit code."""
    crashes = [last for _, last in one_round.values() if last[fields.ACTION] == "crash"]
    causes = {one[fields.MESSAGE].partition(" crashed: ")[2] for one in crashes}
    assert causes == {"killed by SIGKILL", "its process ended with code 70"}


def test_sigterm_ends_the_worker_and_the_task_it_runs(tmp_path: Path) -> None:
    """The running task is logged as terminated, no process is left, and the exit code is 0."""
    output = tmp_path / "jobs.log"
    worker = start(output, DEMO_TASKS_PER_S="100", DEMO_TASK_LIMIT_S="60")
    eventually(lambda: any(line[fields.MESSAGE] == "resizing" for line in lines_of(output)))
    children = psutil.Process(worker.pid).children()
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert lines_of(output)[-1][fields.ACTION] == "terminate"
    assert children
    assert not any(child.is_running() for child in children)
