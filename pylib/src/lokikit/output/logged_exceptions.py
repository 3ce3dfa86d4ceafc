"""Exceptions that have been logged: once for each time that an object is raised.

Exceptions may be constants, or stored and raised again: Python then puts the new frames in front of
the old traceback. Nothing is set on the exceptions, which are the application's.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from itertools import count
from types import TracebackType
from typing import NamedTuple

_MAX_REMEMBERED = 8
"""Exceptions kept with their frames: the id of a freed traceback is soon used again."""
_STEPPED = CO_ASYNC_GENERATOR | CO_COROUTINE | CO_GENERATOR | CO_ITERABLE_COROUTINE
"""Frames that forget their caller when they end."""
_CARRIERS = ("asyncio.", "concurrent.futures.")
"""Modules that raise an exception of another thread or task again."""


class _Logged(NamedTuple):
    number: int
    exception: BaseException
    trace: TracebackType | None


_logged: deque[_Logged] = deque(maxlen=_MAX_REMEMBERED)
_numbers = count(1)
_number_here: ContextVar[int] = ContextVar("lokikit_logged_exception", default=0)
"""The number alone, for a context may live long."""


def mark_logged(exception: BaseException) -> None:
    """Make `was_logged` return True of this exception, wherever it is raised on to."""
    number = next(_numbers)
    _logged.append(_Logged(number, exception, exception.__traceback__))
    _number_here.set(number)


def was_logged(exception: object) -> bool:
    """Return True when an event has this exception, as it was raised this time."""
    if not isinstance(exception, BaseException):
        return False
    return any(
        entry.exception is exception and _leads_to(exception.__traceback__, entry.trace)
        for entry in tuple(_logged)
    )


def forget_logged() -> None:
    """Forget this context's exception: a request or run begins, which may raise it again."""
    number = _number_here.get()
    if not number:
        return
    for entry in tuple(_logged):
        if entry.number == number:
            with suppress(ValueError):  # another thread's exception has taken its place
                _logged.remove(entry)
    _number_here.set(0)


def _leads_to(trace: TracebackType | None, logged: TracebackType | None) -> bool:
    """Return True when each frame down to the logged traceback has called the next frame."""
    while trace is not logged:
        inner = trace.tb_next if trace is not None else None
        if trace is None or inner is None or not _called(trace, inner):
            return False
        trace = inner
    return True


def _called(outer: TracebackType, inner: TracebackType) -> bool:
    frame = inner.tb_frame
    return (
        frame.f_back is outer.tb_frame
        or frame is outer.tb_frame  # `raise error` within `except`
        or bool(frame.f_code.co_flags & _STEPPED)
        or str(outer.tb_frame.f_globals.get("__name__")).startswith(_CARRIERS)
    )
