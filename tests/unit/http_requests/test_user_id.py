"""Who is logged in: user objects, and each framework in a process of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.running import run

from lokikit import fields as f
from lokikit.http_requests.user_id import user_id


def user(**attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(is_authenticated=True, **attributes)


class Raising:
    is_authenticated = True

    @property
    def identity(self) -> str:
        raise NotImplementedError

    display_name = "anna"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (SimpleNamespace(is_authenticated=False, pk=1), None),
        (SimpleNamespace(pk=1), None),
        (user(), None),
        (user(pk=17), "17"),
        (user(pk=0), "0"),
        (user(pk=None), None),
        (user(get_id=lambda: "a-1", pk=17), "a-1"),
        (user(identity="anna", display_name="Anna"), "anna"),
        (Raising(), "anna"),
        (SimpleNamespace(_wrapped=user(pk=17)), "17"),
        (SimpleNamespace(_wrapped=object(), is_authenticated=True, pk=17), None),
    ],
    ids=[
        *("none", "anonymous", "no-user", "no-id", "pk", "zero", "not-saved", "get-id"),
        *("identity", "raising", "resolved", "lazy"),
    ],
)
def test_the_id_is_the_frameworks_own(given: Any, expected: str | None) -> None:
    assert user_id(given) == expected


def test_django_has_it_of_who_was_asked_for() -> None:
    """No session and no user is read for it: a page that asks nobody has none."""
    lines = run("""
import asyncio, django, lokikit.django
from django.conf import settings
settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="s", ROOT_URLCONF="__main__", USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[f"django.contrib.{app}" for app in ("contenttypes", "auth", "sessions")],
    LOGGING=lokikit.django.logging_config(),
    MIDDLEWARE=[
        "lokikit.django.RequestMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)
django.setup()
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path
call_command("migrate", verbosity=0)
anna = User.objects.create_user("anna")
def log_in(request):
    login(request, anna)
    return HttpResponse("ok")
def greet(request):
    return HttpResponse(request.user.username)
def crash(request):
    request.user.username
    raise RuntimeError("boom")
def log_out(request):
    request.user.username
    logout(request)
    return HttpResponse("bye")
def quiet(request):
    return HttpResponse("ok")
urlpatterns = [path(one.__name__, one) for one in (log_in, greet, quiet, crash, log_out)]
client = Client(raise_request_exception=False)
client.get("/greet")
client.get("/log_in")
client.get("/greet")
with CaptureQueriesContext(connection) as asked:
    client.get("/quiet")
assert not asked.captured_queries, asked.captured_queries
client.get("/crash")
client.get("/log_out")
client.get("/greet")
""")
    entries = [(line[f.HTTP_PATH], line.get(f.USER_ID)) for line in lines if f.HTTP_PATH in line]
    assert entries == [
        ("/greet", None),
        ("/log_in", "1"),
        ("/greet", "1"),
        ("/quiet", None),
        ("/crash", "1"),
        ("/log_out", "1"),
        ("/greet", None),
    ]


def test_flask_login_has_it_also_where_a_view_raises() -> None:
    """And no request has the user of the one before."""
    lines = run("""
import flask, flask_login, lokikit
lokikit.setup_json_logging()
app = lokikit.log_requests(flask.Flask("shop"))
app.secret_key = "of a test"
manager = flask_login.LoginManager(app)
class User(flask_login.UserMixin):
    id = "u-17"
manager.user_loader(lambda _: User())
@app.get("/in")
def log_in():
    flask_login.login_user(User())
    return "ok"
@app.get("/greet")
def greet():
    return str(flask_login.current_user.is_authenticated)
@app.get("/quiet")
def quiet():
    return "ok"
@app.get("/out")
def log_out():
    flask_login.logout_user()
    return "bye"
@app.get("/stream")
def stream():
    flask_login.current_user.is_authenticated
    return flask.Response(iter(["a", "b"]))
@app.get("/crash")
def crash():
    flask_login.current_user.is_authenticated
    raise RuntimeError("boom")
client, other = app.test_client(), app.test_client()
for path in ("/greet", "/in", "/greet", "/quiet", "/stream", "/crash"):
    client.get(path).close()
other.get("/greet").close()
app.testing = True
try:
    client.get("/crash")
except RuntimeError:
    pass
for path in ("/out", "/quiet"):
    client.get(path).close()
""")
    assert [(line[f.HTTP_PATH], line.get(f.USER_ID)) for line in lines] == [
        ("/greet", None),
        ("/in", "u-17"),
        ("/greet", "u-17"),
        ("/quiet", "u-17"),
        ("/stream", "u-17"),
        ("/crash", "u-17"),
        ("/greet", None),
        ("/crash", "u-17"),
        ("/out", None),
        ("/quiet", None),
    ]


def test_starlette_has_it_of_its_authentication_middleware() -> None:
    """Also of a WebSocket."""
    lines = run("""
import asyncio, lokikit
from fastapi import FastAPI, Request, WebSocket
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.middleware.authentication import AuthenticationMiddleware
lokikit.setup_json_logging()
class Backend(AuthenticationBackend):
    async def authenticate(self, connection):
        if "who" in connection.query_params:
            return AuthCredentials(["authenticated"]), SimpleUser(connection.query_params["who"])
app = lokikit.log_requests(FastAPI())
app.add_middleware(AuthenticationMiddleware, backend=Backend())
@app.get("/")
def page(request: Request):
    return request.user.is_authenticated
@app.websocket("/ws")
async def talk(socket: WebSocket):
    await socket.accept()
    await socket.close()
async def ask(kind, path, query):
    async def receive():
        return {"type": "websocket.connect" if kind == "websocket" else "http.request"}
    async def send(message):
        pass
    scope = {"type": kind, "path": path, "query_string": query, "headers": []}
    await app({**scope, "method": "GET", "http_version": "1.1"}, receive, send)
asyncio.run(ask("http", "/", b""))
asyncio.run(ask("http", "/", b"who=anna"))
asyncio.run(ask("websocket", "/ws", b"who=anna"))
""")
    assert [line.get(f.USER_ID) for line in lines] == [None, "anna", "anna"]
