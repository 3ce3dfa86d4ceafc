"""`AsgiMiddleware`: one line per request of an ASGI application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lokikit.http_requests.request_log import HEADER, RequestLog
from lokikit.http_requests.route_template import template

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADER = HEADER.lower().encode()
_ERROR_FROM = 500


class AsgiMiddleware:
    """Logs each HTTP request of `app` in one line, when its answer is sent.

    The id of the request is bound to every line in between, and returned in the answer. Other
    connections (websocket, lifespan) pass through.

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
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, forwarded_for = _read_headers(scope)
        request = self._log.begin(request_id)
        status = size_bytes = 0
        duration_ms: float | None = None

        def tell() -> None:
            client = scope.get("client")
            request.tell(
                scope["method"],
                scope["path"],
                route=_route(scope),
                status=status,
                size_bytes=size_bytes,
                client_ip=self._log.client_ip(client[0] if client else "", forwarded_for),
                duration_ms=request.duration_ms() if duration_ms is None else duration_ms,
            )

        async def send_on(message: Message) -> None:
            nonlocal status, size_bytes, duration_ms
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _with_id(message.get("headers", ()), request.id)}
            elif message["type"] == "http.response.body":
                size_bytes += len(message.get("body", b""))
                if not message.get("more_body"):
                    duration_ms = request.duration_ms()
            await send(message)
            # Background tasks come later and do not count; the exception behind an error is raised
            # after its answer.
            if duration_ms is not None and status < _ERROR_FROM:
                tell()

        try:
            await self.app(scope, receive, send_on)
        except BaseException as error:
            request.exception = error
            raise
        finally:
            if not request.told:
                tell()
            request.leave()


def _read_headers(scope: Scope) -> tuple[str | None, str]:
    """Return the request's id, and the addresses that it was forwarded for."""
    request_id, forwarded_for = None, []
    for name, value in scope["headers"]:
        if name == _HEADER:
            request_id = value.decode("latin-1")
        elif name == b"x-forwarded-for":
            forwarded_for.append(value.decode("latin-1"))
    return request_id, ",".join(forwarded_for)


def _with_id(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    kept = [one for one in headers if one[0].lower() != _HEADER]
    return [*kept, (_HEADER, request_id.encode())]


def _route(scope: Scope) -> str | None:
    """Return the template of the route of Starlette or FastAPI."""
    # FastAPI's routers that are included know their prefix only there.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if not isinstance(path, str):
        return None
    root: str = scope.get("root_path", "")
    mounted = root[len(scope.get("app_root_path", root)) :]
    return template(mounted + path)
