"""What speaks Loki's API in the tests, as a process: a real Loki, and the embedded store."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from tests.forked import STORE, Forked
from tests.ports import free_ports
from tests.waiting import eventually

from lokikit.stack.native.loki import config_file, is_ready, loki_command, loki_variables
from lokikit.stack.native.store import EMBEDDED_PART, LOKI_PART, store_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest
    from typing_extensions import Self

_STOP_S = 60


class Running:
    """One process that can be stopped, killed and started again on the same data and port.

    Args:
        folder: takes its data and its log.
        variables: override what `loki/loki.yaml` reads from the environment.
        limits: laid over the `limits_config` of that file.
    """

    name = ""

    def __init__(
        self,
        folder: Path,
        variables: Mapping[str, str],
        limits: Mapping[str, object] | None = None,
    ) -> None:
        self.folder = folder
        self.port, grpc_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "loki.log"
        self.variables = {**loki_variables(folder / "data", self.port, grpc_port), **variables}
        self._config = _with_limits(folder, limits) if limits else None
        self._process: subprocess.Popen[bytes] | Forked | None = None

    def start(self, *arguments: str) -> Self:
        """Start it, with further command line `arguments`, and wait until it is ready."""
        self._process = self._launch(arguments, {**os.environ, **self.variables})
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

    def _launch(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes] | Forked:
        raise NotImplementedError

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"it ended: {self.log.read_text()[-2000:]}"
        return is_ready(self.url)


class RunningLoki(Running):
    """A real Loki.

    Args:
        program: the `loki` to run.
        folder: as of `Running`.
        variables: likewise.
        limits: likewise.
    """

    name = "loki"

    def __init__(
        self,
        program: Path,
        folder: Path,
        variables: Mapping[str, str],
        limits: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(folder, variables, limits)
        self._program = program

    def _launch(
        self, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        # Of two such flags Loki reads the last.
        own = [f"-config.file={self._config}"] if self._config else []
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*loki_command(self._program), *own, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )


class RunningStore(Running):
    """The embedded store."""

    name = "embedded"

    def _launch(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
        own = ["--config", str(self._config)] if self._config else []
        _, _, _, *where = store_command(Path(self.variables["LOKI_DATA"]), self.port)
        return Forked(STORE, [*where, *own, *arguments], environment, (self.log, self.log))


@dataclass(frozen=True)
class Engine:
    """One of the two, to be started as often as tests want.

    Attributes:
        name: what `STORE` calls it.
        part: what the native stack calls it.
        make: gives one that is not started, for a folder and as keywords what it takes.
    """

    name: str
    part: str
    make: Callable[..., Running]


EMBEDDED = Engine("embedded", EMBEDDED_PART, RunningStore)


def loki_engine(program: Path) -> Engine:
    """The one of a real Loki."""

    def make(*arguments: Any, **options: Any) -> Running:
        return RunningLoki(program, *arguments, **options)

    return Engine("loki", LOKI_PART, make)


def engine_of(request: pytest.FixtureRequest) -> Engine:
    """Return the engine that the parameter of a fixture names."""
    if request.param == EMBEDDED.name:
        return EMBEDDED
    return loki_engine(request.getfixturevalue("loki_program"))


def _with_limits(folder: Path, limits: Mapping[str, object]) -> Path:
    """The kit's configuration with other limits, in `folder`."""
    config = yaml.safe_load(config_file().read_text())
    config["limits_config"] |= limits
    path = folder / "loki.yaml"
    path.write_text(yaml.safe_dump(config))
    return path
