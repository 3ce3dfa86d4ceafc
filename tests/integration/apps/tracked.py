# ruff: noqa: PLC0415 - each program imports its own framework and tracker alone
"""A program with an error tracker, without the kit or on it: `tracked.py TRACKER PROGRAM KIT`.

It writes what the tracker sent, as JSON, into the file that the variable `EVENTS_FILE` names.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from contextlib import nullcontext, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lokikit

TRACKER, PROGRAM, KIT = sys.argv[1:]
KIT = KIT == "kit"
PATHS = ("/crash", "/unavailable", "/logged", "/missing")
log = logging.getLogger("shop.views")
sent: list[dict] = []


class Sink(BaseHTTPRequestHandler):
    """Takes what Rollbar and Bugsnag send."""

    def do_POST(self) -> None:
        """Keep the body."""
        sent.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"err": 0, "result": {"id": "1"}}')

    def log_message(self, *_: object) -> None:
        """Be silent."""


sink = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
threading.Thread(target=sink.serve_forever, daemon=True).start()
SINK_URL = f"http://127.0.0.1:{sink.server_port}/"


def crash() -> None:
    """A bug."""
    raise RuntimeError("no such warehouse")


def speak() -> None:
    """What the application says itself, of an exception that it handles too."""
    log.error("order %d is late", 17)
    try:
        crash()
    except RuntimeError:
        log.exception("order %d failed", 18)


def start_sentry() -> None:
    """As its documentation has it."""
    import sentry_sdk
    from sentry_sdk.transport import Transport

    class Kept(Transport):
        def capture_envelope(self, envelope) -> None:
            if (event := envelope.get_event()) is not None:
                sent.append(json.loads(json.dumps(event, default=str)))

    sentry_sdk.init(dsn="http://key@127.0.0.1:9/1", transport=Kept, default_integrations=True)


def start_rollbar() -> None:
    """With its handler, as its documentation has it."""
    import rollbar
    from rollbar.logger import RollbarHandler

    rollbar.init("a" * 32, "test", endpoint=SINK_URL, handler="blocking", capture_ip=False)
    handler = RollbarHandler()
    handler.setLevel(logging.ERROR)
    logging.getLogger().addHandler(handler)


def start_bugsnag() -> None:
    """Have Bugsnag send its events to the sink."""
    import bugsnag
    from bugsnag.handlers import BugsnagHandler

    bugsnag.configure(
        api_key="a" * 32,
        asynchronous=False,
        auto_capture_sessions=False,
        endpoint=SINK_URL,
        session_endpoint=SINK_URL,
    )
    handler = BugsnagHandler()
    handler.setLevel(logging.ERROR)
    logging.getLogger().addHandler(handler)


def start_tracker() -> None:
    """Start the chosen one."""
    {"sentry": start_sentry, "rollbar": start_rollbar, "bugsnag": start_bugsnag}[TRACKER]()


def set_up() -> None:
    """The kit's line of the documentation, and the tracker before or behind it."""
    if os.environ.get("TRACKER_FIRST"):
        start_tracker()
    if KIT:
        lokikit.setup_json_logging()
    if not os.environ.get("TRACKER_FIRST"):
        start_tracker()


def flask() -> None:
    """An application of Flask."""
    from flask import Flask, got_request_exception

    set_up()
    app = Flask("shop")
    if KIT:
        lokikit.log_requests(app)
    if TRACKER == "rollbar":
        import rollbar.contrib.flask

        got_request_exception.connect(rollbar.contrib.flask.report_exception, app)
    if TRACKER == "bugsnag":
        from bugsnag.flask import handle_exceptions

        handle_exceptions(app)
    app.add_url_rule("/crash", view_func=crash)
    app.add_url_rule("/unavailable", endpoint="u", view_func=lambda: ("away", 503))
    app.add_url_rule("/logged", endpoint="l", view_func=lambda: speak() or "ok")
    for path in PATHS:
        app.test_client().get(path).close()


def configure_django(*, is_async: bool) -> None:
    """A project of Django, its views plain or coroutines."""
    import django
    from django.conf import settings
    from django.http import HttpResponse
    from django.urls import path

    middleware = ["lokikit.django.RequestMiddleware"] * KIT
    if TRACKER == "rollbar":
        middleware.append("rollbar.contrib.django.middleware.RollbarNotifierMiddleware")
    if TRACKER == "bugsnag":
        middleware.append("bugsnag.django.middleware.BugsnagMiddleware")
    if KIT:
        import lokikit.django

        options = {"LOGGING": lokikit.django.logging_config()}
    else:
        options = {}
    if os.environ.get("TRACKER_FIRST"):
        start_tracker()
    views = {
        "crash": lambda _: crash(),
        "unavailable": lambda _: HttpResponse("away", status=503),
        "logged": lambda _: speak() or HttpResponse("ok"),
    }

    def as_coroutine(view):
        async def serve(request):
            return view(request)

        return serve

    settings.configure(
        ALLOWED_HOSTS=["*"],
        BUGSNAG={"api_key": "a" * 32, "asynchronous": False, "endpoint": SINK_URL},
        MIDDLEWARE=middleware,
        ROLLBAR={
            "access_token": "a" * 32,
            "environment": "test",
            "endpoint": SINK_URL,
            "handler": "blocking",
        },
        ROOT_URLCONF=tuple(
            path(name, as_coroutine(view) if is_async else view) for name, view in views.items()
        ),
        SECRET_KEY="of a test",  # noqa: S106 - it guards nothing
        **options,
    )
    django.setup()
    if not os.environ.get("TRACKER_FIRST"):
        start_tracker()


def django_wsgi() -> None:
    """Under WSGI."""
    configure_django(is_async=False)
    from django.test import Client

    client = Client(raise_request_exception=False)
    for path in PATHS:
        client.get(path)


def django_asgi() -> None:
    """Under ASGI."""
    configure_django(is_async=True)
    from django.test import AsyncClient

    async def ask() -> None:
        client = AsyncClient(raise_request_exception=False)
        for path in PATHS:
            await client.get(path)

    asyncio.run(ask())


def fastapi() -> None:
    """An application of FastAPI."""
    import httpx
    from fastapi import FastAPI
    from fastapi.responses import PlainTextResponse

    set_up()
    app = FastAPI()
    if KIT:
        lokikit.log_requests(app)
    if TRACKER == "rollbar":
        from rollbar.contrib.fastapi import ReporterMiddleware

        app.add_middleware(ReporterMiddleware)

    @app.get("/crash")
    def _crash() -> None:
        crash()

    @app.get("/unavailable")
    async def _unavailable() -> PlainTextResponse:
        return PlainTextResponse("away", 503)

    @app.get("/logged")
    async def _logged() -> None:
        speak()

    async def ask() -> None:
        whole = app
        if TRACKER == "bugsnag":
            from bugsnag.asgi import BugsnagMiddleware

            whole = BugsnagMiddleware(app)
        transport = httpx.ASGITransport(whole, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            for path in PATHS:
                await client.get(path)

    asyncio.run(ask())


def wsgi() -> None:
    """A bare application, in the tracker's middleware."""
    from werkzeug.test import Client

    set_up()

    def app(environ, start_response):
        path = environ["PATH_INFO"]
        if path == "/crash":
            crash()
        if path == "/logged":
            speak()
        start_response("503 Away" if path == "/unavailable" else "200 OK", [])
        return [b""]

    whole = lokikit.WsgiMiddleware(app) if KIT else app
    if TRACKER == "sentry":
        from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

        whole = SentryWsgiMiddleware(whole)
    if TRACKER == "bugsnag":
        from bugsnag.wsgi.middleware import BugsnagMiddleware

        whole = BugsnagMiddleware(whole)
    for path in PATHS:
        with suppress(RuntimeError):
            Client(whole).get(path)


def celery() -> None:
    """A task of Celery, run as a worker runs it."""
    from celery import Celery
    from celery.app import trace

    import lokikit.celery

    set_up()
    if KIT:
        lokikit.celery.log_tasks()
    app = Celery("jobs", set_as_current=True, broker="memory://", backend="cache+memory://")
    if TRACKER == "bugsnag":
        from bugsnag.celery import connect_failure_handler

        connect_failure_handler()
    task = app.task(crash, name="jobs.crash")
    app.finalize()
    request = {"id": "t-1", "args": (), "kwargs": {}, "is_eager": False, "hostname": "here"}
    trace.build_tracer(task.name, app.tasks[task.name], app=app)("t-1", (), {}, request)


def apscheduler() -> None:
    """A job of APScheduler."""
    from apscheduler.events import EVENT_JOB_ERROR
    from apscheduler.schedulers.background import BackgroundScheduler

    import lokikit.apscheduler

    set_up()
    scheduler = BackgroundScheduler()
    if KIT:
        lokikit.apscheduler.log_tasks(scheduler)
    done = threading.Event()
    scheduler.add_listener(lambda _: done.set(), EVENT_JOB_ERROR)
    scheduler.start()
    # Its time is in Rollbar's text: that of now may be another second without the kit.
    scheduler.add_job(crash, "date", run_date="2026-01-01", misfire_grace_time=None)
    done.wait()
    scheduler.shutdown()


def script() -> None:
    """A script whose thread, task and whole end with exceptions."""
    set_up()
    work = lokikit.task("import") if KIT else nullcontext()
    thread = threading.Thread(target=crash)
    thread.start()
    thread.join()
    speak()
    with suppress(RuntimeError), work:
        crash()
    try:
        with work:
            crash()
    except RuntimeError:
        sys.excepthook(*sys.exc_info())


globals()[PROGRAM]()
Path(os.environ["EVENTS_FILE"]).write_text(json.dumps(sent))
