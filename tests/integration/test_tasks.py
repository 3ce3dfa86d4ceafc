"""Celery, APScheduler, Rocketry and `lokikit.task` as real processes: histories read from Loki."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration.page import command, write_files
from tests.integration.stage import APPS, Stage, kill, wait_until_gone
from tests.waiting import eventually

from lokikit import fields as f

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.integration.stage import Lines

ENDS = {"worker": 14, "calm": 20}
"""Worker -> the ends of its tasks, each attempt by itself."""
CRASH = """
import os
import lokikit

lokikit.setup_json_logging()
for name in ("first", "second"):
    with lokikit.task(name):
        if name == "second":
            os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def played(
    loki_url: str, rocketry_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Lines]:
    """All of them at once, each until its work is done; the lines by service."""
    stage = Stage(loki_url)

    def folder(section: str) -> Path:
        made = tmp_path_factory.mktemp(section)
        write_files(section, made)
        return made

    def run(service: str, python: Path | str, *words: str, into: Path) -> subprocess.Popen[bytes]:
        return stage.start(service, [str(python), *words], into, JOBS_FOLDER=str(into))

    try:
        celery = folder("Celery")
        workers = {}
        for service, which, *more in (
            ("worker", "worker"),
            (
                "calm",
                "worker",
                "--hostname",
                "calm@%h",
                "--queues",
                "calm",
                "--max-tasks-per-child",
                "5",
            ),
            ("beat", "beat"),
        ):
            words = ["celery_tasks" if one == "jobs" else one for one in command("Celery", which)]
            variables = {"JOBS_FOLDER": str(celery), "LOG_LEVEL": "warning"}
            workers[service] = stage.start(service, [*words, *more], celery, **variables)
        ended = [
            run("sender", sys.executable, str(APPS / "celery_send.py"), into=celery),
            run(
                *("apscheduler", sys.executable, str(APPS / "apscheduler_jobs.py")),
                into=folder("APScheduler"),
            ),
            run(
                *("rocketry", rocketry_python, str(APPS / "rocketry_jobs.py")),
                into=folder("Rocketry"),
            ),
            run("own", sys.executable, "-c", CRASH, into=celery),
        ]
        assert [wait_until_gone(one) for one in ended] == [0, 0, 0, -9]
        # Celery stores the result of a task before it says that the task has ended.
        eventually(lambda: have_ended(stage.lines()), within_s=60)
        # A pool may wait for ever at its end: a child that is gone held billiard's lock.
        for name in ENDS:
            kill(workers[name])
        stage.stop()
    except BaseException:
        stage.abandon()
        raise
    # What Celery writes past logging, from its handler of signals.
    assert {line for line in stage.strays() if line} <= {"worker: Warm shutdown (MainProcess)"}
    return stage.lines()


def histories(lines: Lines) -> list[tuple[str, list[str]]]:
    """The actions of each task id, with the name of its task; of Celery attempt by attempt.

    The next attempt is sent, and may begin in another process, before one tells its end.
    """
    by_id = defaultdict(list)
    for line in sorted(lines, key=attempt):
        if f.TASK_NAME in line and f.ACTION in line:
            by_id[line[f.TASK_NAME].rpartition(".")[2], line[f.TASK_ID]].append(line[f.ACTION])
    return sorted((name, actions) for (name, _), actions in by_id.items())


def attempt(line: dict[str, Any]) -> int:
    """Of a task that is tried again."""
    return int(line.get("retries", 0))


def ends(lines: Lines) -> int:
    """How many runs have ended."""
    return sum(line.get(f.ACTION, "run") != "run" for line in lines)


def have_ended(lines: dict[str, Lines]) -> bool:
    """Whether each worker has logged all ends of its tasks."""
    return all(ends(lines.get(name, [])) >= count for name, count in ENDS.items())


def of(lines: Lines, name: str) -> Lines:
    """The actions of one task."""
    return [line for line in lines if f.ACTION in line and line[f.TASK_NAME].endswith(name)]


def test_celery_histories_are_what_happened(played: dict[str, Lines]) -> None:
    """Successes, a failure, retries, time limits, a revoked and a killed one; at level warning."""
    assert histories(played["worker"]) == sorted(
        [
            ("fail", ["run", "fail"]),
            ("succeed_at_last", ["run", "fail", "run", "fail", "run", "success"]),
            ("have_nothing_to_do", ["run", "inaction"]),
            ("overrun_softly", ["run", "terminate"]),
            ("overrun", ["run", "terminate"]),
            ("die", ["run", "crash"]),
            ("die_once", ["run", "crash", "run", "success"]),
            ("overrun_once", ["run", "terminate", "run", "success"]),
            ("leave", ["run", "terminate"]),
            ("be_revoked", ["run", "terminate"]),
        ]
    )


def test_nothing_is_lost_where_celery_recycles_its_processes(played: dict[str, Lines]) -> None:
    """Each of twenty tasks has its two lines, from more processes than work at a time."""
    assert histories(played["calm"]) == [("succeed", ["run", "success"])] * 20
    assert len({line[f.PID] for line in of(played["calm"], "succeed")}) >= 4


def test_a_celery_failure_is_told_once(played: dict[str, Lines]) -> None:
    """With its traceback; what is tried again as a warning with its attempt."""
    failed = [line for line in of(played["worker"], ".fail") if line[f.ACTION] == "fail"]
    assert [(one[f.EXC_TYPE], one[f.LEVEL]) for one in failed] == [("LookupError", "error")]
    assert "in fail" in failed[0][f.STACKTRACE]
    retried = of(played["worker"], "succeed_at_last")
    assert sorted(map(attempt, retried)) == [0, 0, 1, 1, 2, 2]
    assert {one[f.LEVEL] for one in retried if one[f.ACTION] == "fail"} == {"warning"}
    result = Counter(line[f.EXC_TYPE] for line in played["worker"] if f.EXC_TYPE in line)
    soft = "billiard.exceptions.SoftTimeLimitExceeded"
    assert result == {"LookupError": 1, "ConnectionError": 2, soft: 1}


def test_an_end_that_a_celery_process_cannot_tell_has_its_times(played: dict[str, Lines]) -> None:
    """The worker itself tells it, from when the task began."""
    for name in (".die", ".overrun", ".be_revoked"):
        first, last = of(played["worker"], name)
        assert first[f.PID] != last[f.PID]
        assert first[f.TIMESTAMP] < last[f.END]
        assert last[f.RUNTIME_S] > 0
    assert of(played["worker"], ".overrun")[1][f.RUNTIME_S] >= 0.9


def test_a_request_id_goes_along_with_a_celery_task(played: dict[str, Lines]) -> None:
    """From where it was bound when the task was sent to the lines of the task."""
    inside = of(played["calm"], ".succeed")
    assert {line.get(f.REQUEST_ID) for line in inside} == {"r-17"}
    assert {line.get(f.REQUEST_ID) for line in of(played["worker"], "be_revoked")} == {None}


def test_beat_has_a_line_for_each_task_that_it_sends(played: dict[str, Lines]) -> None:
    """Whatever the level, with the id that the run has; Celery's own line is left out."""
    sent = [line for line in played["beat"] if line[f.LOGGER] == "lokikit.celery.beat"]
    assert len({line[f.TASK_ID] for line in sent}) == len(sent) >= 2
    assert {line[f.TASK_NAME] for line in sent} == {"celery_tasks.tick"}
    assert {line["schedule_entry"] for line in sent} == {"tick"}
    assert not any(f.ACTION in line for line in sent)
    assert not any("Sending due task" in line[f.MESSAGE] for line in played["beat"])


def test_apscheduler_histories_are_what_happened(played: dict[str, Lines]) -> None:
    """In threads and in a process of its own; the lines of a job name its run."""
    lines = played["apscheduler"]
    assert histories(lines) == [
        ("fail-default", ["run", "fail"]),
        ("fail-processes", ["run", "fail"]),
        ("succeed-default", ["run", "success"]),
        ("succeed-processes", ["run", "success"]),
    ]
    tracebacks = [line for line in lines if f.STACKTRACE in line]
    assert [(line[f.ACTION], line[f.EXC_TYPE]) for line in tracebacks] == [
        ("fail", "LookupError")
    ] * 2
    runs = {line[f.TASK_ID] for line in lines if line.get(f.ACTION) == "success"}
    inside = [line for line in lines if line[f.MESSAGE] == "inside"]
    assert {line[f.TASK_ID] for line in inside} == runs


def test_rocketry_histories_are_what_happened(played: dict[str, Lines]) -> None:
    """From its own logger, in its own environment; every end has the times of the contract."""
    lines = played["rocketry"]
    assert histories(lines) == [
        ("fail", ["run", "fail"]),
        ("have_nothing_to_do", ["run", "inaction"]),
        ("overrun", ["run", "terminate"]),
        ("succeed", ["run", "success"]),
    ]
    for line in lines:
        if f.RUNTIME_S in line:
            assert set(f.TASK_FIELDS) <= set(line)
            assert line[f.START] < line[f.END]
    (failed,) = [line for line in lines if f.STACKTRACE in line]
    assert (failed[f.ACTION], failed[f.EXC_TYPE]) == ("fail", "LookupError")


def test_a_task_whose_process_is_killed_has_a_beginning_alone(played: dict[str, Lines]) -> None:
    """From which who asks finds the crash."""
    assert histories(played["own"]) == [("first", ["run", "success"]), ("second", ["run"])]
