"""A real Loki for every test that asks: the `loki` on PATH, the kit's configuration, own data."""

from __future__ import annotations

import os
import random
import socket
import subprocess
from contextlib import suppress
from itertools import cycle, islice
from typing import TYPE_CHECKING

import pytest
from tests.stack.pushing import Programs
from tests.waiting import eventually

from lokikit.errors import PrerequisiteError
from lokikit.native.loki import is_ready, loki_command, loki_variables, require_loki

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_STOP_S = 60
_FIRST_PORT, _PORTS_EACH = 12_000, 2_000
"""Eight processes' shares end below 32,768, where Linux' own choice begins."""


def free_ports(count: int) -> list[int]:
    """`count` different ports of 127.0.0.1 that nothing listens on.

    They lie below those that systems give to clients, which could take one before a server does,
    and each process of a test run has its own share of them.
    """
    return list(islice(_ports, count))


def _own_ports() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = range(_FIRST_PORT + worker * _PORTS_EACH, _FIRST_PORT + (worker + 1) * _PORTS_EACH)
    for port in cycle(random.sample(share, len(share))):
        with suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            yield port


_ports = _own_ports()


class RunningLoki:
    """One Loki process that can be stopped, killed and started again on the same data and port.

    Args:
        program: the `loki` to run.
        folder: takes its data and its log.
        variables: override what `loki/loki.yaml` reads from the environment.
    """

    def __init__(self, program: Path, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        http_port, grpc_port = free_ports(2)
        self.url = f"http://127.0.0.1:{http_port}"
        self.log = folder / "loki.log"
        self._command = loki_command(program)
        own = loki_variables(folder / "data", http_port, grpc_port)
        self.variables = {**own, **variables}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> RunningLoki:
        """Start it, with further command line `arguments`, and wait until it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command, *arguments],
                env={**os.environ, **self.variables},
                stdout=log,
                stderr=log,
            )
        eventually(self._is_up, within_s=60)
        return self

    @property
    def pid(self) -> int:
        """Of its process."""
        assert self._process is not None
        return self._process.pid

    def stop(self) -> None:
        """End it as `lokikit down` does, and wait until it is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOP_S)

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"Loki ended: {self.log.read_text()[-2000:]}"
        return is_ready(self.url)


@pytest.fixture(scope="session")
def loki_program() -> Path:
    """The `loki` on PATH."""
    try:
        return require_loki()
    except PrerequisiteError as error:
        pytest.skip(f"NOTHING IS TESTED ON A REAL LOKI: {error}")


@pytest.fixture(scope="session")
def loki_url(loki_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a Loki that all tests of the run share; use labels of your own."""
    loki = RunningLoki(loki_program, tmp_path_factory.mktemp("loki"), {}).start()
    yield loki.url
    loki.kill()


@pytest.fixture
def make_loki(
    loki_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningLoki]]:
    """Start Lokis of the test's own: `make_loki(NAME="value of the configuration")`."""
    started: list[RunningLoki] = []

    def make(*arguments: str, **variables: str) -> RunningLoki:
        loki = RunningLoki(loki_program, tmp_path_factory.mktemp("loki"), variables)
        started.append(loki)
        return loki.start(*arguments)

    yield make
    for loki in started:
        loki.kill()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    """Start Python programs; those that are left at the end of the test are ended."""
    started = Programs(tmp_path)
    yield started
    started.end_all()
