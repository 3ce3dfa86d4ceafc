"""The ports of the stack, checked before anything starts."""

from __future__ import annotations

import errno
import shlex
import socket
from collections.abc import Iterable
from contextlib import suppress

import psutil

from lokikit.errors import PrerequisiteError, SettingsError
from lokikit.stack.native.processes import MARK

_HOST = "127.0.0.1"


def check_distinct(wanted: Iterable[tuple[str, int]]) -> None:
    """Return when no two keys of `.env` hold the same port.

    Raises:
        SettingsError: two keys do.
    """
    keys: dict[int, str] = {}
    for key, port in wanted:
        if port in keys:
            raise SettingsError(
                f"{keys[port]} and {key} are both {port}: change one in .env or the shell."
            )
        keys[port] = key


def check_free(wanted: Iterable[tuple[str, int]]) -> None:
    """Return when a server can listen on the port of each key.

    Raises:
        PrerequisiteError: a program listens there, which the text names if this user may see it;
            or this user may not listen there.
    """
    for key, port in wanted:
        if error := _listening_error(port):
            cause = (
                f"is taken by {_holder(port)}: stop that, or set {key} to a free port"
                if error.errno == errno.EADDRINUSE
                else f"cannot be used ({error.strerror}): set {key} to another, from 1024 on"
            )
            raise PrerequisiteError(f"port {port} ({key}) {cause} in .env or the shell.")


def _listening_error(port: int) -> OSError | None:
    """Return why no server can listen there now; `None` when one can."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_HOST, port))
        except OSError as error:
            return error
        return None


def _holder(port: int) -> str:
    """Return which program listens on `port`, if this user may see it."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            here = connection.laddr and connection.laddr.port == port
            if here and connection.status == psutil.CONN_LISTEN and connection.pid:
                return _named(psutil.Process(connection.pid))
    return "another program"


def _named(process: psutil.Process) -> str:
    """Return the name of a process; for a part of another stack, how to stop that stack.

    The watch of that stack would start a part again whose process is killed.
    """
    mark = ""
    with suppress(psutil.Error, OSError):
        mark = process.environ().get(MARK, "")
    part, at, state = mark.partition("@")
    if not at:
        return f"{process.name()} (process {process.pid})"
    command = f"LOKIKIT_STATE={shlex.quote(state)} lokikit down"
    return f"{part} of another lokikit stack (process {process.pid}; {command})"
