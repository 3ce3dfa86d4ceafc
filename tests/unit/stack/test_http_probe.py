from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from lokikit.stack.agent_metrics import ask_fluent_bit
from lokikit.stack.http_probe import answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Note who asks."""
        self.server.credentials.append(self.headers["Authorization"])  # type: ignore[attr-defined]
        self.send_response(500 if self.path == "/broken" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """One on this machine, for which `.netrc` has a password."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login ann password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.credentials = []  # type: ignore[attr-defined]
        thread = Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("ask", [answers, ask_fluent_bit])
def test_probe_sends_no_password_of_netrc(
    server: ThreadingHTTPServer, ask: Callable[[str], object]
) -> None:
    assert ask(f"http://127.0.0.1:{server.server_port}")
    assert server.credentials == [None]  # type: ignore[attr-defined]


@pytest.mark.parametrize("ask", [answers, ask_fluent_bit])
def test_probe_of_this_machine_takes_no_proxy(
    server: ThreadingHTTPServer,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[str], object],
) -> None:
    """Behind a corporate proxy each part would be unhealthy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert ask(f"http://127.0.0.1:{server.server_port}")


def test_probe_says_no_of_an_error_and_of_nobody(server: ThreadingHTTPServer) -> None:
    assert not answers(f"http://127.0.0.1:{server.server_port}/broken")
    assert not answers("http://127.0.0.1:1")
