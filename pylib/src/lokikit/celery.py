"""Celery: `lokikit.celery.log_tasks()`, for workers, beat and whoever sends tasks."""

from __future__ import annotations

import logging
import sys
import time
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
    from collections.abc import Callable
    from contextlib import AbstractContextManager

_HEADER = "lokikit_request_id"
_LOGGERS = ("celery.app.trace", "celery.worker.request")
_WATCHED = "_lokikit_watched"
_beat_logger = logging.getLogger("lokikit.celery.beat")


_open: dict[str, tuple[Run, AbstractContextManager[None]]] = {}
"""What this process runs, by task id."""
_received: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""What this worker has handed to its processes, by task id."""
_ended: WeakKeyDictionary[Any, Run] = WeakKeyDictionary()
"""Requests whose end this worker has logged: it hears of the end in several ways."""
_has_line: ContextVar[bool] = ContextVar("lokikit_celery_has_line", default=False)
"""Whether what a request says of its lost process has a line of ours."""


def log_tasks() -> None:
    """Have workers and beat log lines of the contract, and tell each task that is run or due.

    To be called where the application is made, also by who sends tasks: the id of the request
    that sends one is bound while it runs. Celery leaves the root logger alone from then on, and
    keeps its banner to itself. Each attempt of a task is a run with the same `task_id`.
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
    # What the pool says of its processes is kept apart from the root logger otherwise.
    get_multiprocessing_logger().propagate = True
    keep_json_logging()


def _hide_banner(instance: Any, **_: Any) -> None:
    instance.quiet = instance.quiet or not sys.stdout.isatty()


def _add_request_id(headers: dict[str, Any], **_: Any) -> None:
    if (request_id := current_id()) is not None:
        headers[_HEADER] = request_id


def _watch_beat(sender: Any, **_: Any) -> None:
    """Have beat tell each task that it sends, in place of Celery's own line of what is due."""
    send = sender.scheduler.apply_async

    @wraps(send)
    def send_and_tell(entry: Any, *args: Any, **kwargs: Any) -> Any:
        sent = send(entry, *args, **kwargs)
        if are_tasks_logged():
            fields = {f.TASK_NAME: entry.task, f.TASK_ID: sent.id, "schedule_entry": entry.name}
            parts = ("%s sent", entry.task)
            log_event(_beat_logger, logging.INFO, parts, fields=fields, place=function_place(send))
        return sent

    sender.scheduler.apply_async = send_and_tell
    drop_duplicate_records("celery.beat", _is_of_what_is_due)


def _is_of_what_is_due(record: logging.LogRecord) -> bool:
    """Whether it is beat's line of a task that it sends then; what fails has another."""
    return are_tasks_logged() and str(record.msg).startswith("Scheduler: Sending due task")


def _watch(request: Any, **_: Any) -> None:
    """Have a request of the worker tell the end of a run whose process is gone.

    Celery's signals do not: of a message that goes back to its queue there is none, before 5.7 none
    of a hard time limit either. The class is Celery's own for one task, so nobody else has it.
    """
    _received[request.id] = request
    kind = type(request)
    if _WATCHED not in vars(kind):
        setattr(kind, _WATCHED, True)
        kind.on_failure = _telling(kind.on_failure, _tell_lost)
        kind.on_timeout = _telling(kind.on_timeout, _tell_timeout)


def _telling(method: Callable[..., Any], end: Callable[..., bool]) -> Callable[..., Any]:
    """A method of a request that first tells how its run ended."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = _has_line.set(end(self, *args, **kwargs))
        try:
            return method(self, *args, **kwargs)
        finally:
            _has_line.reset(token)

    return call


def _tell_lost(request: Any, exc_info: Any, *_: Any, **__: Any) -> bool:
    """Of any failure that the worker hears of: tell those of a lost process."""
    error = getattr(exc_info.exception, "exc", exc_info.exception)
    if isinstance(error, WorkerLostError) and not _has_succeeded(request):
        return _end_lost(request, lambda run: run.end("crash", text(error)))
    if isinstance(error, TimeLimitExceeded):
        return _end_lost(request, lambda run: run.end("terminate", _represent(error)))
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return _end_lost(request, lambda run: run.end_with(error))
    return False


def _tell_timeout(request: Any, soft: bool, timeout: float) -> bool:  # noqa: FBT001 - as Celery calls it
    """Of a hard time limit; the process tells a soft one itself."""
    error = TimeLimitExceeded(timeout)
    return not soft and _end_lost(request, lambda run: run.end("terminate", _represent(error)))


def _has_succeeded(request: Any) -> bool:
    """Whether the process was lost behind the end of the run, as far as Celery (5.7) asks."""
    ask = getattr(request, "_success_was_stored", None)
    return bool(ask and ask())


def _end_lost(request: Any, end: Callable[[Run], object]) -> bool:
    """Tell an end once; return whether it has a line."""
    if request not in _ended:
        _ended[request] = run = _lost_run(request.task, request.id, request)
        end(run)
    return bool(_ended[request].has_line)


def _begin(task_id: str, task: Any, **_: Any) -> None:
    request = task.request
    run = Run(task.name, function_place(task.run), task_id, _attempt(request.retries))
    request_id = (request.headers or {}).get(_HEADER)
    block = bound(**run.fields, **({f.REQUEST_ID: request_id} if request_id else {}))
    block.__enter__()
    _open[task_id] = (run, block)
    run.begin()


def _fail(task_id: str, exception: BaseException, **_: Any) -> None:
    """Of the process that runs the task."""
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
    if received is not None:
        _ended[received] = run
    if terminated:
        run.end("terminate", "revoked")
    else:
        run.end("inaction", "expired" if expired else "revoked")


def _lost_run(task: Any, task_id: str, request: Any) -> Run:
    """The run of a process that cannot tell its end itself; `None` for a request not received."""
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


def _is_duplicate(record: logging.LogRecord) -> bool:
    """Whether it says of a task what its actions say, as far as these have lines."""
    data = getattr(record, "data", None)
    if isinstance(data, dict) and data.get("id") in _open:
        run, _block = _open[data["id"]]
        # Of a success Celery speaks before our line comes.
        return are_tasks_logged() if run.has_line is None else run.has_line
    if _has_line.get() and record.funcName in {"on_failure", "on_timeout"}:
        return record.levelno >= logging.ERROR
    return repeats_exception(record)
