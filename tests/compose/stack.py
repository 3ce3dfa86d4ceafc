"""One stack under test: the `lokikit` that drives it, its containers, what its Loki has."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from docker.errors import NotFound
from tests.compose.images import base_image
from tests.stack.asking import recent_entries
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.query.client import Loki
from lokikit.stack.docker.compose import compose_command
from lokikit.stack.docker.wiring import pipeline_logging
from lokikit.stack.kit_files import kit_env, kit_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from docker import DockerClient
    from docker.models.containers import Container

PIPELINE = ("fluent-bit", "grafana", "loki")
DEMO = ("jobs", "shop", "traffic")
SPEAKING = ("canary", *DEMO)
"""The services whose lines go through the pipeline."""
VERSION = f"test-{secrets.token_hex(4)}"
"""Of the kit's own image while this process tests: built from the sources of now."""
_LIVES_S = 3600
_WRITER = """
import sys, time
count, pause_s, lives_s = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
for number in range(count):
    print("line", number, flush=True)
    if pause_s:
        time.sleep(pause_s)
print("the end", flush=True)
open("/tmp/ended", "w").close()
time.sleep(lives_s)
"""


class DockerStack:
    """A project of its own, on ports of its own.

    Args:
        client: Docker.
        state: the folder of its state.
    """

    def __init__(self, client: DockerClient, state: Path) -> None:
        self.client = client
        self.state = state
        self.project = f"lokikit-test-{secrets.token_hex(4)}"
        keys = [key for key in kit_env({}) if key.endswith("_PORT")]
        with_ports = dict(zip(keys, free_ports(len(keys)), strict=True))
        self.variables = {
            "COMPOSE_PROJECT_NAME": self.project,
            "LOKIKIT_STATE": str(state),
            "LOKIKIT_VERSION": VERSION,
            "RUNTIME": "docker",
            **{key: str(port) for key, port in with_ports.items()},
        }
        self.loki = Loki(f"http://127.0.0.1:{with_ports['LOKI_PORT']}")
        self.output = ""
        """Output of the `up` that brought it up for all tests."""
        self._writers: list[Container] = []

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Output and exit code of `lokikit` with `arguments`."""
        inherited = {name: value for name, value in os.environ.items() if name != "LOKI_URL"}
        return subprocess.run(
            [sys.executable, "-m", "lokikit", *arguments],
            env={**inherited, **self.variables, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Output and exit code of `docker compose` with `arguments`, run in the checkout."""
        return subprocess.run(
            [*compose_command(os.environ), *arguments],
            cwd=kit_root(),
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def containers(self) -> dict[str, Container]:
        """Service -> its container, running or not."""
        chosen = {"label": f"com.docker.compose.project={self.project}"}
        found = self.client.containers.list(all=True, filters=chosen)
        return {one.labels["com.docker.compose.service"]: one for one in found}

    def volumes(self) -> set[str]:
        """The names of its volumes."""
        chosen = {"label": f"com.docker.compose.project={self.project}"}
        return {one.name for one in self.client.volumes.list(filters=chosen)}

    def container(self, service: str) -> Container:
        """The container of `service`."""
        return self.containers()[service]

    def writer(
        self,
        service: str,
        count: int,
        pause_s: float = 0.0,
        *,
        lives: bool = True,
        logging: Mapping[str, Any] | None = None,
    ) -> Container:
        """A started application of a user: it prints `count` numbered lines, and an end."""
        numbers = [count, pause_s, _LIVES_S if lives else 0]
        return self.application(service, _WRITER, *map(str, numbers), logging=logging)

    def application(
        self,
        service: str,
        program: str,
        *arguments: str,
        logging: Mapping[str, Any] | None = None,
    ) -> Container:
        """A started container of a user that runs a Python program; on the pipeline by itself."""
        result = logging or pipeline_logging(self.variables)
        one = self.client.containers.run(
            base_image(),
            ["-c", program, *arguments],
            entrypoint=["python"],
            detach=True,
            labels={"service": service},
            log_config={"Type": result["driver"], "Config": result["options"]},
        )
        self._writers.append(one)
        return one

    def lines(self, service: str) -> Counter[str]:
        """Each line that Loki has of `service`, and how often."""
        found = recent_entries(self.loki, f'{{service_name="{service}"}}')
        return Counter(entry.line for entry in found)

    def caught_up(self, service: str) -> bool:
        """Whether Loki has all that the container of `service` had printed just now."""
        return not printed(self.container(service)) - self.lines(service)

    def await_lines(self, service: str, wanted: Counter[str], within_s: float = 120) -> None:
        """Wait until Loki has each of `wanted`, and fail when it has any of them twice."""
        eventually(lambda: not wanted - self.lines(service), within_s=within_s)
        assert self.lines(service) == wanted

    def remove(self) -> None:
        """Leave nothing: no container, no volume, no network."""
        for one in self._writers:
            with suppress(NotFound):
                one.remove(force=True)
        down = self.run("down", "--volumes", "--yes")
        assert down.returncode == 0, down.stderr
        assert self.volumes() == set()


def numbered(count: int) -> Counter[str]:
    """What a writer prints."""
    return Counter([*(f"line {number}" for number in range(count)), "the end"])


def printed(container: Container) -> Counter[str]:
    """Each line that `container` has printed, as Docker kept them, and how often."""
    return Counter(container.logs().decode().splitlines())
