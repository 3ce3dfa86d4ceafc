"""Django: `LOGGING = lokikit.django.logging_config("shop")`, and a line per request."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from asgiref.sync import markcoroutinefunction

from lokikit.http_requests.request_ids import HEADER
from lokikit.http_requests.request_log import Request, RequestLog, takes_exception
from lokikit.http_requests.route_template import template
from lokikit.http_requests.served import are_logged_here, is_served_here
from lokikit.http_requests.user_id import user_id
from lokikit.output.event_log import drop_duplicate_records
from lokikit.setup import logging_config as _logging_config
from lokikit.tasks.task import Run, function_place

_SQL = "django.db.backends"
_LOGS_COMMANDS = "_logs_lokikit_commands"
_LEFT_OUT = {"dbshell", "runserver", "runworker", "shell", "shell_plus", "test", "testserver"}
"""Management commands that are no task."""
_ID_KEY = "HTTP_X_REQUEST_ID"
"""Key in `META`; `headers` would first make a dictionary of all headers."""


def logging_config(
    service: str | None = None, *, sql: bool = False, mail_admins: bool = False, **arguments: Any
) -> dict[str, Any]:
    """Return a value of Django's setting `LOGGING` that makes all loggers write lines of the kit.

    Args:
        service: name of the service, as in `setup_json_logging`.
        sql: True logs each query at DEBUG, if Django's `DEBUG` is on.
        mail_admins: True mails records from ERROR on to `ADMINS`, if Django's `DEBUG` is off.
        arguments: further arguments of `setup_json_logging`.
    """
    config = _logging_config(service, **arguments)
    config["loggers"] = {
        "django": {"handlers": [], "level": "NOTSET"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        _SQL: {"level": "DEBUG" if sql else "INFO"},
    }
    if mail_admins:
        config["filters"] = {"debug_off": {"()": "django.utils.log.RequireDebugFalse"}}
        config["handlers"]["mail_admins"] = {
            "class": "django.utils.log.AdminEmailHandler",
            "level": "ERROR",
            "filters": ["debug_off"],
        }
        config["loggers"]["django"]["handlers"] = ["mail_admins"]
    return config


def log_commands(*, besides: Iterable[str] = ()) -> None:
    """Log each run of a management command as a task with the command's name.

    Call it in `manage.py` or in the settings; a second call changes nothing. Commands that serve,
    test or talk to a person are left out.

    Args:
        besides: names of further commands to leave out.
    """
    from django.core.management.base import (  # noqa: PLC0415 - the settings are still being loaded
        BaseCommand,
    )

    _LEFT_OUT.update(besides)
    if not hasattr(BaseCommand.execute, _LOGS_COMMANDS):
        BaseCommand.execute = _as_task(BaseCommand.execute)


def _as_task(execute: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute)
    def execute_logged(self: Any, *args: Any, **options: Any) -> Any:
        name = type(self).__module__.rpartition(".")[2]
        if name in _LEFT_OUT:
            return execute(self, *args, **options)
        run = Run(name, function_place(type(self).handle))
        with run.bound(), run:
            return execute(self, *args, **options)

    setattr(execute_logged, _LOGS_COMMANDS, True)
    return execute_logged


class RequestMiddleware:
    """Logs each request in one line, under WSGI and ASGI; put it first in `MIDDLEWARE`.

    The id of the request is bound to every line in between, and returned in the answer.

    Raises:
        SettingsError: a variable of the environment is wrong.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self._get_response = get_response
        self._is_async = inspect.iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        self._log = RequestLog()
        if self._log.enabled:
            drop_duplicate_records("django.request", _is_in_the_line)
        drop_duplicate_records("django.server", _is_access_line)

    def __call__(self, request: Any) -> Any:
        """Return Django's answer; under ASGI an awaitable of it."""
        if self._is_async:
            return self._answer_async(request)
        with self._begun(request) as line:
            return self._end(line, request, self._get_response(request))

    async def _answer_async(self, request: Any) -> Any:
        with self._begun(request) as line:
            return self._end(line, request, await self._get_response(request))

    @contextmanager
    def _begun(self, request: Any) -> Iterator[Request]:
        """Begin a request and leave it after the block; log it here if the block raises."""
        line = self._log.begin(request.META.get(_ID_KEY), request.META.get("HTTP_TRACEPARENT"))
        try:
            yield line
        except BaseException as error:  # not of a view: Django makes an answer of these
            line.exception = error
            self._write_line(line, request, 0, 0)
            raise
        finally:
            line.leave()

    def _end(self, line: Request, request: Any, response: Any) -> Any:
        response.headers[HEADER] = line.id
        if not response.streaming:
            self._write_line(line, request, response.status_code, len(response.content))
            return response
        body = _Body(line, lambda size: self._write_line(line, request, response.status_code, size))
        count = body.count_async if response.is_async else body.count
        response.streaming_content = count(response.streaming_content)
        response.close = body.closing(response.close)
        return response

    def _write_line(self, line: Request, request: Any, status: int, size_bytes: int) -> None:
        match = request.resolver_match
        peer = request.META.get("REMOTE_ADDR") or ""
        line.write(
            request.method,
            request.path,
            route=template(match.route) if match else None,
            status=status,
            size_bytes=size_bytes,
            client_ip=self._log.client_ip(peer, request.META.get("HTTP_X_FORWARDED_FOR", "")),
            duration_ms=line.duration_ms(),
            user_id=_user_id(request),
        )


def _user_id(request: Any) -> str | None:
    """Return the id of the user who is logged in, if a view or a middleware has read the user."""
    known = vars(request)
    users = map(known.get, ("user", "_cached_user", "_acached_user"))
    return next((found for user in users if (found := user_id(user))), None)


class _Body:
    """Counts a streaming body; writes the line of the request at its end."""

    def __init__(self, line: Request, write_line: Callable[[int], None]) -> None:
        self._line = line
        self._write_line = write_line
        self._size_bytes = 0

    def count(self, chunks: Any) -> Iterator[bytes]:
        """Yield the chunks of a body."""
        with self._sending():
            for chunk in chunks:
                self._size_bytes += len(chunk)
                yield chunk

    async def count_async(self, chunks: Any) -> AsyncIterator[bytes]:
        """Yield the chunks of an asynchronous body."""
        with self._sending():
            async for chunk in chunks:
                self._size_bytes += len(chunk)
                yield chunk

    @contextmanager
    def _sending(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._line.exception = error
            raise
        finally:
            self._write_line(self._size_bytes)

    def closing(self, close: Callable[[], None]) -> Callable[[], None]:
        """Return a `close` for the answer; servers call it even when they read no chunk."""

        def close_and_write() -> None:
            try:
                close()
            finally:
                self._write_line(self._size_bytes)

        return close_and_write


def _is_in_the_line(record: logging.LogRecord) -> bool:
    """Return True for records of `django.request` about a request that has a line of the kit."""
    if record.exc_info:
        return takes_exception(record)
    return hasattr(record, "status_code") and is_served_here()


def _is_access_line(record: logging.LogRecord) -> bool:
    """Return True for access lines of `runserver`, which it writes after the answer."""
    return hasattr(record, "status_code") and are_logged_here(record)
