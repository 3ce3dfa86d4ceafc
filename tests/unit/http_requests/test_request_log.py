from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING, Any

import pytest

import lokikit
from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.http_requests.request_log import RequestLog
from lokikit.output.context import bound_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Lines = Callable[[], list[dict[str, Any]]]


def wsgi(
    path: str = "/",
    status: str = "200 OK",
    *,
    options: dict[str, Any] | None = None,
    **environ: str,
) -> list[tuple[str, str]]:
    """The headers of the answer to a request of a WSGI application behind the middleware."""
    answered: list[tuple[str, str]] = []

    def app(_: Any, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "text/plain")])
        return [b"ab", b"c"]

    def start_response(_: str, headers: list[tuple[str, str]]) -> None:
        answered.extend(headers)

    middleware = lokikit.WsgiMiddleware(app, **(options or {}))
    request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.1", **environ}
    body = middleware(request, start_response)
    assert b"".join(body) == b"abc"
    body.close()  # type: ignore[attr-defined]
    return answered


async def ask(app: Any, scope: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What an ASGI application sends for a request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    request = {"type": "http", "method": "GET", "path": "/", "headers": [], "client": None}
    await app({**request, **(scope or {})}, receive, send)
    return sent


def answer(status: int, *bodies: bytes, raising: BaseException | None = None) -> Any:
    """An ASGI application behind the middleware."""

    async def app(_: Any, __: Any, send: Any) -> None:
        if status:
            await send({"type": "http.response.start", "status": status, "headers": []})
        for number, body in enumerate(bodies, 1):
            more = number < len(bodies)
            await send({"type": "http.response.body", "body": body, "more_body": more})
        if raising is not None:
            raise raising

    return lokikit.AsgiMiddleware(app)


@pytest.mark.parametrize(
    ("status", "level"),
    [("204 No Content", "info"), ("404 Not Found", "warning"), ("503 Unavailable", "error")],
)
def test_the_level_follows_the_status(lines: Lines, status: str, level: str) -> None:
    """Whatever the level of the root logger."""
    wsgi(status=status)
    (line,) = lines()
    assert (line[f.LEVEL], line[f.HTTP_STATUS], line[f.BYTES]) == (level, int(status[:3]), 3)


def test_a_slow_request_is_a_warning(lines: Lines) -> None:
    """From the given duration on."""
    wsgi(options={"slow_s": 1e-9})
    wsgi(options={"slow_s": 3600})
    assert [line[f.LEVEL] for line in lines()] == ["warning", "info"]


def test_health_checks_have_a_line_only_when_they_fail(lines: Lines) -> None:
    """The paths are those given, or of the environment."""
    wsgi("/health")
    wsgi("/alive", options={"health_paths": ["/alive"]})
    wsgi("/health", "500 Oops")
    assert [line[f.MESSAGE] for line in lines()] == ["GET /health 500"]


def test_requests_have_a_switch(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without lines an id is still bound and returned."""
    monkeypatch.setenv("LOG_REQUESTS", "off")
    assert "X-Request-ID" in dict(wsgi())
    assert lines() == []


@pytest.mark.parametrize("given", ["a-b.c:1", "x" * 128, "1-67891233-abc=def"])
def test_a_sane_id_is_taken(lines: Lines, given: str) -> None:
    """It is returned in the answer, too."""
    assert dict(wsgi(HTTP_X_REQUEST_ID=given))["X-Request-ID"] == given
    assert lines()[0][f.REQUEST_ID] == given


@pytest.mark.parametrize("given", ["", "-", "a b", "x" * 129, "a\nb", '{"a":1}', "\u00e4"])
def test_any_other_id_is_replaced(lines: Lines, given: str) -> None:
    """The new id has 32 hexadecimal digits."""
    made = dict(wsgi(HTTP_X_REQUEST_ID=given))["X-Request-ID"]
    assert len(made) == 32
    assert int(made, 16) >= 0
    assert lines()[0][f.REQUEST_ID] == made


def test_the_id_ends_with_the_request() -> None:
    """Nothing is bound afterwards."""
    wsgi()
    assert bound_fields() == {}


def test_an_exception_is_in_the_line_and_raised_on(lines: Lines) -> None:
    """Before an answer was begun it counts as 500."""

    def app(_: Any, __: Any) -> list[bytes]:
        raise KeyError("no such order")

    with pytest.raises(KeyError):
        lokikit.WsgiMiddleware(app)({"REQUEST_METHOD": "GET", "PATH_INFO": "/x"}, lambda *_: None)
    (line,) = lines()
    assert (line[f.HTTP_STATUS], line[f.EXC_TYPE], line[f.LEVEL]) == (500, "KeyError", "error")


def test_an_exception_within_a_body_is_in_the_line(lines: Lines) -> None:
    """The line has the status and the bytes that were sent before."""

    def pieces() -> Iterator[bytes]:
        yield b"ab"
        raise OSError("disk")

    def app(_: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        return pieces()

    body: Any = lokikit.WsgiMiddleware(app)({"REQUEST_METHOD": "GET"}, lambda *_: None)
    with pytest.raises(OSError, match="disk"):
        list(body)
    body.close()
    (line,) = lines()
    assert (line[f.HTTP_STATUS], line[f.BYTES], line[f.EXC_TYPE]) == (200, 2, "OSError")
    assert line[f.LEVEL] == "error"


def test_what_the_server_says_of_a_told_exception_is_left_out(lines: Lines) -> None:
    """But handlers that are not ours get it."""
    seen: list[str] = []
    tracker = logging.Handler()
    tracker.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    error = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        asyncio.run(ask(answer(0, raising=error)))
    server = logging.getLogger("uvicorn.error")
    server.addHandler(tracker)
    try:
        server.critical("Exception in ASGI application", exc_info=error)
        server.critical("Another one", exc_info=RuntimeError("bang"))
    finally:
        server.removeHandler(tracker)
    assert seen == ["Exception in ASGI application", "Another one"]
    assert [line[f.EXC_MESSAGE] for line in lines()] == ["boom", "bang"]


def test_an_asgi_answer_is_told_when_its_last_piece_is_sent(lines: Lines) -> None:
    """The line has the size of all pieces; work after the answer does not count."""
    with pytest.raises(OSError, match="later"):
        asyncio.run(ask(answer(200, b"ab", b"c", raising=OSError("later"))))
    (line,) = lines()
    assert (line[f.HTTP_STATUS], line[f.BYTES]) == (200, 3)
    assert f.EXC_TYPE not in line


def test_an_answer_that_was_never_begun_is_told(lines: Lines) -> None:
    """As 500, and as 499 where the request was cancelled; that is no error of the application."""
    asyncio.run(ask(answer(0)))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(ask(answer(0, raising=asyncio.CancelledError())))
    assert [line[f.HTTP_STATUS] for line in lines()] == [500, 499]
    assert not any(f.EXC_TYPE in line for line in lines())


def test_the_id_is_in_the_answer_of_asgi_once(lines: Lines) -> None:
    """One that the application sets is replaced: they would differ."""
    headers = [(b"x-request-id", b"r-17")]
    start, _ = asyncio.run(ask(answer(200, b""), {"headers": headers}))
    assert start["headers"] == [(b"x-request-id", b"r-17")]
    assert lines()[0][f.REQUEST_ID] == "r-17"


def test_what_is_neither_request_nor_websocket_passes_through(lines: Lines) -> None:
    """The start and end of the server are such events."""
    asyncio.run(ask(answer(0), {"type": "lifespan"}))
    assert lines() == []


def serve(app: Any, path: str) -> None:
    """What werkzeug's server does with a request: its access line comes before the body is closed.

    Its logger is not ours, so its line counts only where no request line stands for it.
    """
    body = app({"REQUEST_METHOD": "GET", "PATH_INFO": path}, lambda *_: None)
    logging.getLogger("werkzeug").critical('127.0.0.1 - - "GET %s HTTP/1.1" 200 -', path)
    if hasattr(body, "close"):
        body.close()


def test_requests_of_an_application_beside_the_wrapped_one_keep_their_lines(lines: Lines) -> None:
    """A dispatcher sends the requests of one thread to either."""

    def bare(_: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"abc"]

    wrapped = lokikit.WsgiMiddleware(bare)

    def dispatcher(environ: Any, start_response: Any) -> Any:
        chosen = wrapped if environ["PATH_INFO"] == "/in" else bare
        return chosen(environ, start_response)

    for path in ("/in", "/beside", "/in", "/beside"):
        serve(dispatcher, path)
    loggers = [line[f.LOGGER] for line in lines()]
    assert loggers == ["lokikit.requests", "werkzeug"] * 2


def test_an_access_line_behind_the_request_is_left_out_once(lines: Lines) -> None:
    """As of servers that log it when the answer is closed; that of another path is kept."""
    access = logging.getLogger("werkzeug")
    wsgi("/in")
    access.critical('"GET /beside HTTP/1.1" 200')
    access.critical('"GET /in HTTP/1.1" 200')
    access.critical('"GET /in HTTP/1.1" 200')
    assert [line[f.LOGGER] for line in lines()] == ["lokikit.requests", "werkzeug", "werkzeug"]


def test_a_request_within_another_ends_only_itself(lines: Lines) -> None:
    """An application that is mounted and wrapped in a wrapped one."""
    inner = lokikit.WsgiMiddleware(lambda *_: [b""])

    def app(environ: Any, start_response: Any) -> list[bytes]:
        body = inner({**environ, "PATH_INFO": "/inner"}, start_response)
        body.close()  # type: ignore[attr-defined]
        return [b""]

    serve(lokikit.WsgiMiddleware(app), "/outer")
    assert [line[f.HTTP_PATH] for line in lines()] == ["/inner", "/outer"]


def test_an_answer_that_nobody_closes_ends_with_its_object(lines: Lines) -> None:
    """A cascade drops the answer of its first application; the id is no longer bound."""
    lokikit.WsgiMiddleware(lambda *_: [b""])({"REQUEST_METHOD": "GET"}, lambda *_: None)
    assert bound_fields() == {}
    assert [line[f.LOGGER] for line in lines()] == ["lokikit.requests"]


def test_a_body_that_another_thread_closes_leaves_no_id_behind(lines: Lines) -> None:
    """Where the thread that began goes on serving."""
    app = lokikit.WsgiMiddleware(lambda *_: [b""])
    body: Any = app({"REQUEST_METHOD": "GET"}, lambda *_: None)
    thread = threading.Thread(target=body.close)
    thread.start()
    thread.join()
    assert bound_fields() == {}
    assert len(lines()) == 1


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("10.0.0.9", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.9", "6.6.6.6, 198.51.100.7, 10.1.2.3", "198.51.100.7"),
        ("", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.9", "", "10.0.0.9"),
        ("10.0.0.9", "6.6.6.6, unknown", "10.0.0.9"),
        ("10.0.0.9", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("2001:db8::1", "2001:db9::7", "2001:db9::7"),
        ("::ffff:10.0.0.9", "198.51.100.7", "198.51.100.7"),
        ("::ffff:192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.0.0.9", "198.51.100.7:5678", "198.51.100.7"),
        ("10.0.0.9", "::ffff:198.51.100.7", "198.51.100.7"),
        ("10.0.0.9", "[2001:db9::7]:5678, ::ffff:10.1.2.3", "2001:db9::7"),
        ("10.0.0.9", '"[2001:db9::7]"', "2001:db9::7"),
    ],
)
def test_only_trusted_proxies_are_believed(peer: str, forwarded_for: str, client: str) -> None:
    """The client is the last address that none of them is; a Unix socket has a proxy behind it."""
    log = RequestLog(trusted_proxies=["10.0.0.0/8", "2001:db8::/32"])
    assert log.client_ip(peer, forwarded_for) == client


def test_a_socket_that_listens_on_ipv6_has_ipv4_peers_in_their_own_form() -> None:
    assert RequestLog().client_ip("::ffff:192.0.2.1", "") == "192.0.2.1"


def test_a_network_of_ipv4_in_ipv6_is_trusted() -> None:
    log = RequestLog(trusted_proxies=["::ffff:10.0.0.0/104"])
    assert log.client_ip("10.0.0.9", "198.51.100.7") == "198.51.100.7"


def test_one_word_is_a_list_of_one_word() -> None:
    log = RequestLog(health_paths="/up", trusted_proxies="10.0.0.0/8")
    assert log.health_paths == {"/up"}
    assert log.client_ip("10.0.0.9", "198.51.100.7") == "198.51.100.7"


def test_without_trusted_proxies_nobody_is_believed() -> None:
    """Anybody can send the header."""
    assert RequestLog().client_ip("10.0.0.9", "198.51.100.7") == "10.0.0.9"


@pytest.mark.parametrize("header", ["1.2.3.4,", ",1.2.3.4, ,", "1.2.3.4 , 127.0.0.1,"])
def test_empty_elements_of_the_header_are_left_out(header: str) -> None:
    """As of every list in a header (RFC 9110, section 5.6.1)."""
    assert RequestLog(trusted_proxies="127.0.0.1").client_ip("127.0.0.1", header) == "1.2.3.4"


def test_a_proxy_that_is_no_address_is_refused() -> None:
    """The error says what to write."""
    with pytest.raises(SettingsError, match=r"10\.0\.0\.0/8"):
        RequestLog(trusted_proxies=["proxy.example"])
