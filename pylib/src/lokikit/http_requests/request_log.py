"""A line per request: the common part of the middlewares of WSGI, ASGI and Django."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from lokikit import fields as f
from lokikit.http_requests.client_address import is_within, plain_address
from lokikit.http_requests.request_ids import ids_of
from lokikit.http_requests.served import ServedRequest, are_logged_here, remember_path, served
from lokikit.output.context import bound_fields, reset_bound, set_bound, take_back
from lokikit.output.event_log import (
    Place,
    drop_duplicate_records,
    log_event,
    raised_in,
    repeats_exception,
)
from lokikit.output.logged_exceptions import forget_logged, mark_logged, was_logged
from lokikit.settings import parse_networks, read_settings, words_of

_logger = logging.getLogger("lokikit.requests")
_PLACE = Place(__file__, 1, "request")
_CLIENT_CLOSED = 499
"""Status without an answer, because the client went away; nginx's number for it."""
_WARNING_FROM, _ERROR_FROM = 400, 500
_SERVER_ERROR = 500
_SERVER_LOGGERS = ("gunicorn.error", "hypercorn.error", "uvicorn.error")
_ACCESS_LOGGERS = ("hypercorn.access", "uvicorn.access", "werkzeug")

_NO_IDS: Mapping[str, str] = MappingProxyType({})

_current: ContextVar[Request | None] = ContextVar("lokikit_request", default=None)


def current_id() -> str | None:
    """Return the id of the request that this context serves."""
    bound_id = bound_fields().get(f.REQUEST_ID)
    return str(bound_id) if bound_id else None


class RequestLog:
    """The request log of an application; arguments left out are read from the environment.

    Args:
        slow_s: duration from which the line is a warning: `LOG_SLOW_S`.
        health_paths: paths without a line, unless the answer is an error: `LOG_HEALTH_PATHS`.
        trusted_proxies: addresses and networks whose `X-Forwarded-For` is trusted:
            `TRUSTED_PROXIES`.

    Raises:
        SettingsError: an argument or a variable of the environment is wrong.
    """

    def __init__(
        self,
        *,
        slow_s: float | None = None,
        health_paths: str | Iterable[str] | None = None,
        trusted_proxies: str | Iterable[str] | None = None,
    ) -> None:
        settings = read_settings().requests
        self.enabled = settings.enabled
        self.slow_s = settings.slow_s if slow_s is None else slow_s
        self.health_paths = frozenset(
            settings.health_paths if health_paths is None else words_of(health_paths)
        )
        self._proxies = (
            settings.trusted_proxies
            if trusted_proxies is None
            else parse_networks(words_of(trusted_proxies), "trusted_proxies")
        )
        self._is_trusted = lru_cache(maxsize=4096)(self._find_trusted)
        if self.enabled:
            for name in _SERVER_LOGGERS:
                drop_duplicate_records(name, repeats_exception)
        for name in _ACCESS_LOGGERS:
            drop_duplicate_records(name, are_logged_here)

    def begin(self, given_id: str | None, trace_parent: str | None = None) -> Request:
        """Begin a request, with its id bound; call `leave` at its end."""
        return Request(self, ids_of(given_id, trace_parent))

    def write(  # noqa: PLR0913 - the fields of the contract
        self,
        method: str,
        path: str,
        *,
        status: int,
        route: str | None = None,
        duration_ms: float | None = None,
        size_bytes: int | None = None,
        client_ip: str = "",
        user_id: str | None = None,
        ids: Mapping[str, str] = _NO_IDS,
        exception: BaseException | None = None,
    ) -> None:
        """Log a request, unless request lines are off or it is a health check that passed.

        Args:
            method: `GET` and so on.
            path: path of the request, without its query.
            status: status of the answer; 0 when none was begun.
            route: template of the path; `None`, as for the next arguments, when unknown.
            duration_ms: milliseconds until the answer was sent.
            size_bytes: size of the answer's body.
            client_ip: see `client_ip`.
            user_id: id of the user who was logged in.
            ids: ids of `ids_of`.
            exception: exception of the application.
        """
        if not self.enabled:
            return
        error = exception if isinstance(exception, Exception) else None
        status = status or (_SERVER_ERROR if error is exception else _CLIENT_CLOSED)
        if path in self.health_paths and status < _WARNING_FROM and error is None:
            return
        fields: dict[str, Any] = {**ids, f.HTTP_METHOD: method}
        if route is not None:
            fields[f.HTTP_ROUTE] = route
        fields[f.HTTP_PATH] = path
        fields[f.HTTP_STATUS] = status
        if duration_ms is not None:
            fields[f.DURATION_MS] = duration_ms
        if size_bytes is not None:
            fields[f.BYTES] = size_bytes
        if client_ip:
            fields[f.CLIENT_IP] = client_ip
        if user_id:
            fields[f.USER_ID] = user_id
        slow = duration_ms is not None and duration_ms >= self.slow_s * 1000
        text = ("%s %s %d", method, path, status)
        level = logging.ERROR if error else _level(status, slow=slow)
        log_event(_logger, level, text, fields=fields, place=_PLACE, exception=error)

    def client_ip(self, peer: str, forwarded_for: str) -> str:
        """Return the client's address: the last address that is no trusted proxy.

        Args:
            peer: address of the connection; empty on a Unix socket, which a proxy uses.
            forwarded_for: `X-Forwarded-For`, to which each proxy adds its client's address.
        """
        peer = plain_address(peer) or peer
        if not self._proxies or not forwarded_for:
            return peer
        for hop in reversed([plain_address(one) for one in words_of(forwarded_for)]):
            if not self._is_trusted(peer) or hop is None:
                break
            peer = hop
        return peer

    def _find_trusted(self, peer: str) -> bool:
        return is_within(peer, self._proxies) if peer else True


class Request:
    """A request, from its beginning to its line; `given_id` is the id in its header."""

    __slots__ = (
        "_bound",
        "_fields",
        "_log",
        "_outer",
        "_outer_fields",
        "_outer_service",
        "_service",
        "_started_s",
        "exception",
        "ids",
        "is_logged",
    )

    def __init__(self, log: RequestLog, ids: Mapping[str, str]) -> None:
        self.ids = {f.REQUEST_ID: os.urandom(16).hex(), **ids}
        self.exception: BaseException | None = None
        self.is_logged = False
        forget_logged()
        self._log = log
        self._started_s = time.perf_counter()
        self._outer_fields = bound_fields()
        self._fields = {**self._outer_fields, **self.ids}
        self._bound = set_bound(self._fields)
        self._outer = _current.set(self if log.enabled else None)
        outer = served.get()
        self._outer_service = None if outer is None or outer.has_ended else outer
        self._service = ServedRequest()
        served.set(self._service)

    @property
    def id(self) -> str:
        """Return the id of the request itself."""
        return self.ids[f.REQUEST_ID]

    def duration_ms(self) -> float:
        """Return the milliseconds since its beginning."""
        return round((time.perf_counter() - self._started_s) * 1000, 3)

    def leave(self) -> None:
        """Unbind its id; another thread or task may call this."""
        self._service.has_ended = True
        if self._outer_service is not None and served.get() is self._service:
            served.set(self._outer_service)
        try:
            _current.reset(self._outer)
            reset_bound(self._bound)
        except ValueError:
            take_back(self.ids, self._fields, self._outer_fields)

    def write(self, method: str, path: str, **known: Any) -> None:
        """Log the request, once; takes the arguments of `RequestLog.write`."""
        if self.is_logged:
            return
        self.is_logged = True
        self._service.path = path
        remember_path(path)
        self._log.write(method, path, ids=self.ids, exception=self.exception, **known)


def _level(status: int, *, slow: bool) -> int:
    if status >= _ERROR_FROM:
        return logging.ERROR
    return logging.WARNING if slow or status >= _WARNING_FROM else logging.INFO


def takes_exception(record: logging.LogRecord) -> bool:
    """Return True when the exception of the record is in the line of the current request.

    For `drop_duplicate_records`, of frameworks that log an exception before the middleware
    sees the answer.
    """
    exception, request = raised_in(record), _current.get()
    if exception is None or was_logged(exception):
        return exception is not None
    if request is None or request.is_logged:
        return False
    request.exception = exception
    mark_logged(exception)
    return True
