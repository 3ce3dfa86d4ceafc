"""A server that takes any push, answers 204, and tells which marked lines it got.

python -m tests.benchmarks.sink PORT
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MARK = re.compile(rb"#(\d+)#")


class Sink(BaseHTTPRequestHandler):
    """Keeps what is pushed until `GET /` asks for its numbers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bodies: list[bytes] = []  # noqa: RUF012 - one sink a process

    def do_POST(self) -> None:
        """Keep the body as it came; it is looked into when nobody is measured."""
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response_only(204)
        self.end_headers()

    def do_GET(self) -> None:
        """The numbers of all lines since the last time, as JSON."""
        numbers = [int(number) for body in self.bodies for number in MARK.findall(plain(body))]
        self.bodies.clear()
        answer = json.dumps(numbers).encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def plain(body: bytes) -> bytes:
    """The body without its compression."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Sink).serve_forever()
