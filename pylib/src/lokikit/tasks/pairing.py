"""Actions of tasks put together to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.tasks.task_record import TaskRecord, TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterable


def pair(records: Iterable[TaskRecord]) -> list[TaskRun]:
    """The runs that records in the order of time tell of, in the order in which they began.

    Runs without an end have the status `run`. Of two runs with one id the first has ended; when
    nothing tells how, it is a `crash`. Celery sends the next attempt before it ends the one before,
    so that an end may be told after the next beginning.
    """
    runs: list[TaskRun] = []
    begun: dict[tuple[str, str], list[TaskRecord]] = {}
    last: dict[tuple[str, str, str | None], TaskRecord] = {}
    for record in records:
        waiting = begun.setdefault((record.service, record.task_name), [])
        if record.action == "run":
            waiting.append(record)
            last[_identity(record)] = record
        else:
            runs.append(_ended(_take(waiting, record) or record, record))
    for waiting in begun.values():
        runs += [_begun(one, "crash" if _is_followed(one, last) else "run") for one in waiting]
    return sorted(runs, key=lambda run: (run.start, run.first.entry.timestamp_ns))


def _identity(record: TaskRecord) -> tuple[str, str, str | None]:
    return record.service, record.task_name, record.task_id


def _is_followed(record: TaskRecord, last: dict[tuple[str, str, str | None], TaskRecord]) -> bool:
    """Whether another run with its id began after it."""
    return record.task_id is not None and last[_identity(record)] is not record


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
