from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from lokikit.output.logged_exceptions import forget_logged, mark_logged, was_logged

CONSTANT = ValueError("a constant of a module")


class _Slotted(Exception):  # noqa: N818 - it is no error
    __slots__ = ()


class _Frozen(Exception):  # noqa: N818 - it is no error
    def __setattr__(self, *_: object) -> None:
        raise TypeError("frozen")


@pytest.fixture(autouse=True)
def _nothing_logged():
    CONSTANT.__traceback__ = None
    forget_logged()
    yield
    forget_logged()


def _log(error: BaseException) -> None:
    try:
        raise error  # noqa: TRY301 - what is tested
    except BaseException as raised:
        mark_logged(raised)
        raise


def _raised(function, *args):
    try:
        function(*args)
    except BaseException as error:  # noqa: BLE001 - of any kind
        return error
    return None


@pytest.mark.parametrize("error", [ValueError(), _Slotted(), _Frozen(), KeyboardInterrupt()])
def test_what_is_raised_on_is_logged(error):
    """Through any number of callers, whatever its class allows."""
    assert was_logged(_raised(lambda: _log(error)))


def test_nothing_is_set_on_the_exception():
    """It is the application's."""
    error = _raised(_log, ValueError())
    assert vars(error) == {}


def test_what_is_raised_again_is_not_logged():
    """Python puts the new traceback in front of the old one."""
    _raised(_log, CONSTANT)

    def again():
        raise CONSTANT

    assert not was_logged(_raised(again))


def test_what_a_thread_raises_again_is_not_logged():
    """Whoever logged it before."""
    _raised(_log, CONSTANT)
    seen = []

    def again():
        try:
            raise CONSTANT
        except ValueError as error:
            seen.append(was_logged(error))

    thread = threading.Thread(target=again)
    thread.start()
    thread.join()
    assert seen == [False]


def test_what_a_later_request_raises_from_the_same_place_is_not_logged():
    """A pool that raises its stored error, say."""
    for _ in range(2):
        forget_logged()
        assert not was_logged(CONSTANT)
        _raised(_log, CONSTANT)
        assert was_logged(CONSTANT)


def test_a_traceback_that_was_taken_off_is_another_raising():
    """`raise error.with_traceback(None)`."""
    _raised(_log, CONSTANT)

    def again():
        raise CONSTANT.with_traceback(None)

    assert not was_logged(_raised(again))


def test_what_is_raised_on_by_name_is_logged():
    """`raise error` in the block that caught it."""

    def catch():
        try:
            _log(ValueError())
        except ValueError as error:  # noqa: TRY203 - what is tested
            raise error  # noqa: TRY201 - what is tested

    assert was_logged(_raised(catch))


def test_what_a_task_or_thread_raised_is_logged_where_it_is_waited_for():
    """Futures raise it on."""

    async def fail():
        await asyncio.sleep(0)
        _log(ValueError())

    async def main():
        await asyncio.create_task(fail())

    assert was_logged(_raised(lambda: asyncio.run(main())))
    with ThreadPoolExecutor(1) as pool:
        assert was_logged(_raised(pool.submit(_log, ValueError()).result))
