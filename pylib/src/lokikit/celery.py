"""Celery: `lokikit.celery.log_tasks()`, for workers, beat and whoever sends tasks."""

from __future__ import annotations

import logging
import sys
import time
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery import signals, states
from celery.utils.log import get_multiprocessing_logger

from lokikit import fields as f
from lokikit.http_requests.request_log import current_id
from lokikit.output.context import bound
from lokikit.output.json_values import text
from lokikit.output.told_once import leave_out, raised_in, repeats_exception
from lokikit.setup import keep_json_logging
from lokikit.tasks.task import Run, function_place

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_HEADER = "lokikit_request_id"
_LOGGERS = ("celery.app.trace", "celery.worker.request")
_open: dict[str, tuple[Run, AbstractContextManager[None]]] = {}
"""What this process runs, by task id."""
_received: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""What this worker has handed to its processes, by task id."""
_LOST = (TimeLimitExceeded, WorkerLostError)


def log_tasks() -> None:
    """Have workers and beat log lines of the contract, and tell each run of a task.

    To be called where the application is made, also by who sends tasks: the id of the request
    that sends one is bound while it runs. Celery leaves the root logger alone from then on, and
    keeps its banner to itself. Each attempt of a task is a run with the same `task_id`.
    """
    signals.setup_logging.connect(_set_up)
    signals.celeryd_init.connect(_hide_banner)
    signals.before_task_publish.connect(_add_request_id)
    signals.task_received.connect(_note)
    signals.task_prerun.connect(_begin)
    signals.task_failure.connect(_fail)
    signals.task_postrun.connect(_end)
    signals.task_revoked.connect(_revoke)
    for name in _LOGGERS:
        leave_out(name, _is_told)


def _set_up(**_: Any) -> None:
    # What the pool says of its processes is kept apart from the root logger otherwise.
    get_multiprocessing_logger().propagate = True
    keep_json_logging()


def _hide_banner(instance: Any, **_: Any) -> None:
    instance.quiet = instance.quiet or not sys.stdout.isatty()


def _add_request_id(headers: dict[str, Any], **_: Any) -> None:
    if (request_id := current_id()) is not None:
        headers[_HEADER] = request_id


def _note(request: Any, **_: Any) -> None:
    _received[request.id] = request


def _begin(task_id: str, task: Any, **_: Any) -> None:
    request = task.request
    run = Run(task.name, function_place(task.run), task_id, _attempt(request.retries))
    request_id = (request.headers or {}).get(_HEADER)
    block = bound(**run.fields, **({f.REQUEST_ID: request_id} if request_id else {}))
    block.__enter__()
    _open[task_id] = (run, block)
    run.begin()


def _fail(sender: Any, task_id: str, exception: BaseException, **_: Any) -> None:
    """Of the process that runs the task, or of its parent when that process is gone."""
    if task_id in _open:
        run, _block = _open[task_id]
        if isinstance(exception, SoftTimeLimitExceeded):
            run.end("terminate", _represent(exception), exception)
        else:
            run.end_with(exception)
    elif isinstance(exception, _LOST) and sender.request.id == task_id:
        # Of a hard time limit Celery speaks before the process is gone, too, without the request.
        lost = isinstance(exception, WorkerLostError)
        reason = text(exception) if lost else _represent(exception)
        _lost_run(sender, task_id).end("crash" if lost else "terminate", reason)


def _end(task_id: str, state: str, retval: Any, **_: Any) -> None:
    if task_id not in _open:
        return
    run, block = _open[task_id]
    try:
        if state == states.RETRY:
            error = retval.exc or retval
            reason = f"{type(error).__name__}: {text(error)}; to be tried again"
            run.end("fail", reason, error, level=logging.WARNING)
        elif state in {states.IGNORED, states.REJECTED}:
            run.end("inaction", text(retval))
        elif state == states.SUCCESS:
            run.end("success")
    finally:
        del _open[task_id]
        block.__exit__(None, None, None)


def _revoke(sender: Any, request: Any, *, terminated: bool, expired: bool, **_: Any) -> None:
    run = _lost_run(sender, request.id)
    if terminated:
        run.end("terminate", "revoked")
    else:
        run.end("inaction", "expired" if expired else "revoked")


def _lost_run(task: Any, task_id: str) -> Run:
    """The run of a process that cannot tell its end itself."""
    request = _received.get(task_id)
    started_s = getattr(request, "time_start", None)
    retries = request.request_dict.get("retries") if request else 0
    age_s = time.time() - started_s if started_s else 0.0
    return Run(task.name, function_place(task.run), task_id, _attempt(retries), age_s)


def _represent(exception: BaseException) -> str:
    """The exception's `repr`, or its class where that raises."""
    try:
        return repr(exception)
    except Exception:  # noqa: BLE001 - a stranger's exception may do anything
        return type(exception).__name__


def _attempt(retries: int | None) -> dict[str, Any]:
    return {"retries": retries} if retries else {}


def _is_told(record: logging.LogRecord) -> bool:
    """Whether it says of a task what its actions say."""
    data = getattr(record, "data", None)
    if isinstance(data, dict) and data.get("id") in _open:
        return True
    error = raised_in(record)
    # What came out of another process may be wrapped.
    is_lost = isinstance(getattr(error, "exc", error), _LOST)
    return is_lost or record.funcName == "on_timeout" or repeats_exception(record)
