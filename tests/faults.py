"""A proxy before a real Loki that can be told to misbehave while it runs."""

from __future__ import annotations

import contextlib
import enum
import gzip
import http.client
import socket
import struct
import threading
from collections import Counter
from urllib.parse import urlsplit

POISON = b"poison"
"""What `Mode.POISON` looks for in the body of a push."""

_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER on with no time: closing sends RST instead of FIN."""
_UPSTREAM_TIMEOUT_S = 60
_SLOW_STEPS = 20
_MAX_HEADER_BYTES = 64 * 1024

Head = tuple[str, str, dict[str, str]]


class Mode(enum.Enum):
    """What becomes of a request."""

    PASS = enum.auto()
    REFUSE = enum.auto()
    """Nobody listens; connections that stand are cut."""
    RESET = enum.auto()
    """The connection is reset in the middle of the request; Loki never sees it."""
    ERROR = enum.auto()
    """500; Loki never sees the request."""
    ERROR_AFTER = enum.auto()
    """500, although Loki has stored it."""
    THROTTLE = enum.auto()
    """429 with `Retry-After`; Loki never sees it."""
    SLOW = enum.auto()
    """Loki's answer, in drips over `slow_s`."""
    HALF = enum.auto()
    """Half of Loki's answer, then the end of the connection."""
    HANG = enum.auto()
    """No answer for as long as the mode stays; Loki never sees it."""
    POISON = enum.auto()
    """500 for a push that holds `POISON`, without end; the others pass."""


class FaultProxy:
    """An HTTP proxy on a free port of 127.0.0.1, before `upstream`.

    Args:
        upstream: Loki's URL.
        retry_after_s: what `Mode.THROTTLE` asks for.
        slow_s: how long an answer takes under `Mode.SLOW`.
    """

    def __init__(self, upstream: str, *, retry_after_s: int = 1, slow_s: float = 0.5) -> None:
        self.counts: Counter[Mode] = Counter()
        self.connections = 0
        self._upstream = urlsplit(upstream).netloc
        self._retry_after_s = retry_after_s
        self._slow_s = slow_s
        self._modes: tuple[Mode, ...] = (Mode.PASS,)
        self._turn = 0
        self._changed = threading.Condition()
        self._closed = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def switch(self, *modes: Mode) -> None:
        """From now on requests meet these modes in turn; `Mode.REFUSE` stands alone."""
        assert Mode.REFUSE not in modes[1:], "a port is open or it is not"
        with self._changed:
            was_refusing = self._refuses()
            self._modes, self._turn = modes, 0
            if self._refuses() and not was_refusing:
                _cut(self._listener)  # or accept() would hold on to it
                self._listener.close()
                for one in self._open:
                    _cut(one)
            elif was_refusing and not self._refuses():
                self._listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
            self._changed.notify_all()

    def close(self) -> None:
        """End all connections and the proxy."""
        with self._changed:
            self._closed = True
            _cut(self._listener)
            for one in self._open:
                _cut(one)
            self._changed.notify_all()
        self._thread.join()
        self._listener.close()

    def _refuses(self) -> bool:
        return self._modes == (Mode.REFUSE,)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or not self._refuses())
                continue
            with self._changed:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException), connection:
            try:
                while self._answer(connection):
                    pass
            finally:
                with self._changed:
                    self._open.discard(connection)

    def _next_mode(self) -> Mode:
        with self._changed:
            mode = self._modes[self._turn % len(self._modes)]
            self._turn += 1
            self.counts[mode] += 1
            return mode

    def _answer(self, connection: socket.socket) -> bool:
        """Deal with one request; whether another may follow on this connection."""
        head, rest = _read_head(connection)
        if head is None:
            return False
        mode = self._next_mode()
        if mode is Mode.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            return False
        body = _read_body(connection, head[2], rest)
        if mode is Mode.HANG:
            self._hang()
            return False
        if own := self._own_answer(mode, head, body):
            connection.sendall(own)
            return True
        return self._relay(mode, connection, self._forward(head, body))

    def _relay(self, mode: Mode, connection: socket.socket, data: bytes) -> bool:
        """Hand Loki's answer on as the mode wants; whether the connection stays."""
        if mode is Mode.SLOW:
            self._drip(connection, data)
        elif mode is Mode.HALF:
            connection.sendall(data[: len(data) // 2])
        else:
            connection.sendall(_LOST if mode is Mode.ERROR_AFTER else data)
        return mode is not Mode.HALF

    def _own_answer(self, mode: Mode, head: Head, body: bytes) -> bytes:
        """The proxy's answer in place of Loki's; empty where Loki is to be asked."""
        if mode is Mode.ERROR:
            return _response(500, b"out of order")
        if mode is Mode.THROTTLE:
            return _response(429, b"too fast", f"Retry-After: {self._retry_after_s}\r\n")
        if mode is Mode.POISON and POISON in _plain(head[2], body):
            return _response(500, b"this one again")
        return b""

    def _hang(self) -> None:
        with self._changed:
            modes = self._modes
            self._changed.wait_for(lambda: self._closed or self._modes is not modes)

    def _drip(self, connection: socket.socket, data: bytes) -> None:
        step = len(data) // _SLOW_STEPS + 1
        for start in range(0, len(data), step):
            with self._changed:
                self._changed.wait_for(lambda: self._closed, self._slow_s / _SLOW_STEPS)
            connection.sendall(data[start:][:step])

    def _forward(self, head: Head, body: bytes) -> bytes:
        method, path, headers = head
        upstream = http.client.HTTPConnection(self._upstream, timeout=_UPSTREAM_TIMEOUT_S)
        with contextlib.closing(upstream):
            try:
                upstream.request(method, path, body, headers)
                answer = upstream.getresponse()
                return _response(answer.status, answer.read())
            except OSError as error:
                return _response(502, str(error).encode())


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _read_head(connection: socket.socket) -> tuple[Head | None, bytes]:
    """Method, path and headers of the next request, and what came with them."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part or len(data) > _MAX_HEADER_BYTES:
            return None, b""
        data += part
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return (method, path, headers), rest


def _read_body(connection: socket.socket, headers: dict[str, str], rest: bytes) -> bytes:
    length = int(headers.get("content-length", "0"))
    body = bytearray(rest)
    while len(body) < length:
        part = connection.recv(1 << 20)
        if not part:
            raise ConnectionError("the request broke off")
        body += part
    return bytes(body)


def _plain(headers: dict[str, str], body: bytes) -> bytes:
    return gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body


def _response(status: int, body: bytes, more: str = "") -> bytes:
    length = "" if status == http.client.NO_CONTENT else f"Content-Length: {len(body)}\r\n"
    reason = http.client.responses.get(status, "")
    return f"HTTP/1.1 {status} {reason}\r\n{length}{more}\r\n".encode() + body


_LOST = _response(500, b"stored, but who knows")
