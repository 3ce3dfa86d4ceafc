"""`task`: each run of a piece of work logged as `run` and its end."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from types import FrameType, TracebackType
from typing import Any, TypeVar, overload

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.output.context import BoundFields, OpenBlocks, bound
from lokikit.output.event_log import Place, log_event
from lokikit.output.logged_exceptions import forget_logged
from lokikit.output.safe_text import text
from lokikit.output.wrapped_callables import wrap
from lokikit.settings import read_settings

Function = TypeVar("Function", bound="Callable[..., Any]")

_logger = logging.getLogger("lokikit.tasks.task")
_STEPS = {
    "run": (logging.INFO, "started"),
    "success": (logging.INFO, "succeeded"),
    "inaction": (logging.INFO, "had nothing to do"),
    "fail": (logging.ERROR, "failed"),
    "terminate": (logging.WARNING, "was terminated"),
    "crash": (logging.CRITICAL, "crashed"),
}
"""Action -> level and words of its line."""
ACTION_LEVELS = {action: level for action, (level, _) in _STEPS.items()}


class TaskInaction(Exception):  # noqa: N818 - not an error
    """Raised inside a task that finds nothing to do; ends the task as `inaction`."""


class TaskTermination(Exception):  # noqa: N818 - not an error
    """Raised inside a task that breaks off; ends the task as `terminate`."""


@cache
def are_tasks_logged() -> bool:
    """Return True when `LOG_TASKS` is on."""
    try:
        return read_settings().tasks
    except SettingsError:  # the set-up of logging has reported it
        return True


class Run:
    """A run of a task.

    Args:
        name: name of the task.
        task_id: id of the run; made by default.
        place: source location of the task.
        fields: fields of its lines.
        age_s: seconds since its start.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        task_id: str | None = None,
        fields: dict[str, Any] | None = None,
        age_s: float = 0.0,
    ) -> None:
        self.name = name
        self.task_id = task_id or os.urandom(16).hex()
        self.fields = {f.TASK_NAME: name, f.TASK_ID: self.task_id, **(fields or {})}
        self.has_line: bool | None = None
        """True when a handler wrote the line of its end; `None` before."""
        self._place = place
        self._start = stamp(time.time() - age_s)
        self._started_s = time.monotonic() - age_s

    def begin(self) -> None:
        """Log the action `run`."""
        forget_logged()
        self._log("run", "", {f.START: self._start})

    def end(
        self,
        action: str,
        reason: str = "",
        exception: BaseException | None = None,
        level: int | None = None,
    ) -> None:
        """Log its end.

        Args:
            action: an action of `fields.TASK_ACTIONS`, other than `run`.
            reason: part of the message.
            exception: exception for the line.
            level: level in place of the action's.
        """
        runtime_s = round(time.monotonic() - self._started_s, 6)
        times = {f.START: self._start, f.END: stamp(time.time()), f.RUNTIME_S: runtime_s}
        self.has_line = self._log(action, reason, times, exception, level)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return self.end_with(exception)

    def end_with(self, exception: BaseException | None) -> bool:
        """Log its end after an exception; return True when that should not propagate."""
        if exception is None:
            self.end("success")
        elif isinstance(exception, TaskInaction):
            self.end("inaction", text(exception))
        elif isinstance(exception, TaskTermination):
            self.end("terminate", text(exception))
        elif isinstance(exception, Exception):
            self.end("fail", f"{type(exception).__name__}: {text(exception)}", exception)
        else:
            # Cancelled, closed or interrupted: no error of the task, so no traceback.
            level = logging.INFO if _is_orderly(exception) else None
            self.end("terminate", type(exception).__name__, level=level)
        return isinstance(exception, (TaskInaction, TaskTermination))

    def bound(self) -> BoundFields:
        """Return a block whose lines name this run."""
        return bound(**self.fields)

    def _log(
        self,
        action: str,
        reason: str,
        times: dict[str, Any],
        exception: BaseException | None = None,
        level: int | None = None,
    ) -> bool:
        if not are_tasks_logged():
            return False
        usual, words = _STEPS[action]
        parts = ("%s %s: %s", self.name, words, reason) if reason else ("%s %s", self.name, words)
        fields = {**self.fields, f.ACTION: action, **times}
        place = self._place
        return log_event(
            _logger, level or usual, parts, fields=fields, place=place, exception=exception
        )


class Task:
    """Result of `task`: a context manager, for any number of blocks at once, and a decorator.

    Args:
        name: name of the task.
        fields: fields of all lines of its runs.
    """

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self._name = name
        self._fields = fields
        self._blocks: OpenBlocks[Run] = OpenBlocks()

    def __enter__(self) -> Run:
        frame = sys._getframe(1)  # noqa: SLF001 - no public function returns a frame
        run = self._new_run(_frame_place(frame))
        self._blocks.open(frame, run.fields, run)
        run.begin()
        return run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        block = self._blocks.find(sys._getframe(1))  # noqa: SLF001 - no public function returns a frame
        try:
            return block.item.end_with(exception)
        finally:
            block.close()

    def __call__(self, function: Function) -> Function:
        """Return the function with each call (for a generator: each iteration) as a run."""
        place = function_place(function)

        def begin() -> tuple[Run, Callable[[], BoundFields]]:
            run = self._new_run(place)
            return run, run.bound

        return wrap(function, begin)

    def _new_run(self, place: Place) -> Run:
        return Run(self._name, place, fields=self._fields)


@overload
def task(name: str, **fields: Any) -> Task: ...


@overload
def task(name: Function) -> Function: ...


def task(name: Any, **fields: Any) -> Any:
    """Log each run of a piece of work: `run`, then its end.

    As `with lokikit.task("send-invoices"):` or as a decorator of functions, coroutine functions
    and generators of both kinds. An exception is logged as `fail` and propagates; `TaskInaction`
    and `TaskTermination` end the run without an error. The lines inside have its name and id.

    Args:
        name: name of the task; use few names, because queries select by it. A decorator without
            one, `@lokikit.task`, takes that of the function.
        fields: further fields of each of its lines.
    """
    if callable(name):
        return Task(getattr(name, "__name__", type(name).__name__), fields)(name)
    return Task(name, fields)


def stamp(moment_s: float) -> str:
    """Return seconds since the epoch in the form of a line's timestamp."""
    moment = datetime.fromtimestamp(moment_s, timezone.utc)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _is_orderly(exception: BaseException) -> bool:
    """Return True without a failure: a generator that is left early, or `sys.exit(0)`."""
    if isinstance(exception, SystemExit):
        return exception.code is None or (isinstance(exception.code, int) and not exception.code)
    return isinstance(exception, GeneratorExit)


def _frame_place(frame: FrameType) -> Place:
    """Return the source location of a frame."""
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def function_place(function: Any) -> Place:
    """Return the source location of a function; this module's for other callables."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return Place(__file__, 0, getattr(function, "__name__", type(function).__name__))
    return Place(code.co_filename, code.co_firstlineno, code.co_name)
