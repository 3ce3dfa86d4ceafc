from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from lokikit.query.results import LogEntry
from lokikit.tasks.task_record import TaskException, TaskRecord, as_model

TIME_NS = 1_795_255_200_000_000_000
TIME = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)


def record(**fields: Any) -> TaskRecord:
    """An action of the task `bill`."""
    line = json.dumps({"task_name": "bill", "action": "success", **fields})
    return TaskRecord.of(LogEntry(TIME_NS, line, {"service_name": "shop"}, {}))


def test_times_of_the_line_are_times() -> None:
    """Start and end are read from the line, with their zone."""
    one = record(start="2026-11-21T09:59:00.000001Z", end="2026-11-21T10:00:00Z", runtime_s=60)
    assert one.start == TIME - timedelta(minutes=1) + timedelta(microseconds=1)
    assert (one.end, one.runtime_s, one.service) == (TIME, 60.0, "shop")


def test_what_a_line_does_not_tell_comes_from_its_time() -> None:
    """An end without times ended when it was written, and began as long before as it ran."""
    one = record(runtime_s=30)
    assert (one.start, one.end) == (TIME - timedelta(seconds=30), TIME)
    assert record(action="run").end is None


@pytest.mark.parametrize("odd", ["soon", None, 17, {"a": 1}])
def test_odd_values_are_no_error(odd: object) -> None:
    """Who else writes lines may write anything."""
    one = record(start=odd, end=odd, runtime_s="long", task_id=odd)
    assert (one.start, one.end, one.runtime_s) == (TIME, TIME, None)


def test_the_exception() -> None:
    """What a task raised is of one piece."""
    one = record(exc_type="shop.Late", exc_message="no", stacktrace="Traceback…")
    assert one.exception == TaskException("shop.Late", "no", "Traceback…")
    assert record().exception is None


def test_a_pydantic_model_gets_typed_values() -> None:
    """A model of the caller's is given times as times, and what else the line holds."""
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model(
        "Bill", task_name=(str, ...), timestamp=(datetime, ...), amount=(float, ...)
    )
    one = as_model(record(amount=19.5, timestamp="a text"), model)
    assert (one.task_name, one.timestamp, one.amount) == ("bill", TIME, 19.5)
