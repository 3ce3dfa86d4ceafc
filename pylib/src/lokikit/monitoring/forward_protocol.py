"""A line to the agent in the form of Docker's `fluentd` driver: Fluentd's forward protocol."""

from __future__ import annotations

import socket
import struct
import time
import uuid
from typing import Any

import msgpack

from lokikit.monitoring.round_trip import CheckedWay
from lokikit.times import NS_PER_S

_CONTAINER = "lokikit-check"
_EVENT_TIME_TYPE = 0
_TIMEOUT_S = 5
_ANSWER_BYTES = 4096


def by_driver(name: str, port: int) -> CheckedWay:
    """Return the way through the agent that listens to Docker's driver on `port`."""

    def send(line: bytes) -> str:
        chunk = uuid.uuid4().hex
        try:
            answer = _answer(port, msgpack.packb(_message(line.decode(), chunk)))
        except (OSError, ValueError) as error:
            return f"the agent takes nothing on port {port}: {error}"
        return "" if answer == {"ack": chunk} else f"the agent confirms nothing on port {port}"

    return CheckedWay(name, send)


def _message(line: str, chunk: str) -> list[Any]:
    """Return the bytes of an event that requests an answer under the id `chunk`."""
    now_ns = time.time_ns()
    stamp = struct.pack(">II", *divmod(now_ns, NS_PER_S))
    record = {
        "container_id": chunk,
        "container_name": f"/{_CONTAINER}",
        "source": "stdout",
        "log": line,
    }
    event_time = msgpack.ExtType(_EVENT_TIME_TYPE, stamp)
    return [_CONTAINER, event_time, record, {"chunk": chunk}]


def _answer(port: int, data: bytes) -> Any:
    """Send `data` and return the agent's answer.

    Raises:
        OSError: the agent does not take it, or closes the connection.
        ValueError: the answer is no answer of the protocol.
    """
    with socket.create_connection(("127.0.0.1", port), _TIMEOUT_S) as connection:
        connection.sendall(data)
        answer = connection.recv(_ANSWER_BYTES)
    if not answer:
        raise ConnectionResetError("it hung up")
    return msgpack.unpackb(answer)
