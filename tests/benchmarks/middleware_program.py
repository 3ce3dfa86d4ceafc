"""A candidate of the middleware benchmark: an application that answers requests, turn by turn.

    python -m tests.benchmarks.middleware_program FRAMEWORK NAME

It is called as its server calls it (WSGI or ASGI, without a network).
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import lokikit

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

TURN, WARM_UP = 100, 1_000
OURS, BARE = "lokikit", "bare"
_HEADERS = [(b"host", b"shop.example"), (b"x-request-id", b"0af7651916cd43dd8448eb211c80319c")]


def _fastapi() -> Any:
    from fastapi import FastAPI  # noqa: PLC0415 - each candidate is alone in its process
    from fastapi.responses import PlainTextResponse  # noqa: PLC0415 - each candidate is alone in its process

    app = FastAPI()

    @app.get("/orders/{number}", response_class=PlainTextResponse)
    async def order(number: int) -> str:
        return f"order {number}"

    return app


def _flask() -> Flask:
    from flask import Flask  # noqa: PLC0415 - each candidate is alone in its process

    app = Flask("shop")

    @app.get("/orders/<int:number>")
    def order(number: int) -> str:
        return f"order {number}"

    return app


def _django(*middleware: str, **more: Any) -> Any:
    import django  # noqa: PLC0415 - each candidate is alone in its process
    from django.conf import settings  # noqa: PLC0415 - each candidate is alone in its process
    from django.http import HttpResponse  # noqa: PLC0415 - each candidate is alone in its process
    from django.urls import path  # noqa: PLC0415 - each candidate is alone in its process

    def order(_: Any, number: int) -> Any:
        return HttpResponse(f"order {number}")

    class Routes:
        urlpatterns = (path("orders/<int:number>", order),)

    sys.modules["benchmark_urls"] = Routes  # type: ignore[assignment]
    settings.configure(
        ALLOWED_HOSTS=["*"],
        MIDDLEWARE=list(middleware),
        ROOT_URLCONF="benchmark_urls",
        SECRET_KEY="of a benchmark",  # noqa: S106 - it guards nothing
        **{"LOGGING_CONFIG": None, **more},
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415 - each candidate is alone in its process

    return get_wsgi_application()


def _json_logging(*, correlation_id: bool = False) -> logging.Logger:
    """A logger of python-json-logger, as its users set it up for lines that say as much as ours."""
    from pythonjsonlogger.orjson import OrjsonFormatter  # noqa: PLC0415 - each candidate is alone in its process

    handler = logging.StreamHandler(sys.stdout)
    names = ["levelname", "name", "message", "process", "threadName"]
    if correlation_id:
        names.append("correlation_id")
    static = {"service": "shop", "env": "prod", "host": socket.gethostname()}
    handler.setFormatter(OrjsonFormatter(names, timestamp=True, static_fields=static))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return root


def _with_access_line(app: Any) -> Any:
    """The line of a request that an ASGI service with python-json-logger writes by hand."""
    logger = logging.getLogger("access")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        started_s, status, size_bytes = time.perf_counter(), 0, 0

        async def send_on(message: Any) -> None:
            nonlocal status, size_bytes
            status = message.get("status", status)
            size_bytes += len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_on)
        fields = {
            "http_method": scope["method"],
            "http_route": getattr(scope.get("route"), "path", None),
            "http_path": scope["path"],
            "http_status": status,
            "duration_ms": (time.perf_counter() - started_s) * 1000,
            "bytes": size_bytes,
            "client_ip": scope["client"][0],
        }
        logger.info("%s %s %d", scope["method"], scope["path"], status, extra=fields)

    return call


def _fastapi_ours() -> Any:
    lokikit.setup_json_logging("shop", log_format="json")
    return lokikit.log_requests(_fastapi())


def _fastapi_correlation() -> Any:
    from asgi_correlation_id import (  # noqa: PLC0415 - each candidate is alone in its process
        CorrelationIdFilter,
        CorrelationIdMiddleware,
    )

    _json_logging(correlation_id=True).handlers[0].addFilter(CorrelationIdFilter())
    return CorrelationIdMiddleware(_with_access_line(_fastapi()))


def _flask_ours() -> Any:
    lokikit.setup_json_logging("shop", log_format="json")
    return lokikit.log_requests(_flask())


def _flask_own() -> Any:
    """What Flask's documentation shows: hooks, and a line of `app.logger`."""
    from flask import g, request  # noqa: PLC0415 - each candidate is alone in its process

    app = _flask()
    _json_logging()

    @app.before_request
    def begin() -> None:
        g.started_s = time.perf_counter()

    @app.after_request
    def end(response: Any) -> Any:
        fields = {
            "request_id": request.headers.get("X-Request-ID"),
            "http_method": request.method,
            "http_route": request.url_rule.rule if request.url_rule else None,
            "http_path": request.path,
            "http_status": response.status_code,
            "duration_ms": (time.perf_counter() - g.started_s) * 1000,
            "bytes": response.calculate_content_length(),
            "client_ip": request.remote_addr,
        }
        text = ("%s %s %d", request.method, request.path, response.status_code)
        app.logger.info(*text, extra=fields)
        return response

    return app


def _django_ours() -> Any:
    import lokikit.django  # noqa: PLC0415 - each candidate is alone in its process

    config = lokikit.django.logging_config("shop", log_format="json")
    return _django(
        "lokikit.django.RequestMiddleware",
        LOGGING=config,
        LOGGING_CONFIG="logging.config.dictConfig",
    )


def _django_structlog() -> Any:
    import structlog  # noqa: PLC0415 - each candidate is alone in its process

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    logging.getLogger("django.request").setLevel(logging.INFO)
    return _django("django_structlog.middlewares.RequestMiddleware")


CANDIDATES: dict[str, dict[str, Callable[[], Any]]] = {
    "FastAPI": {
        BARE: _fastapi,
        OURS: _fastapi_ours,
        "asgi-correlation-id, python-json-logger": _fastapi_correlation,
    },
    "Flask": {BARE: _flask, OURS: _flask_ours, "Flask's hooks, python-json-logger": _flask_own},
    "Django": {BARE: _django, OURS: _django_ours, "django-structlog": _django_structlog},
}


def _ask_wsgi(app: Any) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/orders/17",
        "QUERY_STRING": "",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "HTTP_X_REQUEST_ID": _HEADERS[1][1].decode(),
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
        "wsgi.errors": sys.stderr,
    }
    body = app(environ, lambda *_: None)
    assert b"".join(body) == b"order 17"
    body.close()


async def _ask_asgi(app: Any, count: int) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        """Nothing."""

    for _ in range(count):
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/orders/17",
            "raw_path": b"/orders/17",
            "query_string": b"",
            "root_path": "",
            "headers": _HEADERS,
            "client": ("192.0.2.1", 4711),
            "server": ("shop.example", 80),
        }
        # A server gives each request a task, and with it a context of its own.
        await asyncio.create_task(app(scope, receive, send))


def serve(framework: str, name: str) -> None:
    """Answer a turn of requests for each line on stdin; print us a request on stderr."""
    app = CANDIDATES[framework][name]()

    def ask(count: int) -> None:
        if framework == "FastAPI":
            asyncio.run(_ask_asgi(app, count))
            return
        for _ in range(count):
            _ask_wsgi(app)

    ask(WARM_UP)
    for _ in sys.stdin:
        start_ns = time.thread_time_ns()
        ask(TURN)
        took_us = (time.thread_time_ns() - start_ns) / TURN / 1000
        print(took_us, file=sys.stderr, flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
