"""Runs of tasks, read back from the lines of `lokikit.task`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.query.client import Loki
from lokikit.tasks.process_alive import lives_here
from lokikit.tasks.task_record import TaskException, TaskRecord, TaskRun, as_model
from lokikit.times import Moment, moment_ns, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.query.log_query import LogQuery

__all__ = ["RunQuery", "TaskException", "TaskRecord", "TaskRun", "task_runs"]

Model = TypeVar("Model")
_LABELS = frozenset(f.LABEL_FIELDS.values())


def task_runs(client: Loki | None = None) -> RunQuery:
    """Return a query for the runs of tasks in a Loki, for `filter_by`, `since` and so on.

    Args:
        client: the Loki to query; by default the Loki that `LOKI_URL` names.

    Raises:
        SettingsError: `LOKI_URL` is not set.
    """
    return RunQuery(client or Loki.from_env())


@dataclass(frozen=True)
class RunQuery:
    """A query for runs of tasks; each method that filters returns a new query.

    A run without an end is a `crash` if its process is gone, otherwise it still runs. Processes of
    this machine are looked up; a process of another machine counts as gone when it has written no
    line for an hour (`crash_after`).
    """

    _client: Loki
    _fields: Mapping[str, Any] = field(default_factory=dict)
    _since: Moment = "1d"
    _until: Moment = "now"
    _crash_after: str = "1h"
    _lives_here: Callable[[TaskRecord], bool | None] = lives_here

    def filter_by(self, **fields: Any) -> RunQuery:
        """Keep runs that have all of these fields; a list, tuple or set allows any of its values.

        `service` and `env` are the labels; `action` is how a run ended, `"run"` while it runs;
        other names are fields of its lines: `task_name`, `task_id` or a bound field.
        """
        return replace(self, _fields={**self._fields, **fields})

    def since(self, moment: Moment) -> RunQuery:
        """Keep runs that began or ended since `moment`, which is a day ago by default.

        Raises:
            SettingsError: `moment` is no time.
        """
        moment_ns(moment, "since", 0)
        return replace(self, _since=moment)

    def until(self, moment: Moment) -> RunQuery:
        """Query the runs as they were at `moment`.

        Raises:
            SettingsError: `moment` is no time.
        """
        moment_ns(moment, "until", 0)
        return replace(self, _until=moment)

    def crash_after(self, duration: str) -> RunQuery:
        """Count a process of another machine as gone after `duration` without a line: `"10m"`.

        Raises:
            SettingsError: `duration` is no duration.
        """
        parse_duration_ns(duration, "crash_after")
        return replace(self, _crash_after=duration)

    def all(self) -> list[TaskRun]:
        """Return the runs in the order in which they began."""
        wanted = _choices(self._fields.get(f.ACTION))
        runs = (self._judged(run) for run in pair_runs(self._records(None)))
        return [run for run in runs if wanted is None or run.status in wanted]

    def last(self) -> TaskRun | None:
        """Return the run that began last, `None` without runs."""
        return next(reversed(self.all()), None)

    def running(self) -> list[TaskRun]:
        """Return the runs that have not ended and whose process lives."""
        return self.filter_by(**{f.ACTION: "run"}).all()

    @overload
    def records(self) -> list[TaskRecord]: ...

    @overload
    def records(self, model: type[Model]) -> list[Model]: ...

    def records(self, model: type[Any] = TaskRecord) -> list[Any]:
        """Return the actions as they were written, in the order of time.

        Args:
            model: type of the result: `dict`, or a dataclass, named tuple or pydantic model of some
                of the fields (`timestamp` is a field too).
        """
        return [as_model(record, model) for record in self._records(self._fields.get(f.ACTION))]

    def _records(self, actions: Any) -> Iterator[TaskRecord]:
        for entry in self._lines(actions):
            if f.TASK_NAME in entry.fields:
                yield TaskRecord.of(entry)

    def _lines(self, actions: Any) -> Iterator[Any]:
        labels = {name: value for name, value in self._fields.items() if name in _LABELS}
        texts = {name: value for name, value in labels.items() if isinstance(value, str)}
        asked = {k: v for k, v in self._fields.items() if k not in texts and k != f.ACTION}
        known = f.TASK_ACTIONS if actions is None else actions
        logs: LogQuery = self._client.logs(**texts).where(**{f.ACTION: known}, **asked)
        return logs.since(self._since).until(self._until).oldest_first().iter()

    def _judged(self, run: TaskRun) -> TaskRun:
        """Return the run, as a crash if it has not ended and its process is gone."""
        if run.status != "run" or self._lives(run.first):
            return run
        return replace(run, status="crash")

    def _lives(self, record: TaskRecord) -> bool:
        here = self._lives_here(record)
        if here is not None:
            return here
        silent_ns = parse_duration_ns(self._crash_after, "crash_after")
        until_ns = moment_ns(self._until, "until", time.time_ns())
        if until_ns - record.entry.timestamp_ns < silent_ns:
            return True
        who = {name: record.fields[name] for name in (f.HOST, f.PID) if name in record.fields}
        lines = self._client.logs(service=record.service).where(**who)
        recent = lines.since(until_ns - silent_ns).until(until_ns)
        return bool(who) and recent.first() is not None


def _choices(actions: Any) -> frozenset[str] | None:
    if actions is None:
        return None
    chosen = frozenset([actions] if isinstance(actions, str) else actions)
    if unknown := chosen - set(f.TASK_ACTIONS):
        known = ", ".join(f.TASK_ACTIONS)
        raise SettingsError(f"action={min(unknown)!r} is no action of a task: use {known}.")
    return chosen


def pair_runs(records: Iterable[TaskRecord]) -> list[TaskRun]:
    """Return the runs that records in the order of time describe, the first to begin first.

    A run without an end has the status `run`. Of two runs with the same id the first has ended; it
    is a `crash` unless a record says how. Celery sends the next attempt before it ends the attempt
    before, so an end may follow the next beginning.
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
            first = _take(waiting, record) or record
            runs.append(TaskRun(record.action, record.end, first, record))
    for waiting in begun.values():
        for first in waiting:
            status = "crash" if _is_followed(first, last) else "run"
            runs.append(TaskRun(status, None, first, first))
    return sorted(runs, key=lambda run: (run.start, run.first.entry.timestamp_ns))


def _identity(record: TaskRecord) -> tuple[str, str, str | None]:
    return record.service, record.task_name, record.task_id


def _is_followed(record: TaskRecord, last: dict[tuple[str, str, str | None], TaskRecord]) -> bool:
    """Return True when another run with the same id began later."""
    return record.task_id is not None and last[_identity(record)] is not record


def _take(waiting: list[TaskRecord], end: TaskRecord) -> TaskRecord | None:
    """Remove and return the beginning that `end` belongs to: by id, then by start, or the last.

    An end without an id may belong to a run with an id: a scheduler that starts again reports the
    crash of the tasks that it was running, and knows their names alone.
    """
    if end.task_id is None:
        fitting = waiting
    else:
        fitting = [first for first in waiting if first.task_id == end.task_id]
    if not fitting:
        return None
    same = [first for first in fitting if first.start == end.start]
    chosen = (same or fitting)[-1]
    waiting.remove(chosen)
    return chosen
