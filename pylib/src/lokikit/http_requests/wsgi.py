"""`WsgiMiddleware`: one line per request of a WSGI application."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from lokikit.http_requests.request_ids import HEADER
from lokikit.http_requests.request_log import Request, RequestLog
from lokikit.http_requests.route_template import template
from lokikit.http_requests.user_id import flask_user_id

Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

_ENVIRON_KEY = "HTTP_X_REQUEST_ID"
_HEADER = HEADER.lower()
_ROUTE_KEY, _USER_KEY = "lokikit.route", "lokikit.user_id"


class WsgiMiddleware:
    """Logs each request of `app` in one line, when its answer is sent.

    The id of the request is bound to every line in between, and returned in the answer.

    Args:
        app: the application.
        options: arguments of `RequestLog`.

    Raises:
        SettingsError: an option or a variable of the environment is wrong.
    """

    def __init__(self, app: App, **options: Any) -> None:
        self.app = app
        self._log = RequestLog(**options)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        request = self._log.begin(environ.get(_ENVIRON_KEY), environ.get("HTTP_TRACEPARENT"))
        answer = _Answer(request, self._log, environ)

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            answer.status = int(status[:3])
            note_flask(environ)
            answer.announced_bytes = _announced(headers)
            kept = [one for one in headers if one[0].lower() != _HEADER]
            return start_response(status, [*kept, (HEADER, request.id)], *exc_info)

        try:
            answer.body = self.app(environ, start)
        except BaseException as error:
            request.exception = error
            note_flask(environ)
            answer.end()
            raise
        return answer


class _Answer:
    """The body of an answer, counted on its way; the request is logged at its end.

    A client that knows the last chunk by `Content-Length` may read no further, as test clients do.
    """

    def __init__(self, request: Request, log: RequestLog, environ: Environ) -> None:
        self.body: Iterable[bytes] = ()
        self.status = 0
        self.announced_bytes: int | None = None
        self._request = request
        self._log = log
        self._environ = environ
        self._chunks: Iterator[bytes] | None = None
        self._size_bytes = 0
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            if self._chunks is None:
                self._chunks = iter(self.body)
            chunk = next(self._chunks)
        except StopIteration:
            self.end()
            raise
        except BaseException as error:
            self._request.exception = error
            raise
        self._size_bytes += len(chunk)
        if self._size_bytes == self.announced_bytes:
            self._write_line()
        return chunk

    def close(self) -> None:
        """Close the application's body, as servers do at the end."""
        try:
            if hasattr(self.body, "close"):
                self.body.close()
        except BaseException as error:
            self._request.exception = error
            raise
        finally:
            self.end()

    def __del__(self) -> None:
        """End the request of an answer that was never closed: a dispatcher tried another answer."""
        with suppress(Exception):
            self.end()

    def end(self) -> None:
        """Log the request and leave it, once."""
        if self._ended:
            return
        self._ended = True
        self._write_line()
        self._request.leave()

    def _write_line(self) -> None:
        environ = self._environ
        peer = environ.get("REMOTE_ADDR", "")
        self._request.write(
            environ["REQUEST_METHOD"],
            wsgi_path(environ),
            route=environ.get(_ROUTE_KEY),
            status=self.status,
            size_bytes=self._size_bytes,
            client_ip=self._log.client_ip(peer, environ.get("HTTP_X_FORWARDED_FOR", "")),
            duration_ms=self._request.duration_ms(),
            user_id=environ.get(_USER_KEY),
        )


def _announced(headers: list[tuple[str, str]]) -> int | None:
    """Return the `Content-Length` of an answer, `None` without it or for no number."""
    for name, value in headers:
        if name.lower() == "content-length" and value.isdecimal():
            return int(value)
    return None


def wsgi_path(environ: Environ) -> str:
    """Return the path as text; WSGI gives its bytes as Latin-1 (PEP 3333)."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    if not path.isascii():
        path = path.encode("latin-1", "replace").decode("utf-8", "replace")
    return str(path)


def note_flask(environ: Environ) -> None:
    """Keep in `environ` the route and the user of the request that Flask serves.

    Flask drops the request at its end, and an exception may end it earlier.
    """
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    if rule is not None:
        environ[_ROUTE_KEY] = environ.get("SCRIPT_NAME", "") + template(rule.rule)
    if user_id := flask_user_id():
        environ[_USER_KEY] = user_id
