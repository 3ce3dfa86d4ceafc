"""Which raised exceptions have a line already: each raising once, an object as often as raised.

Exceptions may be constants, or stored and raised again: Python then puts the new frames in front of
the old traceback. Nothing is set on the exceptions, which are the application's.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR, CO_ITERABLE_COROUTINE
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

_MAX_REMEMBERED = 8
"""They are held with their frames: an id alone is soon that of another traceback."""
_STEPPED = CO_ASYNC_GENERATOR | CO_COROUTINE | CO_GENERATOR | CO_ITERABLE_COROUTINE
"""Frames that forget their caller when they end."""
_CARRIERS = ("asyncio.", "concurrent.futures.")
"""Modules that raise what was raised in another thread or task."""


class _Told(NamedTuple):
    number: int
    exception: BaseException
    trace: TracebackType | None


_told: deque[_Told] = deque(maxlen=_MAX_REMEMBERED)
_numbers = count(1)
_told_here: ContextVar[int] = ContextVar("lokikit_told_exception", default=0)
"""The number alone, for a context may live long."""


def mark_told(exception: BaseException) -> None:
    """Have `was_told` say yes of this exception, wherever it is raised on to."""
    number = next(_numbers)
    _told.append(_Told(number, exception, exception.__traceback__))
    _told_here.set(number)


def was_told(exception: object) -> bool:
    """Whether a request line or task action has this exception, as it was raised this time."""
    if not isinstance(exception, BaseException):
        return False
    return any(
        told.exception is exception and _leads_to(exception.__traceback__, told.trace)
        for told in tuple(_told)
    )


def forget_told() -> None:
    """Forget what was told in this context: a request or run begins, which may raise it again."""
    number = _told_here.get()
    if not number:
        return
    for told in tuple(_told):
        if told.number == number:
            with suppress(ValueError):  # another thread's exception has taken its place
                _told.remove(told)
    _told_here.set(0)


def _leads_to(trace: TracebackType | None, told: TracebackType | None) -> bool:
    """Whether the frames of the traceback down to the told one are callers, one of the other."""
    while trace is not told:
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
