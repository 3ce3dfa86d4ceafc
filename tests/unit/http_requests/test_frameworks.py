"""What `log_requests` and its likes take: each program in a process of its own."""

from __future__ import annotations

import pytest
from tests.running import run

from lokikit import fields as f


@pytest.mark.parametrize("call", ["log_requests", "pass_request_id"])
def test_what_cannot_be_taken_in_is_refused(call: str) -> None:
    """The error names what can be passed."""
    (line,) = run(f"import lokikit\nlokikit.setup_json_logging()\nlokikit.{call}(object())")
    assert line[f.EXC_TYPE] == "lokikit.errors.SettingsError"
    assert f"{call} cannot tell what object is" in line[f.EXC_MESSAGE]


def test_a_constant_that_a_view_raises_is_in_the_line_of_each_request() -> None:
    """With its type and traceback, and nothing set on it."""
    lines = run("""
import flask, lokikit
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
CONSTANT = ValueError("constant")
@app.get("/")
def view():
    raise CONSTANT
for _ in range(3):
    app.test_client().get("/").close()
assert vars(CONSTANT) == {}, vars(CONSTANT)
""")
    assert [line[f.LOGGER] for line in lines] == ["lokikit.requests"] * 3
    assert [line[f.EXC_TYPE] for line in lines] == ["ValueError"] * 3
    assert all(line[f.STACKTRACE] for line in lines)


@pytest.mark.parametrize(
    "call",
    [
        *("get('/')", "get('/empty')", "head('/')", "post('/nothing')", "get('/crash')"),
        *("get('/missing')", "get('/to', follow_redirects=True)", "get('/file')"),
    ],
)
def test_answer_that_a_test_client_has_not_read_has_its_line(call: str) -> None:
    """As its test asks for the line while it holds the answer."""
    lines = run(f"""
import flask, logging, lokikit, pathlib
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
answers = {{
    "/": lambda: "hello",
    "/empty": lambda: "",
    "/nothing": lambda: ("", 204),
    "/crash": lambda: 1 / 0,
    "/to": lambda: flask.redirect("/"),
    "/file": lambda: flask.send_file(pathlib.Path({__file__!r})),
}}
for path, answer in answers.items():
    app.add_url_rule(path, path, answer, methods=["GET", "POST"])
answer = app.test_client().{call}
logging.info("behind")
answer.close()
""")
    entries = ["behind" if line[f.MESSAGE] == "behind" else line[f.LOGGER] for line in lines]
    requests = 2 if "follow" in call else 1
    assert entries == ["lokikit.requests"] * requests + ["behind"]


@pytest.mark.parametrize("mode", ["testing", "debug", "kept", "mounted"])
def test_an_exception_that_flask_raises_on_has_its_route(mode: str) -> None:
    """To the test, or to the debugger; no answer is begun then, and the request is forgotten."""
    lines = run(f"""
import contextlib, flask, lokikit
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
app.testing, app.debug = {mode != "debug"}, {mode == "debug"}
@app.get("/orders/<int:number>")
def order(number):
    raise RuntimeError("no such warehouse")
mounted = DispatcherMiddleware(app, {{"/shop": app}})
with contextlib.suppress(RuntimeError):
    if {mode == "kept"}:
        with app.test_client() as client:
            client.get("/orders/17")
    elif {mode == "mounted"}:
        Client(mounted).get("/shop/orders/17")
    else:
        app.test_client().get("/orders/17")
""")
    (line,) = [one for one in lines if one[f.LOGGER] == "lokikit.requests"]
    root = "/shop" if mode == "mounted" else ""
    assert line[f.HTTP_ROUTE] == f"{root}/orders/{{number}}"
    assert (line[f.HTTP_STATUS], line[f.EXC_TYPE]) == (500, "RuntimeError")


def test_a_flask_application_that_has_served_can_still_be_taken_in() -> None:
    """Flask refuses hooks then."""
    (line,) = run("""
import flask, lokikit
app = flask.Flask("shop")
app.add_url_rule("/", view_func=lambda: "ok")
app.test_client().get("/")
lokikit.setup_json_logging()
lokikit.log_requests(app)
app.test_client().get("/").close()
""")
    assert line[f.HTTP_ROUTE] == "/"


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FRAMEWORKS = {
    "flask": """
import flask
app = lokikit.log_requests(flask.Flask("shop"))
app.add_url_rule("/", view_func=lambda: logging.info("inside") or "ok")
app.test_client().get("/", headers={"traceparent": TRACE}).close()
""",
    "fastapi": """
import asyncio, httpx
from fastapi import FastAPI
app = lokikit.log_requests(FastAPI())
@app.get("/")
def page():
    logging.info("inside")
async def ask():
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        await client.get("http://shop/", headers={"traceparent": TRACE})
asyncio.run(ask())
""",
    "django": """
import django, lokikit.django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", LOGGING=lokikit.django.logging_config(),
    MIDDLEWARE=["lokikit.django.RequestMiddleware"],
    ROOT_URLCONF=(path("", lambda _: logging.info("inside") or HttpResponse("ok")),),
)
django.setup()
from django.test import Client
Client().get("/", headers={"traceparent": TRACE})
""",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_trace_of_the_caller_is_on_every_line_of_a_request(framework: str) -> None:
    """As W3C's header has it, without OpenTelemetry."""
    start = f"import logging, lokikit\nTRACE = {TRACE!r}\nlokikit.setup_json_logging()\n"
    inside, line = run(start + FRAMEWORKS[framework])
    _, trace_id, span_id, _ = TRACE.split("-")
    for one in (inside, line):
        assert (one[f.TRACE_ID], one[f.SPAN_ID]) == (trace_id, span_id)
