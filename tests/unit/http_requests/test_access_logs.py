from __future__ import annotations

import logging
from contextvars import Context
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from hypercorn.logging import AccessLogAtoms

import lokikit
from lokikit import fields as f
from lokikit.http_requests.access_logs import _requests, take_in_access_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    Lines = Callable[[], list[dict[str, Any]]]


def hypercorn(client: Any = ("127.0.0.1", 4711), **headers: str) -> None:
    """Have Hypercorn log a request."""
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": "/café",
        "query_string": b"a=1",
        "scheme": "http",
        "client": client,
        "http_version": "1.1",
        "headers": [
            (name.replace("_", "-").encode(), one.encode()) for name, one in headers.items()
        ],
    }
    response: Any = {"status": 200, "headers": [(b"content-length", b"3")]}
    take_in_access_lines()
    logging.getLogger("hypercorn.access").info("%(h)s", AccessLogAtoms(scope, response, 0.5))


def uvicorn(client: str, path: str) -> None:
    """Have Uvicorn log a request."""
    take_in_access_lines()
    form = '%s - "%s %s HTTP/%s" %d'
    logging.getLogger("uvicorn.access").info(form, client, "GET", path, "1.1", 200)


@pytest.mark.parametrize("headers", [{}, {"x_request_id": "-"}, {"x_request_id": ""}])
def test_request_without_an_id_has_none_in_its_line(lines: Lines, headers: dict[str, str]) -> None:
    hypercorn(**headers)
    (line,) = lines()
    assert f.REQUEST_ID not in line
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.CLIENT_IP]) == (
        "/café",
        200,
        "127.0.0.1",
    )


def test_id_that_a_request_came_with_is_in_its_line(lines: Lines) -> None:
    hypercorn(x_request_id="r-17")
    assert lines()[0][f.REQUEST_ID] == "r-17"


def test_request_over_a_unix_socket_has_no_address(lines: Lines) -> None:
    hypercorn(client=("/run/app.sock",))
    hypercorn(client=None)
    assert [f.CLIENT_IP in line for line in lines()] == [False, False]


def test_access_line_believes_trusted_proxies(
    lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "127.0.0.0/8")
    _requests.cache_clear()
    hypercorn(client=("::ffff:127.0.0.1", 1), x_forwarded_for="1.2.3.4:5678")
    _requests.cache_clear()
    assert lines()[0][f.CLIENT_IP] == "1.2.3.4"


@pytest.mark.parametrize(
    ("client", "address"),
    [("127.0.0.1:1", "127.0.0.1"), ("::1:80", "::1"), ("::ffff:10.0.0.1:80", "10.0.0.1")],
)
def test_uvicorns_access_line_has_the_path_and_the_address_as_they_are(
    lines: Lines, client: str, address: str
) -> None:
    uvicorn(client, "/caf%C3%A9/a%20b?q=%2F")
    (line,) = lines()
    assert (line[f.HTTP_PATH], line[f.CLIENT_IP]) == ("/café/a b", address)


def gunicorn(path: str) -> None:
    """Have Gunicorn's own logger log a request, as without that of the kit."""
    take_in_access_lines()
    config = Config()
    config.set("accesslog", "-")
    own = Logger(config)
    own.access_log.handlers, own.access_log.propagate = [], True
    request = SimpleNamespace(headers=[("X-REQUEST-ID", "r-17"), ("X-FORWARDED-FOR", "192.0.2.9")])
    answer = SimpleNamespace(status="200 OK", sent=3, headers=[])
    known = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"{path}?a=1",
        "PATH_INFO": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
    }
    own.access(answer, request, known, timedelta(microseconds=1500))


def test_access_line_of_gunicorns_own_logger_is_a_request_line(lines: Lines) -> None:
    """Whatever its format is; the access line itself is left out."""
    gunicorn("/caf\xc3\xa9")
    (line,) = lines()
    assert line[f.LOGGER] == "lokikit.requests"
    assert (line[f.HTTP_PATH], line[f.HTTP_STATUS], line[f.BYTES]) == ("/café", 200, 3)
    assert (line[f.REQUEST_ID], line[f.CLIENT_IP]) == ("r-17", "127.0.0.1")
    assert line[f.DURATION_MS] == 1.5


def test_access_line_of_gunicorn_does_not_repeat_that_of_a_middleware(lines: Lines) -> None:
    lokikit.WsgiMiddleware(lambda *_: [b""])({"REQUEST_METHOD": "GET", "PATH_INFO": "/in"}, print)
    gunicorn("/in")
    gunicorn("/beside")
    assert [line[f.HTTP_PATH] for line in lines()] == ["/in", "/beside"]


def channels(path: str, status: int = 200) -> None:
    """Have Daphne's `runserver` log a request, in a context of its own."""
    from daphne.management.commands.runserver import (  # noqa: PLC0415 - each worker would wait
        Command,
    )

    take_in_access_lines()
    values = {
        "method": "GET",
        "path": path,
        "status": status,
        "client": "127.0.0.1:4711",
        "time_taken": 0.0015,
        "size": 3,
    }
    Context().run(Command().log_action, "http", "complete", values)


def test_access_line_of_daphne_does_not_repeat_that_of_a_middleware(lines: Lines) -> None:
    """Once for each request, for the same page may be asked for without it."""
    lokikit.WsgiMiddleware(lambda *_: [b""])(
        {"REQUEST_METHOD": "GET", "PATH_INFO": "/\xc3\xa9"}, print
    )
    channels("/%C3%A9?a=1")
    assert len(lines()) == 1
    channels("/%C3%A9", 500)
    line = lines()[1]
    assert (line[f.LOGGER], line[f.HTTP_PATH]) == ("lokikit.requests", "/é")
    assert (line[f.HTTP_STATUS], line[f.CLIENT_IP], line[f.DURATION_MS]) == (500, "127.0.0.1", 1.5)


def test_lines_of_daphne_about_websockets_stay(lines: Lines) -> None:
    take_in_access_lines()
    logging.getLogger("django.channels.server").critical("WebSocket %(path)s", {"path": "/ws"})
    assert [line[f.MESSAGE] for line in lines()] == ["WebSocket /ws"]
