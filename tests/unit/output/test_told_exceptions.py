from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lokikit.output.told_exceptions import forget_told, mark_told, was_told

CONSTANT = ValueError("a constant of a module")


class _Slotted(Exception):  # noqa: N818 - it is no error
    __slots__ = ()


class _Frozen(Exception):  # noqa: N818 - likewise
    def __setattr__(self, *_: object) -> None:
        raise TypeError("frozen")


@pytest.fixture(autouse=True)
def _nothing_told():
    CONSTANT.__traceback__ = None
    forget_told()
    yield
    forget_told()


def _tell(error: BaseException) -> None:
    try:
        raise error  # noqa: TRY301 - what is tested
    except BaseException as raised:
        mark_told(raised)
        raise


def _raised(function, *args):
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001 - of any kind
        return error
    return None


@pytest.mark.parametrize("error", [ValueError(), _Slotted(), _Frozen(), KeyboardInterrupt()])
def test_what_is_raised_on_is_told(error):
    """Through any number of callers, whatever its class allows."""
    assert was_told(_raised(lambda: _tell(error)))


def test_nothing_is_set_on_the_exception():
    """It is the application's."""
    error = _raised(_tell, ValueError())
    assert vars(error) == {}


def test_what_is_raised_again_is_not_told():
    """Python puts the new traceback in front of the old one."""
    _raised(_tell, CONSTANT)

    def again():
        raise CONSTANT

    assert not was_told(_raised(again))


def test_what_a_thread_raises_again_is_not_told():
    """Whoever told it before."""
    _raised(_tell, CONSTANT)
    seen = []

    def again():
        try:
            raise CONSTANT
        except ValueError as error:
            seen.append(was_told(error))

    thread = threading.Thread(target=again)
    thread.start()
    thread.join()
    assert seen == [False]


def test_what_a_later_request_raises_from_the_same_place_is_not_told():
    """A pool that raises its stored error, say."""
    for _ in range(2):
        forget_told()
        assert not was_told(CONSTANT)
        _raised(_tell, CONSTANT)
        assert was_told(CONSTANT)


def test_a_traceback_that_was_taken_off_is_another_raising():
    """`raise error.with_traceback(None)`."""
    _raised(_tell, CONSTANT)

    def again():
        raise CONSTANT.with_traceback(None)

    assert not was_told(_raised(again))


def test_what_is_raised_on_by_name_is_told():
    """`raise error` in the block that caught it."""

    def catch():
        try:
            _tell(ValueError())
        except ValueError as error:  # noqa: TRY203 - what is tested
            raise error  # noqa: TRY201 - likewise

    assert was_told(_raised(catch))


def test_what_a_task_or_thread_raised_is_told_where_it_is_waited_for():
    """Futures raise it on."""

    async def fail():
        await asyncio.sleep(0)
        _tell(ValueError())

    async def main():
        await asyncio.create_task(fail())

    assert was_told(_raised(lambda: asyncio.run(main())))
    with ThreadPoolExecutor(1) as pool:
        assert was_told(_raised(pool.submit(_tell, ValueError()).result))
