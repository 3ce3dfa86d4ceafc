"""`log_requests`: request logs of Flask, FastAPI and Starlette in a single call."""

from __future__ import annotations

import logging
from typing import Any, TypeVar

from lokikit.errors import SettingsError
from lokikit.http_requests.asgi import AsgiMiddleware
from lokikit.http_requests.request_log import takes_exception
from lokikit.http_requests.wsgi import WsgiMiddleware, note_flask
from lokikit.output.event_log import drop_duplicate_records

App = TypeVar("App")


def log_requests(app: App, **options: Any) -> App:
    """Log each request of the application in one line from now on, and return the application.

    Args:
        app: application of Flask, FastAPI or Starlette. A bare WSGI or ASGI application is wrapped
            in `lokikit.WsgiMiddleware` or `lokikit.AsgiMiddleware` instead.
        options: arguments of `lokikit.http_requests.request_log.RequestLog`.

    Raises:
        SettingsError: `app` is another object, or an option or a variable is wrong.
    """
    known: Any = app
    if hasattr(app, "wsgi_app"):
        known.wsgi_app = WsgiMiddleware(known.wsgi_app, **options)
        drop_duplicate_records(known.logger.name, _is_flasks_own)
        # Also where the exception is raised on to the debugger or the test, without an answer.
        known.teardown_request_funcs.setdefault(None, []).append(_note_flask)
    elif hasattr(app, "build_middleware_stack"):
        # Around the whole stack, whose outermost part answers exceptions.
        build = known.build_middleware_stack
        known.build_middleware_stack = lambda: AsgiMiddleware(build(), **options)
    else:
        raise SettingsError(
            f"log_requests cannot tell what {type(app).__name__} is: wrap the application in "
            "lokikit.WsgiMiddleware or lokikit.AsgiMiddleware."
        )
    return app


def _note_flask(_: BaseException | None) -> None:
    from flask import request  # noqa: PLC0415 - of the application

    note_flask(request.environ)


def _is_flasks_own(record: logging.LogRecord) -> bool:
    return record.funcName == "log_exception" and takes_exception(record)
