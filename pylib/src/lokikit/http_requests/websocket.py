"""A WebSocket of an ASGI application: one line at its end, or a request line for its refusal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lokikit import fields as f
from lokikit.http_requests.asgi_scope import (
    App,
    Message,
    Receive,
    Scope,
    Send,
    peer_of,
    read_headers,
    route_of,
    with_id,
)
from lokikit.http_requests.user_id import user_id
from lokikit.output.event_log import Place, log_event
from lokikit.output.logged_exceptions import mark_logged

if TYPE_CHECKING:
    from lokikit.http_requests.request_log import RequestLog

_logger = logging.getLogger("lokikit.requests")
_PLACE = Place(__file__, 1, "websocket")
_NORMAL, _NO_CODE, _ABNORMAL, _INTERNAL_ERROR = 1000, 1005, 1006, 1011
"""Close codes (RFC 6455, section 7.4.1)."""
_REFUSED = 403
"""Status with which servers refuse when an application closes before it accepts (ASGI)."""


async def serve_websocket(
    app: App, log: RequestLog, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serve a connection, with its id bound to every line in between."""
    connection = _WebSocket(log, scope, receive, send)
    try:
        await app(scope, connection.receive, connection.send)
    except BaseException as error:
        connection.fail(error)
        raise
    finally:
        connection.end()


class _WebSocket:
    """The state of a connection, read from its messages."""

    def __init__(self, log: RequestLog, scope: Scope, receive: Receive, send: Send) -> None:
        self._log = log
        self._scope = scope
        self._path = scope["path"]
        self._receive = receive
        self._send = send
        self._headers = read_headers(scope)
        self._request = log.begin(self._headers.request_id, self._headers.trace_parent)
        self._accepted = False
        self._status = 0
        self._close_code: int | None = None

    async def receive(self) -> Message:
        """Return the next message of the client."""
        message = await self._receive()
        if message["type"] == "websocket.disconnect":
            self._close(message.get("code") or _NO_CODE)
        return message

    async def send(self, message: Message) -> None:
        """Pass a message of the application on."""
        kind = message["type"]
        if kind in {"websocket.accept", "websocket.http.response.start"}:
            headers = with_id(message.get("headers") or (), self._request.id)
            message = {**message, "headers": headers}
        if kind == "websocket.accept":
            self._accepted = True
        elif kind == "websocket.http.response.start":
            self._status = message["status"]
        elif kind == "websocket.close":
            self._status = self._status or _REFUSED
            self._close(message.get("code") or _NORMAL)
        await self._send(message)

    def _close(self, code: int) -> None:
        if self._close_code is None:
            self._close_code = code

    def fail(self, error: BaseException) -> None:
        """Record an exception of the application, unless the client has disconnected."""
        if self._close_code is not None and _is_disconnect(error):
            mark_logged(error)
            return
        self._request.exception = error
        if isinstance(error, Exception):
            self._close(_INTERNAL_ERROR)

    def end(self) -> None:
        """Log the connection and leave it."""
        request = self._request
        route, user = route_of(self._scope), user_id(self._scope.get("user"))
        client_ip = self._log.client_ip(peer_of(self._scope), self._headers.forwarded_for)
        if not self._accepted:
            request.write(
                "GET",
                self._path,
                status=self._status,
                size_bytes=0,
                route=route,
                duration_ms=request.duration_ms(),
                client_ip=client_ip,
                user_id=user,
            )
        elif self._log.enabled:
            request.is_logged = True
            self._log_connection(route, client_ip, user)
        request.leave()

    def _log_connection(self, route: str | None, client_ip: str, user: str | None) -> None:
        """Log an accepted connection; without a status, for it is no request to be counted."""
        # A server drops the connection of an application that ends without closing it.
        code = self._close_code or _ABNORMAL
        fields = {
            **self._request.ids,
            f.HTTP_ROUTE: route,
            f.HTTP_PATH: self._path,
            f.CLOSE_CODE: code,
            f.DURATION_MS: self._request.duration_ms(),
            f.CLIENT_IP: client_ip or None,
            f.USER_ID: user,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        raised = self._request.exception
        error = raised if isinstance(raised, Exception) else None
        level = logging.ERROR if error or code == _INTERNAL_ERROR else logging.INFO
        text = ("WEBSOCKET %s %d", self._path, code)
        log_event(_logger, level, text, fields=fields, place=_PLACE, exception=error)


def _is_disconnect(error: BaseException) -> bool:
    """Return True for the exception by which Starlette reports that the client has gone."""
    return any(kind.__name__ == "WebSocketDisconnect" for kind in type(error).__mro__)
