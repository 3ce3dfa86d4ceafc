"""`wrap`: puts each call of any kind of callable inside context managers."""

from __future__ import annotations

import inspect
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AbstractContextManager, ExitStack
from functools import update_wrapper
from typing import Any, TypeVar

Function = TypeVar("Function", bound="Callable[..., Any]")
Block = AbstractContextManager[Any]
Begin = Callable[[], tuple[Block, Callable[[], Block]]]
"""Returns, for each call, a block around all of it, and a function for a block around each step."""


def wrap(function: Function, begin: Begin) -> Function:
    """Return the function inside blocks: the same kind of callable, with the same name.

    A step is the whole call of a function or coroutine, or the code of a generator between two of
    its items; the consumer runs between two steps. When a plain function returns a coroutine or a
    generator, as a decorated function may, the blocks end with that.

    Args:
        function: any callable; a `staticmethod` or `classmethod` is wrapped inside.
        begin: returns the blocks of a call.
    """
    wrapped: Any
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__, begin))
    if _is(inspect.isasyncgenfunction, function):
        wrapped = _asynchronous_generator(function, begin)
    elif _is(inspect.isgeneratorfunction, function):
        wrapped = _generator(function, begin)
    elif _is(inspect.iscoroutinefunction, function):
        wrapped = _coroutine(function, begin)
    else:
        wrapped = _function(function, begin)
    update_wrapper(wrapped, function)
    done: Function = wrapped
    return done


def _is(kind: Callable[[Any], bool], function: Any) -> bool:
    """Return True when the callable, or the `__call__` of an object, is of the kind."""
    return kind(function) or kind(getattr(type(function), "__call__", None))  # noqa: B004 - the kind of `__call__` counts


def _function(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        whole, step = begin()
        with step(), ExitStack() as stack:
            stack.enter_context(whole)
            result = function(*args, **kwargs)
            later = _end_later(result, whole, step)
            if later is None:
                return result
            stack.pop_all()
            return later

    return call


def _end_later(result: Any, whole: Block, step: Callable[[], Block]) -> Any:
    """Return a result that ends the block at its own end; `None` for plain values."""

    def go_on() -> tuple[Block, Callable[[], Block]]:
        return _Entered(whole), step

    if inspect.isgenerator(result):
        return _generator(lambda: result, go_on)()
    if inspect.isasyncgen(result):
        return _asynchronous_generator(lambda: result, go_on)()
    if _is_future(result):
        result.add_done_callback(lambda future: _end_with_future(future, whole))
        return result
    # An awaitable that is a context manager too (`async with session.get(…)`) must stay as it is.
    if isinstance(result, Awaitable) and not hasattr(result, "__aenter__"):
        return _coroutine(lambda: result, go_on)()
    return None


class _Entered(AbstractContextManager[None]):
    """The end of a block that has been entered."""

    def __init__(self, block: Block) -> None:
        self._block = block

    def __exit__(self, *raised: Any) -> bool | None:  # noqa: PYI036 - passed on as they are
        return self._block.__exit__(*raised)


def _is_future(result: Any) -> bool:
    """Return True for a future of asyncio, without importing asyncio."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and bool(asyncio.isfuture(result))


def _end_with_future(future: Any, block: Block) -> None:
    cancelled = sys.modules["asyncio"].CancelledError
    error = cancelled() if future.cancelled() else future.exception()
    block.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


def _coroutine(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        whole, step = begin()
        with step(), whole:
            return await function(*args, **kwargs)

    return call


def _generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    def walk(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        whole, step = begin()
        with whole:
            steps = function(*args, **kwargs)
            advance, value = steps.send, None
            while True:
                try:
                    with step():
                        item = advance(value)
                except StopIteration as end:
                    return end.value
                try:
                    advance, value = steps.send, (yield item)
                except GeneratorExit:
                    with step():
                        steps.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
                    advance, value = steps.throw, error

    return walk


def _asynchronous_generator(function: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    async def walk(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        whole, step = begin()
        with whole:
            steps = function(*args, **kwargs)
            advance, value = steps.asend, None
            while True:
                try:
                    with step():
                        item = await advance(value)
                except StopAsyncIteration:
                    return
                try:
                    advance, value = steps.asend, (yield item)
                except GeneratorExit:
                    with step():
                        await steps.aclose()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the generator's to handle
                    advance, value = steps.athrow, error

    return walk
