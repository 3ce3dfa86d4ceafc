"""Where alerts arrive in these tests: a mail server and a webhook on 127.0.0.1."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class MailSink:
    """A mail server that takes whatever comes; `mails` holds what has come."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        sink = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                """One conversation of SMTP."""
                self._say(220)
                for raw in self.rfile:
                    command = raw.strip().upper()
                    if command == b"DATA":
                        self._say(354)
                        sink.mails.append("".join(self._message()))
                    self._say(221 if command == b"QUIT" else 250)
                    if command == b"QUIT":
                        return

            def _message(self) -> Iterator[str]:
                for raw in self.rfile:
                    if raw.rstrip() == b".":
                        return
                    yield raw.decode(errors="replace")

            def _say(self, code: int) -> None:
                self.wfile.write(b"%d ok\r\n" % code)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()


class WebhookSink:
    """A webhook; `alerts` holds each alert of each call, as Grafana tells it."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        sink = self

        class Call(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """One notification."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sink.alerts += json.loads(body)["alerts"]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def told(self, rule: str, status: str, **labels: str) -> bool:
        """Whether an alert of that rule came: `firing` or `resolved`."""
        wanted = {"rule": rule, **labels}.items()
        return any(
            one["status"] == status and wanted <= one["labels"].items() for one in self.alerts
        )

    def close(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._server.server_close()
