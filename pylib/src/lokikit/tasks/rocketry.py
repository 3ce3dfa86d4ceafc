"""Rocketry: the records of its logger `rocketry.task` become lines about tasks."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from lokikit import fields as f
from lokikit.output.event_log import drop_duplicate_records
from lokikit.output.stdout_handler import gets_our_lines
from lokikit.tasks.task import ACTION_LEVELS, are_tasks_logged, stamp

_LOGGER = "rocketry.task"
_RENAMED = {"run_id": f.TASK_ID, "runtime": f.RUNTIME_S}


def take_in_rocketry() -> None:
    """Log Rocketry's actions as task actions; its repositories still get its own records."""
    logging.getLogger(_LOGGER).setLevel(logging.INFO)
    drop_duplicate_records(_LOGGER, _log_run)


def _log_run(record: logging.LogRecord) -> bool:
    """Return True for an action; log it by the contract, if `LOG_TASKS` is on."""
    action = getattr(record, f.ACTION, None)
    if action not in ACTION_LEVELS:
        return False
    if not are_tasks_logged():
        # No other line reports a failure.
        return action not in f.TASK_FAILURES
    attributes = dict(vars(record))
    for name in (f.START, f.END, *_RENAMED):
        value = _form(name, attributes.pop(name, None))
        if value is not None:
            attributes[_RENAMED.get(name, name)] = value
    attributes["levelno"] = ACTION_LEVELS[action]
    attributes.pop("__return__", None)
    copy = logging.makeLogRecord(attributes)
    for handler in logging.getLogger().handlers:
        if gets_our_lines(handler):
            handler.handle(copy)
    return True


def _form(name: str, value: Any) -> Any:
    if name in {f.START, f.END}:
        moment_s = value.timestamp() if hasattr(value, "timestamp") else value
        return None if moment_s is None else stamp(moment_s)
    if isinstance(value, timedelta):
        value = value.total_seconds()
    return round(value, 6) if isinstance(value, float) else value
