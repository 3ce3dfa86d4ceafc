import asyncio
import functools
import inspect
import threading
from contextlib import ExitStack
from contextvars import Context, copy_context

import pytest

from lokikit.output.context import bind, bound, bound_fields, unbind


@pytest.fixture(autouse=True)
def _own_context():
    yield
    unbind()


def test_bound_fields_end_with_the_block():
    """What a block binds is gone behind it, what was bound before stays."""
    bind(a=1)
    with bound(b=2):
        assert bound_fields() == {"a": 1, "b": 2}
    assert bound_fields() == {"a": 1}


def test_bound_fields_end_when_the_block_raises():
    """An exception leaves nothing bound."""
    with pytest.raises(ZeroDivisionError), bound(a=1):
        raise ZeroDivisionError
    assert bound_fields() == {}


def test_the_inner_value_wins():
    """A name bound again inside a block has its former value back behind it."""
    with bound(a=1), bound(a=2):
        assert bound_fields() == {"a": 2}


def test_unbind_takes_off_what_is_named():
    """Other fields stay."""
    bind(a=1, b=2)
    unbind("a", "never bound")
    assert bound_fields() == {"b": 2}


def test_bound_decorates_a_function():
    """Each call has the fields."""

    @bound(a=1)
    def work():
        return dict(bound_fields())

    assert [work(), work()] == [{"a": 1}, {"a": 1}]
    assert bound_fields() == {}


def test_threads_do_not_see_each_other():
    """A new thread starts with nothing bound, and keeps what it binds to itself."""
    bind(a=1)
    seen = {}

    def work():
        seen["at start"] = dict(bound_fields())
        bind(b=2)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen["at start"].get("b") is None
    assert bound_fields() == {"a": 1}


def test_tasks_inherit_and_keep_apart():
    """An asyncio task sees what its creator bound, and its sibling sees nothing of it."""

    async def child(number):
        bind(child=number)
        await asyncio.sleep(0)
        return dict(bound_fields())

    async def main():
        bind(parent=1)
        return await asyncio.gather(child(1), child(2)), dict(bound_fields())

    children, parent = copy_context().run(asyncio.run, main())
    assert children == [{"parent": 1, "child": 1}, {"parent": 1, "child": 2}]
    assert parent == {"parent": 1}


class _Callable:
    def __call__(self):
        return dict(bound_fields())


class _AsyncCallable:
    async def __call__(self):
        return dict(bound_fields())


async def _coroutine_function():
    await asyncio.sleep(0)
    return dict(bound_fields())


class _Methods:
    @bound(a=1)
    def method(self):
        return dict(bound_fields())

    @bound(a=1)
    @classmethod
    def of_class(cls):
        return dict(bound_fields())

    @bound(a=1)
    @staticmethod
    def static():
        return dict(bound_fields())


@pytest.mark.parametrize(
    "function",
    [
        _Callable(),
        functools.partial(lambda _: dict(bound_fields()), 1),
        _Methods().method,
        _Methods.of_class,
        _Methods().static,
    ],
)
def test_bound_decorates_callables_of_any_kind(function):
    """Objects, partial functions and methods."""
    decorated = function if inspect.isroutine(function) else bound(a=1)(function)
    assert decorated() == {"a": 1}
    assert bound_fields() == {}


@pytest.mark.parametrize(
    "function",
    [
        _coroutine_function,
        functools.partial(_coroutine_function),
        _AsyncCallable(),
        lambda: _coroutine_function(),  # noqa: PLW0108 - a plain function that returns a coroutine
    ],
)
def test_bound_decorates_what_is_awaited(function):
    """The fields are there whenever the coroutine runs."""
    assert asyncio.run(bound(a=1)(function)()) == {"a": 1}


def test_a_decorated_coroutine_function_is_one():
    """Frameworks ask."""
    assert inspect.iscoroutinefunction(bound(a=1)(_coroutine_function))


@pytest.mark.parametrize("hidden", [False, True])
def test_bound_decorates_a_generator(hidden):
    """Its steps have the fields, what its consumer does in between has not."""

    def work():
        yield dict(bound_fields())
        yield dict(bound_fields())

    decorated = bound(a=1)((lambda: work()) if hidden else work)  # noqa: PLW0108 - hides its kind
    assert [(item, dict(bound_fields())) for item in decorated()] == [({"a": 1}, {})] * 2


@pytest.mark.parametrize("hidden", [False, True])
def test_bound_decorates_an_asynchronous_generator(hidden):
    """Likewise."""

    async def work():
        yield dict(bound_fields())
        await asyncio.sleep(0)
        yield dict(bound_fields())

    decorated = bound(a=1)((lambda: work()) if hidden else work)  # noqa: PLW0108 - hides its kind

    async def main():
        return [(item, dict(bound_fields())) async for item in decorated()]

    assert asyncio.run(main()) == [({"a": 1}, {})] * 2


def test_an_async_generator_may_be_closed_from_another_task():
    """Neither task has its fields afterwards, and what was bound before is back."""

    async def work():
        with bound(a=1, b=2):
            yield

    async def main():
        bind(a="before")
        left = work()
        await anext(left)
        in_closer = await asyncio.create_task(_close(left))
        return in_closer, dict(bound_fields())

    async def _close(left):
        await left.aclose()
        return dict(bound_fields())

    assert Context().run(asyncio.run, main()) == ({"a": "before"}, {"a": "before"})


def test_a_block_may_be_closed_from_another_thread():
    """An exit stack that is closed by a pool's thread, say."""
    stack = ExitStack()
    stack.enter_context(bound(a=1))
    raised = []

    def close():
        try:
            stack.close()
        except ValueError as error:
            raised.append(error)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join()
    assert raised == []
    assert bound_fields() == {}


def test_one_bound_object_serves_many_blocks_at_once():
    """Of tasks that overlap, each ending its own."""
    block = bound(a=1)

    async def work(first, second):
        with block:
            first.set()
            await second.wait()
            inside = dict(bound_fields())
        return inside, dict(bound_fields())

    async def main():
        one, two = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(work(one, two), work(two, one))

    assert asyncio.run(main()) == [({"a": 1}, {}), ({"a": 1}, {})]


def test_one_bound_object_may_be_nested():
    """In exit stacks too, whose frames are gone when they end."""
    block = bound(a=1)
    with block, ExitStack() as stack:
        stack.enter_context(block)
        with block:
            pass
        assert bound_fields() == {"a": 1}
    assert bound_fields() == {}
