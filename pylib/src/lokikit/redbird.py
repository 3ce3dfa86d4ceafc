"""`LokiRepo`: the history of Rocketry's tasks, read from Loki. Needs Red Bird and pydantic 1."""

# No `from __future__ import annotations`: pydantic 1 reads the types of the fields.
import logging
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from pydantic import PrivateAttr
from redbird.oper import Between, Equal, GreaterEqual, GreaterThan, In
from redbird.templates import TemplateRepo
from redbird.utils.query import QueryMatcher

from lokikit import fields as f
from lokikit.query.client import Loki
from lokikit.query.log_query import LogQuery
from lokikit.query.results import LogEntry
from lokikit.tasks.task_record import TaskRecord
from lokikit.times import NS_PER_S, moment_ns

_MAX_RECENT = 10_000
_NEAR_NS = 3600 * NS_PER_S
_NAMES = {"task_name": f.TASK_NAME, "action": f.ACTION, "run_id": f.TASK_ID}
"""Names in a record of Rocketry that Loki can select by -> field of the line."""
_NOT_KEPT = ("exc_info", "args", "__return__")
"""These hold on to objects of the application."""

Query = dict[str, Any]


class LokiRepo(TemplateRepo):  # type: ignore[misc]  # its package has no types
    """Serves Rocketry: `Rocketry(logger_repo=LokiRepo(service="scheduler"))`.

    It only reads: the lines travel to Loki like all lines of the service. Records of this process
    are known at once, before they are in Loki.

    Args:
        url: URL of Loki; by default `LOKI_URL`, with the credentials of the environment.
        service: service of the tasks.
        env: environment, if the service runs in several.
        since: how far back to look.
        model: type of a record: `dict`, or a class of `rocketry.log`.
    """

    url: str | None = None
    service: str
    env: str | None = None
    since: str = "7d"
    _client: Any = PrivateAttr(default=None)
    _lock: Any = PrivateAttr(default_factory=threading.Lock)
    _recent: Any = PrivateAttr(default_factory=lambda: deque(maxlen=_MAX_RECENT))

    def insert(self, item: Any) -> None:
        """Keep a record that was just logged, until Loki has it."""
        if isinstance(item, dict):
            item = {name: value for name, value in item.items() if name not in _NOT_KEPT}
        self._recent.append(item)

    def query_items(self, query: Query) -> Iterator[Any]:
        """Return the records that match, in the order of time."""
        with self._lock:
            stored = [self._item(one) for one in self._lines(query).oldest_first().iter()]
        known = {self._key(one) for one in stored}
        recent = [one for one in list(self._recent) if self._key(one) not in known]
        matches = QueryMatcher(query, self._value)
        found = sorted([*stored, *recent], key=lambda one: self._value(one, "created"))
        return (one for one in found if one in matches)

    def query_read_last(self, query: Query) -> Any:
        """Return the last record that matches: of this process, else of earlier processes."""
        matches = QueryMatcher(query, self._value)
        recent = [one for one in list(self._recent) if one in matches]
        if recent:
            return max(recent, key=lambda one: self._value(one, "created"))
        now_ns = time.time_ns()
        oldest_ns = moment_ns(self.since, "since", now_ns)
        near_ns = max(oldest_ns, now_ns - _NEAR_NS)
        with self._lock:
            lines = self._lines(query)
            for asked in (lines.since(near_ns), lines.since(oldest_ns).until(near_ns)):
                for item in map(self._item, asked.iter()):
                    if item in matches:
                        return item
        return None

    def query_update(self, query: Query, values: Query) -> None:
        """Refuse: Loki changes no lines."""
        raise NotImplementedError(f"Loki changes no records: not {values} where {query}.")

    def query_delete(self, query: Query) -> None:
        """Refuse: Loki deletes lines by age only."""
        raise NotImplementedError(f"Loki deletes no records by themselves: not where {query}.")

    def _lines(self, query: Query) -> LogQuery:
        """Return the lines that may match, newest first."""
        if self._client is None:
            self._client = Loki(self.url) if self.url else Loki.from_env()
        labels = {f.SERVICE: self.service, **({f.ENV: self.env} if self.env else {})}
        wanted: Query = {f.ACTION: f.TASK_ACTIONS}
        for name, field in _NAMES.items():
            if (values := _values(query.get(name))) is not None:
                wanted[field] = values
        lines: LogQuery = self._client.logs(**labels).where(**wanted).since(self.since)
        earliest_s = _earliest_s(query.get("created"))
        return lines if earliest_s is None else lines.since(int((earliest_s - 1) * NS_PER_S))

    def _item(self, entry: LogEntry) -> Any:
        return self.data_to_item(_record(entry))

    def _key(self, item: Any) -> tuple[Any, ...]:
        """Return a key that is unique for an action; the time in a line is not exact enough."""
        run_id = self._value(item, "run_id")
        last = run_id if run_id is not None else round(self._value(item, "created"), 3)
        return (self._value(item, "task_name"), self._value(item, "action"), last)

    @staticmethod
    def _value(item: Any, name: str) -> Any:
        return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _values(asked: Any) -> list[Any] | None:
    """Return the values that a condition allows, `None` when it lists none."""
    if isinstance(asked, (str, int)):
        return [asked]
    if isinstance(asked, Equal):
        return [asked.value]
    return list(asked.value) if isinstance(asked, In) and asked.value else None


def _earliest_s(asked: Any) -> float | None:
    if isinstance(asked, (GreaterEqual, GreaterThan)):
        return float(asked.value)
    return float(asked.start) if isinstance(asked, Between) else None


def _record(entry: LogEntry) -> dict[str, Any]:
    """Return the attributes of the record behind a line, as far as the line has them."""
    fields, task = entry.fields, TaskRecord.of(entry)
    place, _, function = str(fields.get(f.CALLER, "")).partition(" ")
    path, _, line = place.rpartition(":")
    level, message = str(fields.get(f.LEVEL, "info")).upper(), str(fields.get(f.MESSAGE, ""))
    return {
        "task_name": task.task_name,
        "action": task.action,
        "run_id": task.task_id,
        "created": entry.timestamp_ns / NS_PER_S,
        "start": task.start.timestamp(),
        "end": task.end and task.end.timestamp(),
        "runtime": task.runtime_s,
        "name": fields.get(f.LOGGER, ""),
        "msg": message,
        "message": message,
        "formatted_message": message,
        "levelname": level,
        "levelno": getattr(logging, level, logging.INFO),
        "pathname": path,
        "filename": PurePath(path).name,
        "module": PurePath(path).stem,
        "lineno": int(line) if line.isdecimal() else 0,
        "funcName": function,
        "exc_text": fields.get(f.STACKTRACE),
        "msecs": entry.timestamp_ns // 1_000_000 % 1000,
        "relativeCreated": 0.0,
        "thread": 0,
        "threadName": fields.get(f.THREAD, ""),
        "process": fields.get(f.PID, 0),
        "processName": "",
    }
