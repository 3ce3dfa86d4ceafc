"""A Loki that keeps of each push the tenant, the labels and the line."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.waiting import eventually

if TYPE_CHECKING:
    import ssl


class Pushed(NamedTuple):
    """One entry as it was pushed.

    Args:
        tenant: the header `X-Scope-OrgID`; `None` for no such header.
        labels: of its stream.
        line: as it came.
        metadata: structured metadata.
        path: where it was pushed to.
    """

    tenant: str | None
    labels: dict[str, str]
    line: str
    metadata: dict[str, str]
    path: str


class Sink(ThreadingHTTPServer):
    """Takes pushes on a free port of 127.0.0.1.

    Args:
        status: its answer to each push.
        tls: how it speaks TLS, where it does.

    Attributes:
        entries: all that was pushed.
    """

    daemon_threads = True

    def __init__(self, status: int = 204, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = status
        self.entries: list[Pushed] = []
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def found(self, mark: str) -> Pushed:
        """The entry whose line holds `mark`, waited for."""
        (entry,) = eventually(
            lambda: [one for one in list(self.entries) if mark in one.line], within_s=120
        )
        return entry

    def close(self) -> None:
        """Listen no more."""
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Sink

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tenant = self.headers["X-Scope-OrgID"]
        for stream in body["streams"]:
            for _, line, *metadata in stream["values"]:
                found: dict[str, Any] = metadata[0] if metadata else {}
                pushed = Pushed(tenant, stream["stream"], line, found, self.path)
                self.server.entries.append(pushed)
        self.send_response(self.server.status)
        if self.server.status != 204:
            self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Nothing."""
