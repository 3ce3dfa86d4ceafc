from __future__ import annotations

import json

from lokikit.query.results import LogEntry
from lokikit.tasks.run_query import pair_runs
from lokikit.tasks.task_record import TaskRecord

SECOND_NS = 1_000_000_000
START_NS = 1_795_000_000 * SECOND_NS


def record(second: int, action: str, name: str = "bill", **fields: object) -> TaskRecord:
    """An action that a line reports so many seconds after the start."""
    line = json.dumps({"task_name": name, "action": action, **fields})
    return TaskRecord.of(LogEntry(START_NS + second * SECOND_NS, line, {"service_name": "a"}, {}))


def runs_of(*records: TaskRecord) -> list[tuple[str, str, float | None]]:
    """Name, status and seconds of each run."""
    runs = pair_runs(records)
    return [
        (run.task_name, run.status, run.runtime.total_seconds() if run.runtime else None)
        for run in runs
    ]


def test_interleaved_runs_are_told_apart_by_id() -> None:
    """An end belongs to the run with its id, whatever happens in between."""
    assert runs_of(
        record(0, "run", task_id="1"),
        record(1, "run", task_id="2"),
        record(2, "success", task_id="1"),
        record(4, "fail", task_id="2"),
    ) == [("bill", "success", 2), ("bill", "fail", 3)]


def test_without_ids_the_start_tells_runs_apart() -> None:
    """An end whose line says when the run began belongs to that one."""
    starts = ["2026-11-03T15:06:40Z", "2026-11-03T15:06:41Z"]
    assert runs_of(
        record(0, "run", start=starts[0]),
        record(1, "run", start=starts[1]),
        record(5, "success", start=starts[0], end="2026-11-03T15:06:45Z"),
    ) == [("bill", "success", 5), ("bill", "run", None)]


def test_without_any_sign_an_end_is_that_of_the_last_run() -> None:
    """Runs within runs end in reverse."""
    assert runs_of(record(0, "run"), record(1, "run"), record(2, "fail")) == [
        ("bill", "run", None),
        ("bill", "fail", 1),
    ]


def test_a_second_run_with_one_id_means_that_the_first_crashed() -> None:
    """A queue delivers again what a dead worker had taken."""
    assert runs_of(
        record(0, "run", task_id="1"),
        record(9, "run", task_id="1"),
        record(10, "success", task_id="1"),
    ) == [("bill", "crash", None), ("bill", "success", 1)]


def test_retries_with_one_id_are_runs_of_their_own() -> None:
    """A run that failed and was tried again is two."""
    steps = ("run", "fail", "run", "success")
    records = [record(n, step, task_id="1") for n, step in enumerate(steps)]
    assert runs_of(*records) == [("bill", "fail", 1), ("bill", "success", 1)]


def test_an_attempt_may_begin_before_the_end_of_the_attempt_before() -> None:
    """Celery sends it first; the start says which end belongs to which."""
    starts = ["2026-11-03T15:06:40Z", "2026-11-03T15:06:41Z"]
    assert runs_of(
        record(0, "run", task_id="1", start=starts[0]),
        record(1, "run", task_id="1", start=starts[1]),
        record(2, "success", task_id="1", start=starts[1], end="2026-11-03T15:06:42Z"),
        record(3, "fail", task_id="1", start=starts[0], end="2026-11-03T15:06:43Z"),
    ) == [("bill", "fail", 3), ("bill", "success", 1)]


def test_an_end_alone_is_a_run() -> None:
    """What began before the time that is asked for is known by its end."""
    assert runs_of(record(60, "success", runtime_s=40.0)) == [("bill", "success", 40)]


def test_runs_come_in_the_order_of_their_starts() -> None:
    """However late a run ends, it stands where it began."""
    assert [
        name
        for name, _, _ in runs_of(
            record(0, "run", "a", task_id="1"),
            record(1, "run", "b", task_id="2"),
            record(2, "success", "b", task_id="2"),
            record(3, "success", "a", task_id="1"),
        )
    ] == ["a", "b"]


def test_an_end_without_an_id_is_that_of_the_run_with_its_name() -> None:
    """A scheduler that starts anew tells of a crash, and knows the name of the task alone."""
    records = (record(0, "run", "a", task_id="1"), record(1, "run", "b", task_id="2"))
    assert runs_of(*records, record(9, "crash", "a")) == [("a", "crash", 9), ("b", "run", None)]
