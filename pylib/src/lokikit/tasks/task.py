"""`task`: each run of a piece of work told as `run` and how it ended."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import cache, update_wrapper
from typing import TYPE_CHECKING, Any, TypeVar

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.output.context import bound
from lokikit.output.told_once import Place, tell
from lokikit.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from contextlib import AbstractContextManager
    from types import FrameType, TracebackType

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


class TaskInaction(Exception):  # noqa: N818 - it is no error
    """Raise it inside a task that finds nothing to do: the task ends there, as `inaction`."""


class TaskTermination(Exception):  # noqa: N818 - likewise
    """Raise it inside a task that breaks off: the task ends there, as `terminate`."""


@cache
def are_told() -> bool:
    """Whether `LOG_TASKS` has actions told."""
    try:
        return read_settings().tasks
    except SettingsError:  # the set-up of logging has said so
        return True


class Run:
    """One run of a task.

    Args:
        name: of the task.
        task_id: tells runs apart; made up unless given.
        place: where the task is written.
        fields: on its lines.
        age_s: how long it runs already.
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
        self._place = place
        self._start = stamp(time.time() - age_s)
        self._started_s = time.monotonic() - age_s

    def begin(self) -> None:
        """Tell `run`."""
        self._tell("run", "", {f.START: self._start})

    def end(
        self,
        action: str,
        reason: str = "",
        exception: BaseException | None = None,
        level: int | None = None,
    ) -> None:
        """Tell how it ended.

        Args:
            action: one of `fields.TASK_ACTIONS` but `run`.
            reason: stands in the message.
            exception: is in the line.
            level: another one than that of the action.
        """
        runtime_s = round(time.monotonic() - self._started_s, 6)
        times = {f.START: self._start, f.END: stamp(time.time()), f.RUNTIME_S: runtime_s}
        self._tell(action, reason, times, exception, level)

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
        """Tell how it ended from what it raised; whether that should go no further."""
        if exception is None:
            self.end("success")
        elif isinstance(exception, TaskInaction):
            self.end("inaction", str(exception))
        elif isinstance(exception, TaskTermination):
            self.end("terminate", str(exception))
        elif isinstance(exception, Exception):
            self.end("fail", f"{type(exception).__name__}: {exception}", exception)
        else:
            # Cancelled, closed or interrupted: no error of the task's own, so no traceback.
            self.end("terminate", type(exception).__name__)
        return isinstance(exception, (TaskInaction, TaskTermination))

    def bound(self) -> AbstractContextManager[None]:
        """A block whose lines name this run."""
        return bound(**self.fields)

    def _tell(
        self,
        action: str,
        reason: str,
        times: dict[str, Any],
        exception: BaseException | None = None,
        level: int | None = None,
    ) -> None:
        if not are_told():
            return
        usual, words = _STEPS[action]
        text = ("%s %s: %s", self.name, words, reason) if reason else ("%s %s", self.name, words)
        fields = {**self.fields, f.ACTION: action, **times}
        place = self._place
        tell(_logger, level or usual, text, fields=fields, place=place, exception=exception)


class Task:
    """What `task` gives: a context manager, and a decorator.

    Args:
        name: of the task.
        fields: on all lines of its runs.
    """

    def __init__(self, name: str, fields: dict[str, Any]) -> None:
        self._name = name
        self._fields = fields
        self._open: list[ExitStack] = []

    def __enter__(self) -> Run:
        run = self._new_run(_frame_place(sys._getframe(1)))  # noqa: SLF001 - the only way to it
        block = ExitStack()
        block.enter_context(run.bound())
        self._open.append(block)
        block.enter_context(run)
        return run

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        return bool(self._open.pop().__exit__(kind, exception, trace))

    def __call__(self, function: Function) -> Function:
        """The function, each call of which (of a generator: each walk) is a run."""
        place = function_place(function)
        wrapped: Any
        if inspect.isasyncgenfunction(function):
            wrapped = self._async_generator(function, place)
        elif inspect.isgeneratorfunction(function):
            wrapped = self._generator(function, place)
        elif inspect.iscoroutinefunction(function):
            wrapped = self._coroutine(function, place)
        else:
            wrapped = self._function(function, place)
        update_wrapper(wrapped, function)
        done: Function = wrapped
        return done

    def _new_run(self, place: Place) -> Run:
        return Run(self._name, place, fields=self._fields)

    def _function(self, function: Callable[..., Any], place: Place) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            run = self._new_run(place)
            with run.bound(), run:
                return function(*args, **kwargs)

        return call

    def _coroutine(self, function: Callable[..., Any], place: Place) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            run = self._new_run(place)
            with run.bound(), run:
                return await function(*args, **kwargs)

        return call

    def _generator(self, function: Callable[..., Any], place: Place) -> Callable[..., Any]:
        # Bound for each step alone: what is between two of them is its consumer's.
        def walk(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            run = self._new_run(place)
            with run:
                steps = function(*args, **kwargs)
                step, value = steps.send, None
                while True:
                    try:
                        with run.bound():
                            item = step(value)
                    except StopIteration as end:
                        return end.value
                    try:
                        step, value = steps.send, (yield item)
                    except GeneratorExit:
                        with run.bound():
                            steps.close()
                        raise
                    except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
                        step, value = steps.throw, error

        return walk

    def _async_generator(self, function: Callable[..., Any], place: Place) -> Callable[..., Any]:
        async def walk(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            run = self._new_run(place)
            with run:
                steps = function(*args, **kwargs)
                step, value = steps.asend, None
                while True:
                    try:
                        with run.bound():
                            item = await step(value)
                    except StopAsyncIteration:
                        return
                    try:
                        step, value = steps.asend, (yield item)
                    except GeneratorExit:
                        with run.bound():
                            await steps.aclose()
                        raise
                    except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
                        step, value = steps.athrow, error

        return walk


def task(name: str, **fields: Any) -> Task:
    """A piece of work whose every run is told: `run`, then how it ended.

    As `with lokikit.task("send-invoices"):` or as a decorator of functions, coroutine functions
    and generators of both kinds. What it raises is told as `fail` and raised on; `TaskInaction`
    and `TaskTermination` end it without an error. The lines inside have its name and id.

    Args:
        name: of the task; few of them, for it is asked by.
        fields: further ones on every line of it.
    """
    return Task(name, fields)


def stamp(moment_s: float) -> str:
    """Seconds since the epoch in the form of a line's timestamp."""
    moment = datetime.fromtimestamp(moment_s, timezone.utc)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _frame_place(frame: FrameType) -> Place:
    """Where a frame is."""
    return Place(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def function_place(function: Any) -> Place:
    """Where a function is written; of what is no function, where tasks are."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return Place(__file__, 0, getattr(function, "__name__", type(function).__name__))
    return Place(code.co_filename, code.co_firstlineno, code.co_name)
