from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, Any

import pytest

import lokikit
from lokikit import fields as f
from lokikit.http_requests.access_logs import take_in_access_lines
from lokikit.output.context import bound_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = Callable[[], list[dict[str, Any]]]

ACCEPT = {"type": "websocket.accept"}
CONNECT = {"type": "websocket.connect"}


class WebSocketDisconnect(Exception):  # noqa: N818 - Starlette's name
    pass


def left(code: int | None) -> dict[str, Any]:
    return {"type": "websocket.disconnect", **({} if code is None else {"code": code})}


def closed(code: int | None) -> dict[str, Any]:
    return {"type": "websocket.close", **({} if code is None else {"code": code})}


def connect(
    *sends: dict[str, Any],
    received: tuple[dict[str, Any], ...] = (CONNECT,),
    raising: BaseException | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
    **scope: Any,
) -> list[dict[str, Any]]:
    """What is sent of an application that receives, sends and raises."""
    messages, sent = list(received), []

    async def app(_: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in sends:
            await send(message)
        logging.getLogger("shop").critical("inside")
        while messages:
            await receive()
        if raising is not None:
            raise raising

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    whole = {"type": "websocket", "path": "/ws", "headers": headers, "client": ("192.0.2.1", 5)}
    asyncio.run(lokikit.AsgiMiddleware(app)({**whole, **scope}, receive, send))
    return sent


def one_line(lines: Lines) -> dict[str, Any]:
    """The only line that is not the application's."""
    (line,) = [line for line in lines() if line[f.LOGGER] == "lokikit.requests"]
    return line


@pytest.mark.parametrize(
    ("sends", "received", "code", "level"),
    [
        ((ACCEPT, closed(None)), (CONNECT,), 1000, "info"),
        ((ACCEPT, closed(4001)), (CONNECT,), 4001, "info"),
        ((ACCEPT, closed(1011)), (CONNECT,), 1011, "error"),
        ((ACCEPT,), (CONNECT, left(1001)), 1001, "info"),
        ((ACCEPT,), (CONNECT, left(None)), 1005, "info"),
        ((ACCEPT, closed(1000)), (CONNECT, left(1006)), 1000, "info"),
        ((ACCEPT,), (CONNECT,), 1006, "info"),
    ],
    ids=["closed", "own-code", "fault", "left", "left-without", "both", "dropped"],
)
def test_a_connection_has_one_line_with_the_code_that_closed_it(
    lines: Lines, sends: Any, received: Any, code: int, level: str
) -> None:
    connect(*sends, received=received)
    line = one_line(lines)
    assert (line[f.CLOSE_CODE], line[f.LEVEL], line[f.HTTP_PATH]) == (code, level, "/ws")
    assert line[f.MESSAGE] == f"WEBSOCKET /ws {code}"
    assert line[f.CLIENT_IP] == "192.0.2.1"
    assert line[f.DURATION_MS] > 0


def test_a_connection_is_not_counted_as_a_request(lines: Lines) -> None:
    """Its duration would be the latency of a route, for hours."""
    connect(ACCEPT, closed(1000))
    assert not {f.HTTP_STATUS, f.HTTP_METHOD} & set(one_line(lines))


def test_the_id_is_on_every_line_and_in_the_handshake(lines: Lines) -> None:
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = ((b"x-request-id", b"r-17"), (b"traceparent", trace))
    accept, _ = connect(ACCEPT, closed(1000), headers=headers)
    assert accept["headers"] == [(b"x-request-id", b"r-17")]
    assert [line[f.REQUEST_ID] for line in lines()] == ["r-17", "r-17"]
    assert {line[f.TRACE_ID] for line in lines()} == {"0af7651916cd43dd8448eb211c80319c"}
    assert bound_fields() == {}


@pytest.mark.parametrize(
    ("sends", "status", "level"),
    [
        ((closed(1000),), 403, "warning"),
        (({"type": "websocket.http.response.start", "status": 401},), 401, "warning"),
        ((), 500, "error"),
    ],
    ids=["refused", "answered", "nothing"],
)
def test_a_refused_handshake_is_a_request_with_its_status(
    lines: Lines, sends: Any, status: int, level: str
) -> None:
    connect(*sends)
    line = one_line(lines)
    assert (line[f.HTTP_STATUS], line[f.HTTP_METHOD], line[f.LEVEL]) == (status, "GET", level)
    assert f.CLOSE_CODE not in line


def test_what_the_application_raises_is_in_the_line(lines: Lines) -> None:
    """With the code of servers for it."""
    with pytest.raises(KeyError):
        connect(ACCEPT, raising=KeyError("x"))
    line = one_line(lines)
    assert (line[f.CLOSE_CODE], line[f.EXC_TYPE], line[f.LEVEL]) == (1011, "KeyError", "error")


def test_that_the_client_has_left_is_no_error(lines: Lines) -> None:
    """Starlette raises it into the application, and servers log its traceback."""
    error = WebSocketDisconnect(1001)
    with pytest.raises(WebSocketDisconnect):
        connect(ACCEPT, received=(CONNECT, left(1001)), raising=error)
    logging.getLogger("uvicorn.error").critical("Exception in ASGI application", exc_info=error)
    line = one_line(lines)
    assert (line[f.CLOSE_CODE], line[f.LEVEL], f.EXC_TYPE in line) == (1001, "info", False)
    assert not any("ASGI" in line[f.MESSAGE] for line in lines())


def test_a_cancelled_connection_is_no_error(lines: Lines) -> None:
    """As when a server stops."""
    with pytest.raises(asyncio.CancelledError):
        connect(ACCEPT, raising=asyncio.CancelledError())
    assert one_line(lines)[f.LEVEL] == "info"


def test_connections_have_the_switch_of_requests(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_REQUESTS", "off")
    accept, _ = connect(ACCEPT, closed(1000))
    assert accept["headers"]
    assert [line[f.LOGGER] for line in lines()] == ["shop"]


def test_what_uvicorn_says_of_a_connection_is_left_out(lines: Lines) -> None:
    """It has no duration and no code; outside of a connection of ours it stays."""
    take_in_access_lines()
    server = logging.getLogger("uvicorn.error")
    level = server.level
    server.setLevel(logging.INFO)

    def speak() -> None:
        server.info('%s - "WebSocket %s" [accepted]', "192.0.2.1:5", "/ws")
        server.info("connection open")
        server.error("data transfer failed")

    async def app(_: Any, __: Any, send: Any) -> None:
        await send(ACCEPT)
        speak()
        await send(closed(1000))

    async def send(_: Any) -> None:
        pass

    scope = {"type": "websocket", "path": "/ws", "headers": ()}
    context = contextvars.Context()
    context.run(lambda: asyncio.run(lokikit.AsgiMiddleware(app)(scope, send, send)))
    inside = [line[f.LEVEL] for line in lines()]
    contextvars.Context().run(speak)
    server.setLevel(level)
    assert inside == ["error", "info"]
    assert len(lines()) == len(inside) + 3
