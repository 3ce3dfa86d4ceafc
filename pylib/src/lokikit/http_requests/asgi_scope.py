"""The parts of an ASGI connection that a middleware reads, and the header that it adds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, NamedTuple

from lokikit.http_requests.request_ids import HEADER, TRACE_HEADER
from lokikit.http_requests.route_template import template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_ID, _TRACE = HEADER.lower().encode(), TRACE_HEADER.encode()


class ConnectionHeaders(NamedTuple):
    """The headers of a connection that its line needs; `None` or empty without them."""

    request_id: str | None
    trace_parent: str | None
    forwarded_for: str


def read_headers(scope: Scope) -> ConnectionHeaders:
    """Return the ids of a connection, and the addresses that it was forwarded for."""
    request_id, traces, forwarded_for = None, [], []
    for name, value in scope["headers"]:
        if name == _ID:
            request_id = value.decode("latin-1")
        elif name == _TRACE:
            traces.append(value.decode("latin-1"))
        elif name == b"x-forwarded-for":
            forwarded_for.append(value.decode("latin-1"))
    # W3C Trace Context, section 3.2.1: several headers are invalid.
    return ConnectionHeaders(request_id, ",".join(traces), ",".join(forwarded_for))


def with_id(headers: Any, request_id: str) -> list[tuple[bytes, bytes]]:
    """Return the headers of an answer with the id of the request as its only one."""
    kept = [one for one in headers if one[0].lower() != _ID]
    return [*kept, (_ID, request_id.encode())]


def peer_of(scope: Scope) -> str:
    """Return the address of the client, empty on a Unix socket."""
    client = scope.get("client")
    return client[0] if client else ""


def route_of(scope: Scope) -> str | None:
    """Return the template of the route that Starlette or FastAPI has taken."""
    # FastAPI's routers that are included know their prefix only there.
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None)
    if not isinstance(path, str):
        return _route_of_endpoint(scope)
    root: str = scope.get("root_path", "")
    mounted = root[len(scope.get("app_root_path", root)) :]
    return template(mounted + path)


def _route_of_endpoint(scope: Scope) -> str | None:
    """Return the template of the only route to the endpoint, `None` with several routes.

    Starlette before 1.7 does not name the route in the scope.
    """
    endpoint, router = scope.get("endpoint"), scope.get("router")
    if endpoint is None or router is None:
        return None
    found = set(_paths_to(endpoint, getattr(router, "routes", ())))
    return template(found.pop()) if len(found) == 1 else None


def _paths_to(endpoint: Any, routes: Any, prefix: str = "") -> Iterator[str]:
    for route in routes or ():
        path = prefix + str(getattr(route, "path", ""))
        if getattr(route, "endpoint", None) is endpoint:
            yield path
        yield from _paths_to(endpoint, getattr(route, "routes", ()), path)
