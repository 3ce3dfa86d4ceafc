"""What stands before a remote Loki: TLS, and one `Authorization` that is let in."""

from __future__ import annotations

import http.client
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import trustme

if TYPE_CHECKING:
    from pathlib import Path

_PASSED_ON = ("Content-Type", "Content-Encoding", "X-Scope-OrgID")
_TIMEOUT_S = 30


class Gateway(ThreadingHTTPServer):
    """A gateway on a free port of 127.0.0.1, before the Loki at `upstream`.

    Args:
        upstream: Loki's URL.
        authorization: the header that a request must bear; `None` for no such header.
        tls: what it speaks TLS with; `None` for plain HTTP.

    Attributes:
        refused: how many requests it answered 401.
    """

    daemon_threads = True

    def __init__(
        self, upstream: str, authorization: str | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.authorization = authorization
        self.refused = 0
        if tls:
            # The handshake belongs to the thread of its connection, not to the one that accepts.
            self.socket = tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that the client ends is what some tests are about."""

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()


class Authority:
    """A certificate authority, its certificate in a file, and servers that it vouches for."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.file))

    def server(self, name: str = "127.0.0.1") -> ssl.SSLContext:
        """What a server of that name speaks TLS with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(name).configure_cert(context)
        return context


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Authorization"] != self.server.authorization:
            self.server.refused += 1
            self._answer(401, b"who are you?")
            return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=_TIMEOUT_S)
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        upstream.request("POST", self.path, body, headers)
        answer = upstream.getresponse()
        self._answer(answer.status, answer.read())
        upstream.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status != http.client.NO_CONTENT:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""
