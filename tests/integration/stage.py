"""Real servers and workers with one stdout, the pipe that a `lokikit ship` reads."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.query.client import Loki
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Sequence

APPS = Path(__file__).with_name("apps")
_PROGRAMS = Path(sys.executable).parent
_PACKAGE = str(kit_root() / "pylib/src")
_STOP_S = 120
Lines = list[dict[str, Any]]


class Stage:
    """Programs whose every line, also of stderr, is carried to Loki.

    Args:
        loki_url: where they go.
    """

    def __init__(self, loki_url: str) -> None:
        self._url = loki_url
        self._env = f"it-{uuid.uuid4().hex[:12]}"
        self._start_ns = time.time_ns()
        self._programs: list[subprocess.Popen[bytes]] = []
        read_end, self._pipe = os.pipe()
        ship = [*(sys.executable, "-m", "lokikit", "ship"), "--url", loki_url]
        # What is no JSON arrives under this name.
        self._ship = subprocess.Popen([*ship, "--service", self._env], stdin=read_end)
        os.close(read_end)

    def start(
        self, service: str, command: Sequence[str], folder: Path, **variables: str
    ) -> subprocess.Popen[bytes]:
        """Run a command of this Python's environment, or of the path that it begins with."""
        program = command[0] if "/" in command[0] else str(_PROGRAMS / command[0])
        paths = os.pathsep.join([str(folder), str(APPS), _PACKAGE])
        known = {"SERVICE_NAME": service, "ENV": self._env, "LOG_FORMAT": "json"}
        started = subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1", **known, **variables},
            stdin=subprocess.DEVNULL,
            stdout=self._pipe,
            stderr=self._pipe,
            start_new_session=True,
        )
        self._programs.append(started)
        return started

    def stop(self) -> None:
        """End all programs as an orchestrator does, and wait until Loki has their lines."""
        for one in self._programs:
            one.terminate()
        for one in self._programs:
            one.wait(_STOP_S)
        os.close(self._pipe)
        assert self._ship.wait(_STOP_S) == 0

    def abandon(self) -> None:
        """End what is left of a test that failed."""
        for one in self._programs:
            kill(one)
        self._ship.kill()
        self._ship.wait(_STOP_S)

    def lines(self) -> dict[str, Lines]:
        """The lines in Loki by service, each in the order of time."""
        found: dict[str, Lines] = defaultdict(list)
        query = f'{{env="{self._env}"}}'
        for entry in Loki(self._url).query_range(query, self._start_ns, time.time_ns()):
            found[entry.labels["service_name"]].append(orjson.loads(entry.line))
        return found

    def strays(self) -> list[str]:
        """The lines in Loki that are no JSON."""
        query = f'{{service_name="{self._env}"}}'
        found = Loki(self._url).query_range(query, self._start_ns, time.time_ns())
        return [entry.line for entry in found]


def kill(program: subprocess.Popen[bytes]) -> None:
    """End a program and its children as a power cut does."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait(_STOP_S)


def wait_until_gone(program: subprocess.Popen[bytes]) -> int:
    """The exit code of a program that ends by itself."""
    return program.wait(_STOP_S)
