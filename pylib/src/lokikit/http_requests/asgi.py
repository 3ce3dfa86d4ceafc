"""`AsgiMiddleware`: one line per request of an ASGI application."""

from __future__ import annotations

from typing import Any

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
from lokikit.http_requests.request_log import RequestLog
from lokikit.http_requests.user_id import user_id
from lokikit.http_requests.websocket import serve_websocket

_ERROR_FROM = 500


class AsgiMiddleware:
    """Logs each HTTP request and each WebSocket of `app` in one line, when it ends.

    The id of the request is bound to every line in between, and returned in the answer. Other
    connections (lifespan) pass through.

    Args:
        app: the application, preferably with its error handling.
        options: arguments of `RequestLog`.

    Raises:
        SettingsError: an option or a variable of the environment is wrong.
    """

    def __init__(self, app: App, **options: Any) -> None:
        self.app = app
        self._log = RequestLog(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] == "websocket":
            await serve_websocket(self.app, self._log, scope, receive, send)
        elif scope["type"] == "http":
            await self._serve_request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _serve_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = read_headers(scope)
        request = self._log.begin(headers.request_id, headers.trace_parent)
        # Read here, because Starlette before 0.33 removes the prefix of a mounted application.
        path = scope["path"]
        status = size_bytes = 0
        duration_ms: float | None = None

        def write_line() -> None:
            request.write(
                scope["method"],
                path,
                route=route_of(scope),
                status=status,
                size_bytes=size_bytes,
                client_ip=self._log.client_ip(peer_of(scope), headers.forwarded_for),
                duration_ms=request.duration_ms() if duration_ms is None else duration_ms,
                user_id=user_id(scope.get("user")),
            )

        async def send_on(message: Message) -> None:
            nonlocal status, size_bytes, duration_ms
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": with_id(message.get("headers", ()), request.id)}
            elif message["type"] == "http.response.body":
                size_bytes += len(message.get("body", b""))
                if not message.get("more_body"):
                    duration_ms = request.duration_ms()
            await send(message)
            # Background tasks come later and do not count; the exception behind an error is raised
            # after its answer.
            if duration_ms is not None and status < _ERROR_FROM:
                write_line()

        try:
            await self.app(scope, receive, send_on)
        except BaseException as error:
            request.exception = error
            raise
        finally:
            if not request.is_logged:
                write_line()
            request.leave()
