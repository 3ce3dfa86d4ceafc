"""One message of the forward protocol to whoever listens."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

from lokikit.monitoring.forward_protocol import by_driver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def sent(server: socket.socket, answer: Callable[[list[Any]], bytes]) -> tuple[str, list[Any]]:
    """What the way says of a line that is answered so, and the message that came."""
    came: list[Any] = []

    def take() -> None:
        connection, _ = server.accept()
        with connection:
            came.extend(msgpack.unpackb(connection.recv(65536)))
            connection.sendall(answer(came))

    thread = threading.Thread(target=take)
    thread.start()
    reason = by_driver("agent", server.getsockname()[1]).send(b"a line")
    thread.join()
    return reason, came


def test_confirmed(listener: socket.socket) -> None:
    """The line goes as Docker's driver sends it, and a message that is confirmed is no loss."""
    reason, message = sent(listener, lambda came: msgpack.packb({"ack": came[3]["chunk"]}))
    assert reason == ""
    assert message[2]["log"] == "a line"
    assert message[2].keys() == {"container_id", "container_name", "source", "log"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(b"", "it hung up"), (b"\x01", "confirms nothing"), (b"\xc1", "takes nothing")],
)
def test_not_confirmed(listener: socket.socket, answer: bytes, reason: str) -> None:
    """An agent that hangs up or says something else is a reason."""
    assert reason in sent(listener, lambda _: answer)[0]


def test_nobody_listens() -> None:
    """An agent that is not there is reported like an agent that hangs up."""
    assert "the agent takes nothing on port 1: " in by_driver("agent", 1).send(b"a line")
