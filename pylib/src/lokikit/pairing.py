"""Actions of tasks put together to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.taskrecord import TaskRecord, TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterable


def pair(records: Iterable[TaskRecord]) -> list[TaskRun]:
    """The runs that records in the order of time tell of, in the order in which they began.

    Runs without an end have the status `run`. Of two runs with one id the first has ended before
    the second began; when nothing tells how, it is a `crash`.
    """
    runs: list[TaskRun] = []
    begun: dict[tuple[str, str], list[TaskRecord]] = {}
    for record in records:
        waiting = begun.setdefault((record.service, record.task_name), [])
        if record.action == "run":
            runs += [_begun(one, "crash") for one in _take_again(waiting, record)]
            waiting.append(record)
        else:
            runs.append(_ended(_take(waiting, record) or record, record))
    runs += [_begun(one, "run") for waiting in begun.values() for one in waiting]
    return sorted(runs, key=lambda run: (run.start, run.first.entry.timestamp_ns))


def _take_again(waiting: list[TaskRecord], record: TaskRecord) -> list[TaskRecord]:
    """The runs with the id of one that begins."""
    same = [one for one in waiting if record.task_id is not None and one.task_id == record.task_id]
    for one in same:
        waiting.remove(one)
    return same


def _take(waiting: list[TaskRecord], end: TaskRecord) -> TaskRecord | None:
    """The `run` that `end` belongs to: the one with its id, otherwise with its start, or the last.

    An end without an id may be that of a run with one: a scheduler that starts anew tells of the
    crash of what it was running, and knows no more than the name.
    """
    if end.task_id is None:
        fitting = waiting
    else:
        fitting = [one for one in waiting if one.task_id == end.task_id]
    if not fitting:
        return None
    same = [one for one in fitting if one.start == end.start]
    chosen = (same or fitting)[-1]
    waiting.remove(chosen)
    return chosen


def _begun(record: TaskRecord, status: str) -> TaskRun:
    return TaskRun(status, None, record, record)


def _ended(first: TaskRecord, last: TaskRecord) -> TaskRun:
    return TaskRun(last.action, last.end, first, last)
