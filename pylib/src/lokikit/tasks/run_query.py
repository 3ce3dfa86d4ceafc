"""What became of tasks: the lines of `lokikit.task` read back as runs."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, overload

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.query.client import Loki
from lokikit.tasks.pairing import pair
from lokikit.tasks.process_alive import lives_here
from lokikit.tasks.task_record import TaskException, TaskRecord, TaskRun, as_model
from lokikit.times import moment_ns, parse_duration_ns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lokikit.query.log_query import LogQuery
    from lokikit.times import Moment

__all__ = ["RunQuery", "TaskException", "TaskRecord", "TaskRun", "task_runs"]

Model = TypeVar("Model")
_LABELS = frozenset(f.LABEL_FIELDS.values())


def task_runs(client: Loki | None = None) -> RunQuery:
    """The runs of tasks that a Loki knows of, for `filter_by`, `since` and so on.

    Args:
        client: whom to ask; the Loki that `LOKI_URL` names, unless given.

    Raises:
        SettingsError: there is none.
    """
    return RunQuery(client or Loki.from_env())


@dataclass(frozen=True)
class RunQuery:
    """Runs of tasks, filtered; each method that filters gives a new question.

    A run that has no end is a `crash` when its process is gone, otherwise it still runs. On the
    machine that asks, this is seen by the process itself; of other machines, a process is taken
    to be gone when it has written no line for an hour (`crash_after`).
    """

    _client: Loki
    _fields: Mapping[str, Any] = field(default_factory=dict)
    _since: Moment = "1d"
    _until: Moment = "now"
    _crash_after: str = "1h"
    _lives_here: Callable[[TaskRecord], bool | None] = lives_here

    def filter_by(self, **fields: Any) -> RunQuery:
        """Those with these fields, all of them; a list, tuple or set means any of its values.

        `service` and `env` are the labels; `action` is how a run ended, `"run"` while it runs;
        anything else is a field of its lines, such as `task_name`, `task_id` or what was bound.
        """
        return replace(self, _fields={**self._fields, **fields})

    def since(self, moment: Moment) -> RunQuery:
        """Those that began or ended since then; a day ago unless told.

        Raises:
            SettingsError: it is no time.
        """
        moment_ns(moment, "since", 0)
        return replace(self, _since=moment)

    def until(self, moment: Moment) -> RunQuery:
        """As they stood at that moment.

        Raises:
            SettingsError: it is no time.
        """
        moment_ns(moment, "until", 0)
        return replace(self, _until=moment)

    def crash_after(self, duration: str) -> RunQuery:
        """Take a process of another machine to be gone after so long without a line: `"10m"`.

        Raises:
            SettingsError: it is no duration.
        """
        parse_duration_ns(duration, "crash_after")
        return replace(self, _crash_after=duration)

    def all(self) -> list[TaskRun]:
        """The runs in the order in which they began."""
        wanted = _choices(self._fields.get(f.ACTION))
        runs = (self._judged(run) for run in pair(self._records(None)))
        return [run for run in runs if wanted is None or run.status in wanted]

    def last(self) -> TaskRun | None:
        """The run that began last, if there is any."""
        return next(reversed(self.all()), None)

    def running(self) -> list[TaskRun]:
        """Those that have not ended, and whose process lives."""
        return self.filter_by(**{f.ACTION: "run"}).all()

    @overload
    def records(self) -> list[TaskRecord]: ...

    @overload
    def records(self, model: type[Model]) -> list[Model]: ...

    def records(self, model: type[Any] = TaskRecord) -> list[Any]:
        """The actions as they were written, in the order of time.

        Args:
            model: what each becomes: a dataclass, named tuple or pydantic model of some of their
                fields (`timestamp` among them), or `dict`.
        """
        return [as_model(one, model) for one in self._records(self._fields.get(f.ACTION))]

    def _records(self, actions: Any) -> Iterator[TaskRecord]:
        for entry in self._lines(actions):
            if f.TASK_NAME in entry.fields:
                yield TaskRecord.of(entry)

    def _lines(self, actions: Any) -> Iterator[Any]:
        labels = {name: one for name, one in self._fields.items() if name in _LABELS}
        texts = {name: one for name, one in labels.items() if isinstance(one, str)}
        asked = {k: v for k, v in self._fields.items() if k not in texts and k != f.ACTION}
        known = f.TASK_ACTIONS if actions is None else actions
        logs: LogQuery = self._client.logs(**texts).where(**{f.ACTION: known}, **asked)
        return logs.since(self._since).until(self._until).oldest_first().iter()

    def _judged(self, run: TaskRun) -> TaskRun:
        """The run, as a crash when it has not ended and its process is gone."""
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
        told = ", ".join(f.TASK_ACTIONS)
        raise SettingsError(f"action={min(unknown)!r} is no action of a task: use {told}.")
    return chosen
