"""Django: `LOGGING = lokikit.django.logging_config("shop")`, and a line per request."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any

from asgiref.sync import markcoroutinefunction

from lokikit.http_requests.request_ids import HEADER
from lokikit.http_requests.request_log import (
    Request,
    RequestLog,
    takes_exception,
)
from lokikit.http_requests.route_template import template
from lokikit.http_requests.served import are_logged_here, is_served_here
from lokikit.http_requests.user_id import user_id
from lokikit.output.event_log import drop_duplicate_records
from lokikit.setup import logging_config as _logging_config
from lokikit.tasks.task import Run, function_place

if TYPE_CHECKING:
    import logging
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

_SQL = "django.db.backends"
_LOGS_COMMANDS = "_logs_lokikit_commands"
_LEFT_OUT = {"dbshell", "runserver", "runworker", "shell", "shell_plus", "test", "testserver"}
"""Management commands that are no task."""
_ID_KEY = "HTTP_X_REQUEST_ID"
"""Of `META`; `headers` would first make a dictionary of all."""


def logging_config(
    service: str | None = None, *, sql: bool = False, mail_admins: bool = False, **arguments: Any
) -> dict[str, Any]:
    """What Django's setting `LOGGING` should be, for every logger to end in the contract.

    Args:
        service: as of `setup_json_logging`.
        sql: log each query, at DEBUG; Django makes these only where `DEBUG` is on.
        mail_admins: mail to `ADMINS` what is logged at ERROR, where `DEBUG` is off.
        arguments: the others of `setup_json_logging`.
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
    """Log each run of a management command as a task that is named after the command.

    Call it in `manage.py` or in the settings; twice is once. Commands that serve, test or talk to
    a person are left out.

    Args:
        besides: names of further commands to leave out.
    """
    # Here, for the settings that call it are being loaded.
    from django.core.management.base import (  # type: ignore[import-untyped]  # noqa: PLC0415
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
    """Tells each request in one line: the first of `MIDDLEWARE`, under WSGI and ASGI alike.

    The id of the request is bound to every line in between, and returned in the answer.

    Args:
        get_response: the rest of Django.

    Raises:
        SettingsError: a variable of the environment means nothing.
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
        """Django's answer; under ASGI one to wait for."""
        if self._is_async:
            return self._answer_async(request)
        line = self._begin(request)
        try:
            return self._end(line, request, self._get_response(request))
        except BaseException as error:  # Django makes an answer of every other
            self._fail(line, request, error)
            raise
        finally:
            line.leave()

    async def _answer_async(self, request: Any) -> Any:
        line = self._begin(request)
        try:
            return self._end(line, request, await self._get_response(request))
        except BaseException as error:  # a client that leaves cancels its request
            self._fail(line, request, error)
            raise
        finally:
            line.leave()

    def _begin(self, request: Any) -> Request:
        meta = request.META
        return self._log.begin(meta.get(_ID_KEY), meta.get("HTTP_TRACEPARENT"))

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

    def _fail(self, line: Request, request: Any, error: BaseException) -> None:
        line.exception = error
        self._write_line(line, request, 0, 0)

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
    """Return the id of who is logged in, as far as a view or a middleware has asked who that is."""
    known = vars(request)
    users = map(known.get, ("user", "_cached_user", "_acached_user"))
    return next((found for user in users if (found := user_id(user))), None)


class _Body:
    """A body that streams, counted on its way; its line is written when it ends or is left.

    Args:
        line: of the request.
        write_line: writes the line, with the size in bytes.
    """

    def __init__(self, line: Request, write_line: Callable[[int], None]) -> None:
        self._line = line
        self._write_line = write_line
        self._size_bytes = 0

    def count(self, chunks: Any) -> Iterator[bytes]:
        """The chunks of a body."""
        try:
            for chunk in chunks:
                self._size_bytes += len(chunk)
                yield chunk
        except Exception as error:
            self._line.exception = error
            raise
        finally:
            self._write_line(self._size_bytes)

    async def count_async(self, chunks: Any) -> AsyncIterator[bytes]:
        """The chunks of an asynchronous body."""
        try:
            async for chunk in chunks:
                self._size_bytes += len(chunk)
                yield chunk
        except Exception as error:
            self._line.exception = error
            raise
        finally:
            self._write_line(self._size_bytes)

    def closing(self, close: Callable[[], None]) -> Callable[[], None]:
        """The answer's `close`, which is called also where no chunk was asked for."""

        def close_and_write() -> None:
            try:
                close()
            finally:
                self._write_line(self._size_bytes)

        return close_and_write


def _is_in_the_line(record: logging.LogRecord) -> bool:
    """Of `django.request`: exceptions, and "Not Found: /x" and the like, which come afterwards."""
    if record.exc_info:
        return takes_exception(record)
    return hasattr(record, "status_code") and is_served_here()


def _is_access_line(record: logging.LogRecord) -> bool:
    """Of `django.server`, which `runserver` writes after the answer."""
    return hasattr(record, "status_code") and are_logged_here(record)
