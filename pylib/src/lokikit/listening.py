"""The parts that the servers of the kit share: socket, URL, and the stop by a signal."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from lokikit.errors import PrerequisiteError

_LOOPBACK = "127.0.0.1"
_BACKLOG = 512


class SignalFreeServer(uvicorn.Server):
    """A server that leaves signals to its caller.

    Attributes:
        answering: event that is set once requests are answered.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture no signals: uvicorn would end the process by the signal, not with 0."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets=sockets)
        self.answering.set()

    def stop(self, *_: object) -> None:
        """End `serve`; usable as a signal's handler. A second call does not wait for requests."""
        self.force_exit = self.should_exit
        self.should_exit = True


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """Return a configuration with asyncio and h11 that logs nothing; `options` are further ones."""
    return uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        **options,
    )


def listen(host: str, port: int, server: str) -> socket.socket:
    """Return a socket that listens; port 0 takes a free port, and errors name the `server`.

    Raises:
        PrerequisiteError: the port is taken, or this machine does not have the address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only with the protocol named does asyncio set TCP_NODELAY on its connections; without it
    # each answer on a connection that stays open waits 40 ms for the client's acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PrerequisiteError(
            f"{server} cannot listen on {host}:{port}: {error.strerror or error}; stop what "
            "uses the port, or choose another with --port, or an address of this machine with "
            "--host."
        ) from error
    listener.setblocking(False)
    return listener


def url_of(host: str, listener: socket.socket) -> str:
    """Return the URL of the listener for a browser of this machine."""
    port = listener.getsockname()[1]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        return f"http://{_LOOPBACK}:{port}"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
