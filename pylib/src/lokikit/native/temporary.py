"""An embedded store for a while: own data, a free port, gone at the end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.native.loki import is_ready
from lokikit.native.store import require_store, store_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_READY_S = 60
_STOP_S = 20
_POLL_S = 0.01
_LOG_CHARS = 2000


@contextmanager
def temporary_store(folder: Path) -> Iterator[str]:
    """The URL of a store with the kit's limits, which ends with the block.

    Args:
        folder: takes its data and its log.

    Raises:
        PrerequisiteError: the store is not installed, or does not start.
    """
    require_store()
    port = _free_port()
    url, log = f"http://127.0.0.1:{port}", folder / "store.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            store_command(folder / "data", port),
            # A service's own settings must not become those of the store.
            env={name: value for name, value in os.environ.items() if not name.startswith("LOKI_")},
            stdin=subprocess.DEVNULL,
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
            raise PrerequisiteError(f"no store starts on {url}: {told or 'it said nothing'}")
        time.sleep(_POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
