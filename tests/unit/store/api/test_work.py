import asyncio
import threading

import pytest

from lokikit.store.api.work import Stop, Workers
from lokikit.store.errors import StoppedError


async def stays():
    await asyncio.Event().wait()


def run(work, receive=stays, timeout_s=30.0):
    workers = Workers(1, 1, timeout_s)
    try:
        return asyncio.run(workers.query(receive, work))
    finally:
        workers.close()


def until_stopped(stop):
    while True:
        stop()


def test_result_of_a_query_is_given():
    assert run(lambda _: 5) == 5


def test_query_that_takes_too_long_is_stopped():
    with pytest.raises(StoppedError) as stopped:
        run(until_stopped, timeout_s=0.05)
    assert stopped.value.status == 504


@pytest.mark.parametrize("kind", ["http.disconnect", "websocket.disconnect"])
def test_query_of_a_client_that_left_is_stopped(kind):
    ended = threading.Event()

    def work(stop):
        try:
            until_stopped(stop)
        finally:
            ended.set()

    async def leaves():
        return {"type": kind}

    with pytest.raises(StoppedError) as stopped:
        run(work, leaves)
    assert stopped.value.status == 499
    assert ended.wait(10)


def test_query_that_waits_too_long_for_its_turn_does_not_begin():
    now_s = 0.0
    stop = Stop(1.0, lambda: now_s)
    stop()
    now_s = 2.0
    with pytest.raises(StoppedError):
        stop()


def test_pushes_have_threads_of_their_own():
    workers = Workers(1, 1, 30.0)
    pushed = threading.Event()

    async def both():
        query = asyncio.ensure_future(workers.query(stays, lambda _: pushed.wait(10)))
        await workers.push(pushed.set)
        return await query

    try:
        assert asyncio.run(both())
    finally:
        workers.close()


def test_lookups_do_not_wait_for_queries():
    workers = Workers(1, 1, 30.0)
    looked_up = threading.Event()

    async def both():
        query = asyncio.ensure_future(workers.query(stays, lambda _: looked_up.wait(10)))
        await workers.query(stays, lambda _: looked_up.set(), is_lookup=True)
        return await query

    try:
        assert asyncio.run(both())
    finally:
        workers.close()


def test_query_of_a_server_that_ends_is_stopped():
    workers = Workers(1, 1, 30.0)
    began = threading.Event()

    def work(stop):
        began.set()
        until_stopped(stop)

    async def cancelled():
        query = asyncio.ensure_future(workers.query(stays, work))
        await asyncio.to_thread(began.wait, 10)
        query.cancel()
        with pytest.raises(asyncio.CancelledError):
            await query

    asyncio.run(cancelled())
    workers.close()
