"""Actions and runs of tasks, and actions as a model of the caller."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from lokikit import fields as f
from lokikit.times import parse_timestamp_ns, utc_time

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry


@dataclass(frozen=True)
class TaskException:
    """An exception of a task; `stacktrace` is empty when the line has none."""

    type: str
    message: str
    stacktrace: str


@dataclass(frozen=True)
class TaskRecord:
    """An action of a task, read from its line.

    Args:
        timestamp: time of the line.
        service: service that wrote the line.
        task_name: name of the task.
        action: an action of `fields.TASK_ACTIONS`.
        task_id: id of the run, `None` for a line without it.
        start: time at which the run began.
        end: time at which it ended; `None` for the action `run`.
        runtime_s: seconds between `start` and `end`.
        exception: exception that ended the run.
        entry: the line.
    """

    timestamp: datetime
    service: str
    task_name: str
    action: str
    task_id: str | None
    start: datetime
    end: datetime | None
    runtime_s: float | None
    exception: TaskException | None
    entry: LogEntry

    @classmethod
    def of(cls, entry: LogEntry) -> TaskRecord:
        """Return the action that a line reports."""
        fields = entry.fields
        action = str(fields.get(f.ACTION))
        end = _time(fields.get(f.END)) or (None if action == "run" else entry.timestamp)
        runtime_s = _number(fields.get(f.RUNTIME_S))
        start = _time(fields.get(f.START))
        if start is None:
            start = entry.timestamp - timedelta(seconds=runtime_s or 0)
        return cls(
            timestamp=entry.timestamp,
            service=entry.labels.get(f.LABEL_SERVICE, f.UNKNOWN_SERVICE),
            task_name=str(fields.get(f.TASK_NAME)),
            action=action,
            task_id=str(fields[f.TASK_ID]) if fields.get(f.TASK_ID) is not None else None,
            start=start,
            end=end,
            runtime_s=runtime_s,
            exception=_exception(fields),
            entry=entry,
        )

    @property
    def fields(self) -> Mapping[str, Any]:
        """All fields of the line."""
        return self.entry.fields


@dataclass(frozen=True)
class TaskRun:
    """A run of a task.

    Args:
        status: action of `fields.TASK_ACTIONS` that ended it; `"run"` while it runs.
        end: `None` while it runs, and for a crash that no line reports.
        first: its first record, usually the action `run`.
        last: its last record, which may be the first.
    """

    status: str
    end: datetime | None
    first: TaskRecord
    last: TaskRecord

    @property
    def task_name(self) -> str:
        """Name of the task."""
        return self.last.task_name

    @property
    def task_id(self) -> str | None:
        """Id of the run, `None` when its lines have none."""
        return self.last.task_id

    @property
    def service(self) -> str:
        """Service that ran it."""
        return self.last.service

    @property
    def start(self) -> datetime:
        """Time at which it began."""
        return self.first.start

    @property
    def runtime(self) -> timedelta | None:
        """Duration, `None` without an end."""
        if self.last.runtime_s is not None and self.end is not None:
            return timedelta(seconds=self.last.runtime_s)
        return self.end - self.start if self.end else None

    @property
    def exception(self) -> TaskException | None:
        """Exception that ended it."""
        return self.last.exception


def as_model(record: TaskRecord, model: type[Any]) -> Any:
    """Return the record as a model of the caller, with the fields that the model names.

    A pydantic model (1 or 2) gets all fields, because it chooses itself.
    """
    if model is TaskRecord:
        return record
    # The fields of the line hold times as text; the typed times replace them.
    typed = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    entry: LogEntry = typed.pop("entry")
    values = {**entry.fields, **typed}
    names = getattr(model, "_fields", None)
    if dataclasses.is_dataclass(model):
        names = [field.name for field in dataclasses.fields(model) if field.init]
    if names is not None:
        values = {name: values[name] for name in names if name in values}
    return model(**values)


def _exception(fields: Mapping[str, Any]) -> TaskException | None:
    if f.EXC_TYPE not in fields:
        return None
    texts = [str(fields.get(name, "")) for name in (f.EXC_TYPE, f.EXC_MESSAGE, f.STACKTRACE)]
    return TaskException(*texts)


def _time(value: Any) -> datetime | None:
    time_ns = parse_timestamp_ns(value)
    return None if time_ns is None else utc_time(time_ns)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None
