"""Numbered lines for an agent: into a file that it follows, or as Docker's fluentd driver does."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

import msgpack

from lokikit.output.timestamps import StampClock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_ACK_S = 10
_AGAIN_S = 0.1
_STEP_S = 0.05
_EVENT_TIME_TYPE = 0


class Source(Protocol):
    """Whatever gets lines to the agent."""

    def write(self, lines: Iterable[str]) -> None:
        """Hand over lines, each whole."""


def json_lines(service: str, count: int, start: int = 0) -> Iterator[str]:
    """Lines under the contract, with timestamps of their own."""
    clock = StampClock()
    for number in range(start, start + count):
        line = {
            "timestamp": clock.stamp(time.time()).decode() + "Z",
            "level": "info",
            "message": f"line 0 {number}",
            "service": service,
            "env": "test",
        }
        yield json.dumps(line, separators=(",", ":"))


def plain_lines(_service: str, count: int, start: int = 0) -> Iterator[str]:
    """Lines that are no JSON, and so have no timestamp."""
    for number in range(start, start + count):
        yield f'said "message":"line 0 {number}"'


class File:
    """A file that the agent follows; its name is the service of lines that name none."""

    def __init__(self, logs: Path, service: str) -> None:
        self.path = logs / f"{service}.log"
        self.again = 0

    def write(self, lines: Iterable[str]) -> None:
        """Append them in one write."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, "".join(f"{line}\n" for line in lines).encode())
        finally:
            os.close(descriptor)


class Driver:
    """What Docker's fluentd driver does with `fluentd-request-ack`, for one container.

    A message at a time; one that is not acknowledged goes out again on a new connection.

    Args:
        port: where the agent takes the forward protocol.
        container: its name.

    Attributes:
        again: how many messages were sent more than once.
    """

    def __init__(self, port: int, container: str = "") -> None:
        self.again = 0
        self._port = port
        self._container = container
        self._id = uuid.uuid4().hex
        self._connection: socket.socket | None = None
        self._closed = threading.Event()

    def write(self, lines: Iterable[str]) -> None:
        """Send them, each until it is acknowledged."""
        for line in lines:
            self.send(line)

    def send(self, log: str | bytes, **fields: str) -> None:
        """Send one message until it is acknowledged, or until `close`."""
        chunk = uuid.uuid4().hex
        record = {
            "container_id": self._id,
            "container_name": f"/{self._container}",
            "source": "stdout",
            "log": log,
            **fields,
        }
        message = [f"docker.{self._container}", _event_time(), record, {"chunk": chunk}]
        # As strings, also what is no UTF-8: Docker's driver does not look.
        data = msgpack.packb(message, use_bin_type=False)
        while not self._is_taken(data, chunk):
            self._disconnect()
            self.again += 1
            if self._closed.wait(_AGAIN_S):
                return

    def close(self) -> None:
        """Give up whatever is not acknowledged."""
        self._closed.set()
        self._disconnect()

    def _is_taken(self, data: bytes, chunk: str) -> bool:
        try:
            if self._connection is None:
                self._connection = socket.create_connection(("127.0.0.1", self._port), _ACK_S)
            self._connection.sendall(data)
            return bool(_answer(self._connection) == {"ack": chunk})
        except OSError:
            return False

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Feeding:
    """Lines that a thread hands to a source, evenly over some seconds.

    Args:
        source: takes them.
        lines: all of them.
        rate: lines a second.
    """

    def __init__(self, source: Source, lines: Iterable[str], rate: float) -> None:
        self._source = source
        self._lines = iter(lines)
        self._each = max(1, int(rate * _STEP_S))
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._feed, daemon=True)
        self._thread.start()

    def join(self, within_s: float = 600) -> None:
        """Wait until all lines are handed over."""
        self._thread.join(within_s)
        assert not self._thread.is_alive(), "not all lines were taken"

    def _feed(self) -> None:
        while batch := [line for _, line in zip(range(self._each), self._lines, strict=False)]:
            self._source.write(batch)
            self._ended.wait(_STEP_S)


def _answer(connection: socket.socket) -> Any:
    unpacker = msgpack.Unpacker(raw=False)
    while data := connection.recv(4096):
        unpacker.feed(data)
        for found in unpacker:
            return found
    return None


def _event_time() -> msgpack.ExtType:
    """As the driver sends it with `fluentd-sub-second-precision`."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return msgpack.ExtType(_EVENT_TIME_TYPE, struct.pack(">II", seconds, nanoseconds))
