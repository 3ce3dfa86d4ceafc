"""Celery: `lokikit.celery.log_tasks()`, for workers, beat and senders of tasks."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery import signals, states
from celery.utils.log import get_multiprocessing_logger

from lokikit import fields as f
from lokikit.http_requests.request_log import current_id
from lokikit.output.context import bound
from lokikit.output.event_log import drop_duplicate_records, log_event, repeats_exception
from lokikit.output.safe_text import text
from lokikit.setup import keep_json_logging
from lokikit.tasks.task import Run, are_tasks_logged, function_place

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_HEADER = "lokikit_request_id"
_LOGGERS = ("celery.app.trace", "celery.worker.request")
_WATCHED = "_lokikit_watched"
_beat_logger = logging.getLogger("lokikit.celery.beat")


_open: dict[str, tuple[Run, AbstractContextManager[None]]] = {}
"""Task id -> run of this process, with its block of bound fields."""
_received: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""Task id -> request that this worker has given to its processes."""
_ended: WeakKeyDictionary[Any, Run] = WeakKeyDictionary()
"""Request -> run whose end this worker has logged: several signals report the same end."""
_has_line: ContextVar[bool] = ContextVar("lokikit_celery_has_line", default=False)
"""True while a request reports a lost process whose run has a line of the kit."""


def log_tasks() -> None:
    """Let workers and beat write lines of the kit, and log each task that runs or is due.

    Call it where the application is created, also in processes that send tasks: the id of the
    request that sends a task is bound while the task runs. Celery leaves the root logger alone
    from then on, and prints no banner. Each attempt of a task is a run with the same `task_id`.
    """
    signals.setup_logging.connect(_set_up)
    signals.celeryd_init.connect(_hide_banner)
    signals.before_task_publish.connect(_add_request_id)
    signals.task_received.connect(_watch)
    signals.task_prerun.connect(_begin)
    signals.task_failure.connect(_fail)
    signals.task_postrun.connect(_end)
    signals.task_revoked.connect(_revoke)
    signals.beat_init.connect(_watch_beat)
    for name in _LOGGERS:
        drop_duplicate_records(name, _is_duplicate)


def _set_up(**_: Any) -> None:
    # Otherwise messages of the pool about its processes do not reach the root logger.
    get_multiprocessing_logger().propagate = True
    keep_json_logging()


def _hide_banner(instance: Any, **_: Any) -> None:
    instance.quiet = instance.quiet or not sys.stdout.isatty()


def _add_request_id(headers: dict[str, Any], **_: Any) -> None:
    if (request_id := current_id()) is not None:
        headers[_HEADER] = request_id


def _watch_beat(sender: Any, **_: Any) -> None:
    """Log each task that beat sends, in place of Celery's line about the task that is due."""
    send = sender.scheduler.apply_async

    @wraps(send)
    def send_and_log(entry: Any, *args: Any, **kwargs: Any) -> Any:
        sent = send(entry, *args, **kwargs)
        if are_tasks_logged():
            fields = {f.TASK_NAME: entry.task, f.TASK_ID: sent.id, "schedule_entry": entry.name}
            parts = ("%s sent", entry.task)
            log_event(_beat_logger, logging.INFO, parts, fields=fields, place=function_place(send))
        return sent

    sender.scheduler.apply_async = send_and_log
    drop_duplicate_records("celery.beat", _is_about_due_task)


def _is_about_due_task(record: logging.LogRecord) -> bool:
    """Return True for beat's line about a task that it is about to send."""
    return are_tasks_logged() and str(record.msg).startswith("Scheduler: Sending due task")


def _watch(request: Any, **_: Any) -> None:
    """Let a request of the worker log the end of a run whose process is gone.

    Celery has no signal for a message that returns to its queue, and before 5.7 none for a hard
    time limit. Celery creates the class of the request for each task, so the patch is local.
    """
    _received[request.id] = request
    kind = type(request)
    if _WATCHED not in vars(kind):
        setattr(kind, _WATCHED, True)
        kind.on_failure = _logging_first(kind.on_failure, _log_lost)
        kind.on_timeout = _logging_first(kind.on_timeout, _log_timeout)


def _logging_first(method: Callable[..., Any], end: Callable[..., bool]) -> Callable[..., Any]:
    """Return a method of a request that first logs the end of its run."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _has_line.set(end(self, *args, **kwargs))
        try:
            return method(self, *args, **kwargs)
        finally:
            _has_line.reset(token)

    return call


def _log_lost(request: Any, exc_info: Any, *_: Any, **__: Any) -> bool:
    """Log the failure of a lost process; return True when it has a line."""
    error = getattr(exc_info.exception, "exc", exc_info.exception)
    if isinstance(error, WorkerLostError) and not _has_succeeded(request):
        return _end_lost(request, lambda run: run.end("crash", text(error)))
    if isinstance(error, TimeLimitExceeded):
        return _end_lost(request, lambda run: run.end("terminate", _represent(error)))
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return _end_lost(request, lambda run: run.end_with(error))
    return False


def _log_timeout(request: Any, soft: bool, timeout: float) -> bool:  # noqa: FBT001 - as Celery calls it
    """Log a hard time limit; the process itself logs a soft limit."""
    error = TimeLimitExceeded(timeout)
    return not soft and _end_lost(request, lambda run: run.end("terminate", _represent(error)))


def _has_succeeded(request: Any) -> bool:
    """Return True when the process was lost after the end of the run, if Celery (5.7) knows."""
    ask = getattr(request, "_success_was_stored", None)
    return bool(ask and ask())


def _end_lost(request: Any, end: Callable[[Run], object]) -> bool:
    """Log an end once; return True when it has a line."""
    run = _lost_run(request.task, request.id, request)
    if _is_first_end(request, run):
        end(run)
    return bool(_ended[request].has_line)


def _is_first_end(request: Any, run: Run) -> bool:
    """Keep `run` as the end of a request; return False when another has been logged.

    Celery reports an end from two threads at once: the one that kills a process, and the one that
    finds it gone.
    """
    return _ended.setdefault(request, run) is run


def _begin(task_id: str, task: Any, **_: Any) -> None:
    request = task.request
    run = Run(task.name, function_place(task.run), task_id, _attempt(request.retries))
    request_id = (request.headers or {}).get(_HEADER)
    block = bound(**run.fields, **({f.REQUEST_ID: request_id} if request_id else {}))
    block.__enter__()
    _open[task_id] = (run, block)
    run.begin()


def _fail(task_id: str, exception: BaseException, **_: Any) -> None:
    """Log a failure in the process that runs the task."""
    if task_id not in _open:
        return
    run, _block = _open[task_id]
    if isinstance(exception, SoftTimeLimitExceeded):
        run.end("terminate", _represent(exception), exception)
    else:
        run.end_with(exception)


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
    received = _received.get(request.id)
    run = _lost_run(sender, request.id, received)
    if received is not None and not _is_first_end(received, run):
        return
    if terminated:
        run.end("terminate", "revoked")
    else:
        run.end("inaction", "expired" if expired else "revoked")


def _lost_run(task: Any, task_id: str, request: Any) -> Run:
    """Return the run of a lost process; `request` is `None` when this worker did not receive it."""
    started_s = getattr(request, "time_start", None)
    retries = request.request_dict.get("retries") if request else 0
    age_s = time.time() - started_s if started_s else 0.0
    return Run(task.name, function_place(task.run), task_id, _attempt(retries), age_s)


def _represent(exception: BaseException) -> str:
    """Return the `repr` of an exception, or its class when that raises."""
    try:
        return repr(exception)
    except Exception:  # noqa: BLE001 - `repr` of a foreign exception may raise anything
        return type(exception).__name__


def _attempt(retries: int | None) -> dict[str, Any]:
    return {"retries": retries} if retries else {}


def _is_duplicate(record: logging.LogRecord) -> bool:
    """Return True for a record that repeats the line of a task."""
    data = getattr(record, "data", None)
    if isinstance(data, dict) and data.get("id") in _open:
        run, _block = _open[data["id"]]
        # Celery logs a success before the line of the kit.
        return are_tasks_logged() if run.has_line is None else run.has_line
    if _has_line.get() and record.funcName in {"on_failure", "on_timeout"}:
        return record.levelno >= logging.ERROR
    return repeats_exception(record)
