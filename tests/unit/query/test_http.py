from __future__ import annotations

import base64
import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from lokikit.delivery.push_api import Pusher
from lokikit.errors import LokikitError, RefusedError, SettingsError, UnreachableError
from lokikit.query.client import Loki
from lokikit.query.http import Transport
from lokikit.query.live_tail import open_feed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OK = (200, b'{"status":"success","data":["a"]}')


class Answers(ThreadingHTTPServer):
    """Gives one prepared answer after the other, the last one for ever, and keeps the headers."""

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(answers)
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.more: dict[str, str] = {}
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Answers

    def do_GET(self) -> None:
        """Answer the next."""
        self.server.headers.append(dict(self.headers))
        self.server.paths.append(self.path)
        answers = self.server.answers
        status, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.server.more.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Answers]]:
    """Start servers that give these answers."""
    with contextlib.ExitStack() as stack:

        def start(*answers: tuple[int, bytes]) -> Answers:
            server = stack.enter_context(Answers(*answers))
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
            return server

        yield start


def no_sleep(_: float) -> None:
    """A pause that takes no time."""


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_passing_refusals_are_tried_again(serve: Callable[..., Answers], status: int) -> None:
    """An answer that may change later is asked for again."""
    server = serve((status, b"busy"), (status, b"busy"), OK)
    assert Transport(server.url, sleep=no_sleep).ask("/x", {}) == ["a"]
    assert len(server.headers) == 3


def test_tries_end(serve: Callable[..., Answers]) -> None:
    """After a few tries Loki's refusal is raised, with its reason and status."""
    server = serve((503, b"empty ring\n"))
    with pytest.raises(RefusedError, match=r"\(503\): empty ring$") as caught:
        Transport(server.url, sleep=no_sleep).ask("/x", {})
    assert caught.value.status == 503
    assert len(server.headers) == 4


def test_retry_after_is_honoured(serve: Callable[..., Answers]) -> None:
    """Who asks waits as long as Loki says, and tells the caller where that is too long."""
    pauses_s: list[float] = []
    server = serve((429, b"busy"), OK)
    server.more["Retry-After"] = "7"
    assert Transport(server.url, sleep=pauses_s.append).ask("/x", {}) == ["a"]
    assert pauses_s == [7]
    server = serve((429, b"busy"))
    server.more["Retry-After"] = "7"
    with pytest.raises(RefusedError) as caught:
        Transport(server.url, timeout_s=5, sleep=pauses_s.append).ask("/x", {})
    assert (caught.value.retry_after_s, pauses_s) == (7, [7])


def test_tries_end_at_the_time_limit(serve: Callable[..., Answers]) -> None:
    """No pause is begun that would end behind the time limit."""
    pauses_s: list[float] = []
    with pytest.raises(RefusedError):
        Transport(serve((503, b"")).url, timeout_s=0, sleep=pauses_s.append).ask("/x", {})
    assert pauses_s == []


@pytest.mark.parametrize("status", [401, 403, 404, 413])
def test_lasting_refusals_are_not_tried_again(serve: Callable[..., Answers], status: int) -> None:
    """An answer that will be the same later is raised at once."""
    server = serve((status, b"no"), OK)
    with pytest.raises(RefusedError) as caught:
        Transport(server.url, sleep=no_sleep).ask("/x", {})
    assert caught.value.status == status
    assert len(server.headers) == 1


def test_a_bad_query_is_a_setting(serve: Callable[..., Answers]) -> None:
    """A 400 is the asker's to mend, and its text is Loki's own, on one line."""
    server = serve((400, b"parse error at line 1,\n col 4"))
    with pytest.raises(SettingsError, match=r"parse error at line 1, col 4$"):
        Transport(server.url).ask("/x", {})


def test_a_proxy_that_refuses_is_named_and_not_loki(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    url = "http://loki.example:3100"
    with pytest.raises(UnreachableError, match=r"the proxy in HTTP_PROXY.*Loki's host in NO_PROXY"):
        Transport(url, timeout_s=0).ask("/x", {})
    assert "Loki's host in NO_PROXY" in Pusher(url).push([]).reason


def test_a_server_without_the_api_is_named_without_its_page(serve: Callable[..., Answers]) -> None:
    server = serve((404, b"<!doctype html><title>Not Found</title>"))
    with pytest.raises(RefusedError, match=r"has no API of Loki \(404\): check LOKI_URL\.$"):
        Transport(server.url).ask("/x", {})


def test_an_api_that_loki_has_switched_off_is_no_wrong_address(
    serve: Callable[..., Answers],
) -> None:
    server = serve((404, b"not found"))  # of Loki 3.7 with `volume_enabled: false`
    with pytest.raises(RefusedError, match=r"^Loki at .* refuses the query \(404\): not found$"):
        Transport(server.url).ask("/x", {})


@pytest.mark.parametrize("body", [b"<html>log in</html>", b'"text"', b"{}"])
def test_something_else_answers(serve: Callable[..., Answers], body: bytes) -> None:
    """A page of something that is not Loki is named as such."""
    with pytest.raises(RefusedError, match="is not Loki"):
        Transport(serve((200, body)).url).ask("/x", {})


def test_nothing_there() -> None:
    """Without a server the error says so, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnreachableError, match=r"refused.*is it running\?.*lokikit up"):
        Transport(f"http://127.0.0.1:{port}", sleep=no_sleep).ask("/x", {})


def test_no_answer() -> None:
    """A server that takes the question and stays silent is unreachable after the time limit."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UnreachableError, match="in time"),
    ):
        Transport(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2).ask("/x", {})


def test_tenant_and_token(serve: Callable[..., Answers]) -> None:
    """The tenant and a bearer token go with each question."""
    server = serve(OK)
    Transport(server.url, tenant="shop", auth="secret").ask("/x", {})
    assert server.headers[0]["X-Scope-OrgID"] == "shop"
    assert server.headers[0]["Authorization"] == "Bearer secret"


@pytest.mark.parametrize("in_url", [True, False])
def test_user_and_password(serve: Callable[..., Answers], in_url: bool) -> None:  # noqa: FBT001
    """A user and a password are arguments or in the URL; the URL is shown without them."""
    server = serve(OK)
    address = server.url.replace("//", "//us%40er:pass%3A@") if in_url else server.url
    transport = Transport(address, auth=None if in_url else ("us@er", "pass:"))
    transport.ask("/x", {})
    expected = "Basic " + base64.b64encode(b"us@er:pass:").decode()
    assert server.headers[0]["Authorization"] == expected
    assert transport.url == server.url


@pytest.mark.parametrize("url", ["", "localhost:3100", "ftp://x", "http://"])
def test_bad_url(url: str) -> None:
    """What is no address is refused before anything is sent, with an example."""
    with pytest.raises(LokikitError, match="write it like") as caught:
        Transport(url)
    assert isinstance(caught.value, SettingsError)


@pytest.mark.parametrize("path", ["", "/", "/loki/api/v1/push", "/api/prom/push"])
def test_the_address_for_pushes_is_one_to_ask(serve: Callable[..., Answers], path: str) -> None:
    """`LOKI_URL` serves both ways."""
    server = serve(OK)
    transport = Transport(server.url + path)
    assert transport.ask("/x", {}) == ["a"]
    assert transport.url == server.url


def test_a_query_string_of_the_address_goes_with_each_question(
    serve: Callable[..., Answers],
) -> None:
    server = serve(OK)
    Transport(f"{server.url}/?key=a%20b").ask("/x", {"limit": 1})
    assert server.paths == ["/x?key=a+b&limit=1"]


def test_a_login_page_is_no_loki_that_is_ready(serve: Callable[..., Answers]) -> None:
    assert not Loki(serve((200, b"<html>log in</html>")).url).ready()
    assert Loki(serve((200, b"ready\n")).url).ready()


def test_a_query_string_of_the_address_goes_with_a_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses: list[str] = []

    def refuse(address: str, **_: object) -> None:
        addresses.append(address)
        raise OSError

    monkeypatch.setattr("lokikit.query.live_tail.connect", refuse)
    transport = Transport("http://127.0.0.1:9/loki/api/v1/push?key=k")
    with pytest.raises(UnreachableError), open_feed(transport, "{}"):
        pass
    assert addresses[0].startswith("ws://127.0.0.1:9/loki/api/v1/tail?key=k&query=")
