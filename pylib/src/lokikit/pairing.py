"""Actions of tasks put together to runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lokikit.taskrecord import TaskRecord, TaskRun

if TYPE_CHECKING:
    from collections.abc import Iterable

Key = tuple[str, ...]


def pair(records: Iterable[TaskRecord]) -> list[TaskRun]:
    """The runs that records in the order of time tell of, in the order in which they began.

    Runs without an end have the status `run`. Of two runs with one id the first has ended before
    the second began; when nothing tells how, it is a `crash`.
    """
    runs: list[TaskRun] = []
    begun: dict[Key, list[TaskRecord]] = {}
    for record in records:
        waiting = begun.setdefault(_key(record), [])
        if record.action != "run":
            runs.append(_ended(_take(waiting, record) or record, record))
            continue
        if record.task_id is not None:
            runs += [_begun(one, "crash") for one in waiting]
            waiting.clear()
        waiting.append(record)
    runs += [_begun(one, "run") for waiting in begun.values() for one in waiting]
    return sorted(runs, key=lambda run: (run.start, run.first.entry.timestamp_ns))


def _key(record: TaskRecord) -> Key:
    if record.task_id is not None:
        return (record.service, record.task_name, record.task_id)
    return (record.service, record.task_name)


def _take(waiting: list[TaskRecord], end: TaskRecord) -> TaskRecord | None:
    """The `run` that `end` belongs to: the one with its start, otherwise the last."""
    if not waiting:
        return None
    same = [one for one in waiting if one.start == end.start]
    chosen = (same or waiting)[-1]
    waiting.remove(chosen)
    return chosen


def _begun(record: TaskRecord, status: str) -> TaskRun:
    return TaskRun(status, None, record, record)


def _ended(first: TaskRecord, last: TaskRecord) -> TaskRun:
    return TaskRun(last.action, last.end, first, last)
