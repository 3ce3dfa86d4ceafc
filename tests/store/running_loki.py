"""A real Loki for the tests, with the kit's own configuration."""

from __future__ import annotations

import os
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running_loki(program: Path, folder: Path) -> Iterator[int]:
    """The port of a Loki that keeps its data in that folder."""
    port, grpc_port = free_ports(2)
    environment = {
        **os.environ,
        "LOKI_BIND": "127.0.0.1",
        "LOKI_PORT": str(port),
        "LOKI_GRPC_PORT": str(grpc_port),
        "LOKI_DATA": str(folder),
    }
    config = kit_root() / "loki/loki.yaml"
    command = [str(program), f"-config.file={config}", "-config.expand-env=true"]
    with (folder / "loki.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        eventually(lambda: is_ready(port))
        yield port
    finally:
        process.terminate()
        process.wait()


def is_ready(port: int) -> bool:
    """Whether what listens there says that it is ready."""
    address = f"http://127.0.0.1:{port}/ready"
    with (
        suppress(urllib.error.URLError, ConnectionError),
        urllib.request.urlopen(address, timeout=5) as answer,
    ):
        return bool(answer.status == 200)
    return False
