"""Pods for an agent on a node: the API server that knows them, and the files of their lines."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.stack.asking import recent_entries
from tests.stack.shipping import append
from tests.waiting import eventually

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from lokikit.query.client import Loki
    from lokikit.query.results import LogEntry

_PART = 16 * 1024
"""A runtime cuts lines at this."""


class ApiServer:
    """What the agent asks of an API server: one pod at a time.

    Args:
        tls: how it speaks TLS, where it does.

    Attributes:
        pods: their metadata by name.
        refusals: the statuses of its next answers; without any it answers about pods.
        speaks: while it is not set, the server takes requests and does not answer.
        asked: how many requests came in.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.pods: dict[str, dict[str, Any]] = {}
        self.refusals: list[int] = []
        self.speaks = threading.Event()
        self.speaks.set()
        self.asked = 0
        server = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                server.speaks.wait()
                _, _, _, _, namespace, _, name = self.path.split("/")
                metadata = server.pods.get(name)
                answer = 404 if metadata is None else 200
                self.send_response(server.refusals.pop() if server.refusals else answer)
                pod = {"metadata": {"name": name, "namespace": namespace, **(metadata or {})}}
                body = json.dumps({**pod, "spec": {"nodeName": "node-7"}, "status": {}}).encode()
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        if tls is not None:
            # The handshake belongs to the thread of its connection, not to the one that accepts.
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """End it."""
        self.speaks.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def dropping_port() -> Iterator[int]:
    """A port that answers no packet, as behind a policy that drops them: its backlog is full."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        address = listening.getsockname()
        with suppress(TimeoutError):
            while True:
                opened.enter_context(socket.create_connection(address, timeout=0.5))
        yield address[1]


class Pods:
    """Pods whose lines an agent follows into a Loki.

    Args:
        api: what names them.
        folder: takes their files.
        loki: where their lines are looked for.
    """

    def __init__(self, api: ApiServer, folder: Path, loki: Loki) -> None:
        self._api, self.folder, self._loki = api, folder, loki

    def prints(self, line: str, container: str = "main", **metadata: dict[str, str]) -> str:
        """The name of a new pod that prints one line."""
        pod = f"pod-{uuid.uuid4().hex[:8]}"
        self._api.pods[pod] = metadata
        self.write(self.file(pod, container), line)
        return pod

    def file(self, pod: str, container: str = "main") -> Path:
        """Where the runtime writes what a pod of that name prints."""
        path = self.folder / f"default_{pod}_{uuid.uuid4()}" / container / "0.log"
        path.parent.mkdir(parents=True)
        return path

    def write(self, file: Path, line: str) -> None:
        """Write a line as the runtime does."""
        stamp = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%f}000Z"
        pieces = [line[start:][:_PART] for start in range(0, len(line), _PART)]
        marks = [*("P" * (len(pieces) - 1)), "F"]
        marked = zip(marks, pieces, strict=True)
        append(file, [f"{stamp} stdout {mark} {piece}".encode() for mark, piece in marked])

    def found(self, mark: str) -> LogEntry:
        """The entry of the line that holds `mark`, waited for."""

        def ask() -> list[LogEntry]:
            return recent_entries(self._loki, f'{{service_name=~".+"}} |= "{mark}"')

        (entry,) = eventually(ask, within_s=60)
        return entry


def following(folder: Path, api_url: str) -> dict[str, str]:
    """Variables of an agent that follows pods in a new folder, and asks that API server."""
    folder.mkdir()
    token = folder.with_name("token")
    token.write_text("not asked for")
    return {
        "FLUENTBIT_CONTAINERS": str(folder),
        "KUBE_URL": api_url,
        "KUBE_TOKEN_FILE": str(token),
    }
