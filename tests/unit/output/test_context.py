import asyncio
import threading
from contextvars import copy_context

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
