"""A Loki for a while: own data, free ports, gone at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.native.loki import is_ready, loki_command, loki_variables, require_loki

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READY_S = 60
_STOP_S = 20
_POLL_S = 0.05
_LOG_CHARS = 2000


@contextmanager
def temporary_loki(folder: Path) -> Iterator[str]:
    """The URL of a Loki with the kit's configuration, which ends with the block.

    Args:
        folder: takes its data and its log.

    Raises:
        PrerequisiteError: there is no `loki` on PATH, or it does not start.
    """
    program = require_loki()
    http_port, grpc_port = _free_ports(2)
    url, log = f"http://127.0.0.1:{http_port}", folder / "loki.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            loki_command(program),
            env={**os.environ, **loki_variables(folder / "data", http_port, grpc_port)},
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_ready(process, url, log)
        yield url
    finally:
        _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline_s = time.monotonic() + _READY_S
    while not is_ready(url):
        if process.poll() is not None or time.monotonic() > deadline_s:
            told = log.read_text(errors="replace")[-_LOG_CHARS:]
            raise PrerequisiteError(f"Loki does not start on {url}: {told or 'it said nothing'}")
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
