"""`log_requests`: the one line for Flask, FastAPI and Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lokikit.errors import SettingsError
from lokikit.http_requests.asgi import AsgiMiddleware
from lokikit.http_requests.request_log import takes_exception
from lokikit.http_requests.wsgi import WsgiMiddleware
from lokikit.output.told_once import leave_out

if TYPE_CHECKING:
    import logging

App = TypeVar("App")


def log_requests(app: App, **options: Any) -> App:
    """The application itself, which from now on tells each of its requests in one line.

    Args:
        app: of Flask, FastAPI or Starlette. A bare WSGI or ASGI application is wrapped
            in `lokikit.WsgiMiddleware` or `lokikit.AsgiMiddleware` instead.
        options: those of `lokikit.http_requests.request_log.RequestLog`.

    Raises:
        SettingsError: `app`, an option or a variable of the environment means nothing.
    """
    known: Any = app
    if hasattr(app, "wsgi_app"):
        known.wsgi_app = WsgiMiddleware(known.wsgi_app, **options)
        leave_out(known.logger.name, _is_flasks_own)
    elif hasattr(app, "build_middleware_stack"):
        # Around the whole stack, whose outermost part makes the answer of an exception.
        build = known.build_middleware_stack
        known.build_middleware_stack = lambda: AsgiMiddleware(build(), **options)
    else:
        raise SettingsError(
            f"log_requests cannot tell what {type(app).__name__} is: wrap the application in "
            "lokikit.WsgiMiddleware or lokikit.AsgiMiddleware."
        )
    return app


def _is_flasks_own(record: logging.LogRecord) -> bool:
    return record.funcName == "log_exception" and takes_exception(record)
