"""Runs queries and pushes in threads of their own: bounded, stoppable, and apart.

Queries are few at a time, so that they never take the threads that pushes need.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from lokikit.store.errors import StoppedError

if TYPE_CHECKING:
    from lokikit.store.api.http import Receive

T = TypeVar("T")
CLIENT_LEFT = 499
TIMED_OUT = 504
_LOOKUPS = 2
_LEFT = "The request was cancelled by the client."
_LATE = (
    "Request timed out, decrease the duration of the request or add more label matchers "
    "(prefer exact match over regex match) to reduce the amount of data processed."
)


class Stop:
    """Ends a query: a call raises once the query has to stop, or has taken `timeout_s`."""

    def __init__(self, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._deadline_s = clock() + timeout_s
        self._clock = clock
        self._error: StoppedError | None = None

    def __call__(self) -> None:
        """Return while the query may go on.

        Raises:
            StoppedError: it may not.
        """
        if self._error:
            raise self._error
        if self._clock() > self._deadline_s:
            raise StoppedError(_LATE, TIMED_OUT)

    def end(self, *, late: bool) -> None:
        """Make the query stop, because its time is over or its client left."""
        self._error = StoppedError(_LATE, TIMED_OUT) if late else StoppedError(_LEFT, CLIENT_LEFT)


class Workers:
    """The threads of one server.

    Args:
        queries: that run at the same time.
        pushes: that run at the same time.
        timeout_s: of a query, waiting for its turn included.
    """

    def __init__(self, queries: int, pushes: int, timeout_s: float) -> None:
        self._queries = ThreadPoolExecutor(queries, "lokikit-query")
        self._lookups = ThreadPoolExecutor(_LOOKUPS, "lokikit-lookup")
        self._pushes = ThreadPoolExecutor(pushes, "lokikit-push")
        self._timeout_s = timeout_s

    async def push(self, work: Callable[[], T]) -> T:
        """The result of `work`, which goes on when the client leaves."""
        return await asyncio.get_running_loop().run_in_executor(self._pushes, work)

    async def query(
        self, receive: Receive, work: Callable[[Stop], T], *, is_lookup: bool = False
    ) -> T:
        """The result of `work`, which is stopped when its time is over or its client leaves.

        Args:
            receive: of the request.
            work: the query.
            is_lookup: True when it reads streams only, so that no slow query delays it.

        Raises:
            StoppedError: it was stopped.
        """
        stop = Stop(self._timeout_s)
        pool = self._lookups if is_lookup else self._queries
        running = asyncio.get_running_loop().run_in_executor(pool, _begin, work, stop)
        leaving = asyncio.ensure_future(wait_until_left(receive))
        try:
            ends: set[asyncio.Future[Any]] = {running, leaving}
            done, _ = await asyncio.wait(
                ends, timeout=self._timeout_s, return_when=asyncio.FIRST_COMPLETED
            )
            if running not in done:
                running.add_done_callback(_forget)
                stop.end(late=not done)
                stop()
            return running.result()
        finally:
            leaving.cancel()
            if not running.done():  # the server ends, and waits for its threads
                stop.end(late=True)

    def close(self) -> None:
        """Wait for what runs."""
        self._queries.shutdown(cancel_futures=True)
        self._lookups.shutdown(cancel_futures=True)
        self._pushes.shutdown()


def _begin(work: Callable[[Stop], T], stop: Stop) -> T:
    stop()
    return work(stop)


async def wait_until_left(receive: Receive) -> None:
    """Return when the client left."""
    while not (await receive())["type"].endswith(".disconnect"):
        pass


def _forget(abandoned: asyncio.Future[T]) -> None:
    """Take the error of a query that no client waits for."""
    if not abandoned.cancelled():
        abandoned.exception()
