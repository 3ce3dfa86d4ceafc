"""Serves the websockets of `tail`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from lokikit.store.api.http import TEXT, ApiRequest, Receive, Send
from lokikit.store.api.work import Workers, wait_until_left
from lokikit.store.errors import QueryError, StoreError

if TYPE_CHECKING:
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.metrics import ServerCounters
    from lokikit.store.api.tail import TailRequest
    from lokikit.store.segments.store import Store

PATHS = frozenset({"/loki/api/v1/tail", "/api/prom/tail"})
_FLAGS_HEADER = "x-loki-response-encoding-flags"
_MAX_TAILS = 10
"""Loki's own default of `max_concurrent_tail_requests`."""
_NOT_FOUND = 404
_MAX_REASON = 40
"""Characters: a websocket's reason has 123 bytes at most."""
_INTERNAL_ERROR = 1011


class TailServer:
    """Tails of one store."""

    def __init__(
        self, store: Store, engine: Engine, workers: Workers, counters: ServerCounters
    ) -> None:
        self._store, self._engine, self._workers = store, engine, workers
        self._counters = counters
        self.open = 0

    async def serve(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one websocket to its end."""
        if scope["path"] not in PATHS:
            await _deny(send, "404 page not found\n", _NOT_FOUND)
            return
        request = ApiRequest({**scope, "method": "GET"}, receive)
        try:
            tail = await self._read(request)
        except StoreError as error:
            await _deny(send, str(error), error.status)
            return
        await receive()  # the message that asks for the connection
        await send({"type": "websocket.accept"})
        self.open += 1
        try:
            await self._follow(tail, receive, send)
        finally:
            self.open -= 1

    async def _read(self, request: ApiRequest) -> TailRequest:
        from lokikit.store.api.tail import read_tail  # noqa: PLC0415 - pushes start without

        flags = read_flags(request)
        tail = read_tail(await request.form(), self._engine.clock_ns(), flags)
        if self.open >= _MAX_TAILS:
            raise QueryError(
                "max concurrent tail requests limit exceeded, count > limit "
                f"({self.open + 1} > {_MAX_TAILS})"
            )
        return tail

    async def _follow(self, tail: TailRequest, receive: Receive, send: Send) -> None:
        from lokikit.store.api.tail import Queue, Tailing  # noqa: PLC0415 - pushes start without

        queue = Queue(tail.query, asyncio.get_running_loop(), self._counters)
        tailing = Tailing(self._engine, tail, queue, send)
        unsubscribe = self._store.subscribe(queue.take)
        try:
            stored = await self._workers.query(receive, tailing.read_stored)
            await _until_left(tailing.send_all(stored), receive)
        except Exception as error:  # noqa: BLE001 - the client gets the reason, unless it is gone
            message = {"type": "websocket.close", "code": _INTERNAL_ERROR}
            with contextlib.suppress(Exception):
                await send({**message, "reason": str(error)[:_MAX_REASON]})
        finally:
            unsubscribe()


async def _until_left(sending: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Send until the client leaves, or an error ends it."""
    tasks = {asyncio.ensure_future(sending), asyncio.ensure_future(wait_until_left(receive))}
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()


def read_flags(request: ApiRequest) -> tuple[str, ...]:
    """The flags of the encoding in the request."""
    return tuple(filter(None, map(str.strip, request.header(_FLAGS_HEADER).split(","))))


async def _deny(send: Send, text: str, status: int) -> None:
    """Answer the request for a websocket with an HTTP error."""
    headers = [(b"content-type", TEXT.encode())]
    start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": text.encode()})
