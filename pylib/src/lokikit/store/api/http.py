"""HTTP over ASGI in as few lines as this API needs: a framework would double the start-up time."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from lokikit.store.errors import PushError, QueryError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

JSON = "application/json; charset=UTF-8"
PLAIN_JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
_NOT_FOUND = 404
_WRONG_METHOD = 405
TOO_LARGE = 413
_FORM = "application/x-www-form-urlencoded"
_MAX_FORM_BYTES = 10 << 20
_MAX_FIELDS = 1000
_BAD_PAIR = re.compile(rb"%(?![0-9a-fA-F]{2})[^&]{0,2}|;")
_DOUBLE_SLASHES = re.compile(r"/{2,}")


@dataclass(frozen=True)
class Response:
    """One answer; an empty content type sends none."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def send_by(self, send: Send) -> None:
        """Send it."""
        headers = [*self.headers, (b"content-length", str(len(self.body)).encode())]
        if self.content_type:
            headers.append((b"content-type", self.content_type.encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def json_response(content: Any, content_type: str = JSON) -> Response:
    """200 with `content` as JSON, a line end behind it as Loki's."""
    return Response(200, orjson.dumps(content) + b"\n", content_type)


def text_response(text: str, status: int = 200) -> Response:
    """An answer of plain text."""
    return Response(status, text.encode(errors="replace"), TEXT)


class DisconnectedError(Exception):
    """Raised when the client left before its request was complete."""


class ApiRequest:
    """One request."""

    def __init__(self, scope: Mapping[str, Any], receive: Receive) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.values: tuple[str, ...] = ()
        self.receive = receive
        self._headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }

    def header(self, name: str) -> str:
        """The value of a header; empty when the request has none of this name."""
        return self._headers.get(name, "")

    async def body(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            PushError: it is larger than `max_bytes`.
            DisconnectedError: the client left.
        """
        parts, size = [], 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise DisconnectedError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > max_bytes:
                raise PushError(f"request body too large: more than {max_bytes} bytes", TOO_LARGE)
            if not message.get("more_body"):
                return b"".join(parts)

    async def form(self, *, is_strict: bool = True) -> Form:
        """The parameters of the URL, and of the body of a form before them.

        Args:
            is_strict: refuse what is no escape, and semicolons; Loki's `format_query` does not.

        Raises:
            QueryError: there are too many, or one is wrong.
        """
        pairs = self.query
        if self.method == "POST" and self.header("content-type").startswith(_FORM):
            pairs = b"&".join(filter(None, (await self.body(_MAX_FORM_BYTES), pairs)))
        if is_strict and (found := _BAD_PAIR.search(pairs)):
            shown = found[0].decode("ascii", "replace")
            semicolon = "invalid semicolon separator in query"
            raise QueryError(semicolon if shown == ";" else f'invalid URL escape "{shown}"')
        try:
            # Bytes that are no UTF-8 stay known: a query that has them is refused.
            text = pairs.decode("utf-8", "surrogateescape")
            return Form(
                parse_qsl(
                    text,
                    keep_blank_values=True,
                    errors="surrogateescape",
                    max_num_fields=_MAX_FIELDS,
                )
            )
        except ValueError as error:
            raise QueryError(f"the parameters of the request are wrong: {error}") from error


class Form:
    """The parameters of a request.

    Args:
        pairs: names and values, the first of a name counts.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def get(self, name: str) -> str:
        """The first value of this name; empty when there is none."""
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """All values of this name."""
        return [value for key, value in self._pairs if key == name]


@dataclass(frozen=True)
class Route:
    """What answers a path; the handler gets the part of the path for which `{}` stands."""

    path: str
    methods: frozenset[str]
    handler: Callable[[ApiRequest], Awaitable[Response]]


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._exact = {route.path: route for route in routes if "{}" not in route.path}
        self._patterns = [
            (re.compile(re.escape(route.path).replace(r"\{\}", "([^/]+)")), route)
            for route in routes
            if "{}" in route.path
        ]

    async def answer(self, request: ApiRequest) -> Response:
        """The answer of the route's handler, or Loki's to a path or method it does not know."""
        if "//" in request.path:
            return _redirect(request)
        route = self._exact.get(request.path) or self._match(request)
        if route is None:
            return not_found()
        if request.method not in route.methods:
            return Response(_WRONG_METHOD)
        return await route.handler(request)

    def _match(self, request: ApiRequest) -> Route | None:
        for pattern, route in self._patterns:
            if found := pattern.fullmatch(request.path):
                request.values = found.groups()
                return route
        return None


def not_found() -> Response:
    """Loki's answer to an unknown path."""
    return text_response("404 page not found\n", _NOT_FOUND)


def _redirect(request: ApiRequest) -> Response:
    target = _DOUBLE_SLASHES.sub("/", request.path).encode()
    location = target + (b"?" + request.query if request.query else b"")
    return Response(301, headers=((b"location", location),))
