"""Files of containers that are rotated, while the agent is there and while it is away."""

from __future__ import annotations

import gzip
import time
import uuid
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.agent.container_files import DockerFile
from tests.agent.pods import Pods, following
from tests.stack.asking import HOUR_NS, recent_entries
from tests.stack.shipping import append
from tests.waiting import eventually

from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.pods import ApiServer
    from tests.agent.running import RunningAgent


class Container:
    """One container: what it has printed, and what Loki has of it.

    Args:
        loki: where its lines should be.
        write: has it print a line.
        rotate: does what its platform does with its file from time to time.
    """

    def __init__(
        self, loki: Loki, write: Callable[[str], object], rotate: Callable[[], object]
    ) -> None:
        self._loki, self._write, self.rotate = loki, write, rotate
        self._mark, self._printed = uuid.uuid4().hex, 0

    def write(self) -> None:
        """Print the next line."""
        self._write(f"{self._mark} {self._printed}")
        self._printed += 1

    def check(self) -> None:
        """See that each line is there once."""
        eventually(lambda: len(self._stored()) >= self._printed, within_s=60)
        assert self._stored() == sorted(f"{self._mark} {one}" for one in range(self._printed))

    def _stored(self) -> list[str]:
        found = recent_entries(self._loki, f'{{service_name=~".+"}} |= "{self._mark}"')
        return sorted(entry.line for entry in found)


@pytest.mark.parametrize("platform", ["kubernetes", "docker-files"])
def test_rotation_loses_nothing(
    platform: str,
    api: ApiServer,
    loki_url: str,
    make_agent: Callable[..., RunningAgent],
    tmp_path: Path,
) -> None:
    """Each line is there once, whatever was rotated in which moment."""
    folder = tmp_path / "containers"
    agent = make_agent(loki_url, platform, **following(folder, api.url)).start()
    if platform == "kubernetes":
        pods = Pods(api, folder, Loki(loki_url))
        file = pods.file("pod-1")
        container = Container(Loki(loki_url), partial(pods.write, file), partial(rotate, file))
    else:
        docker = DockerFile(folder, "shop")
        container = Container(
            Loki(loki_url), lambda line: docker.send(line.encode()), docker.rotate
        )
    for _ in range(2):
        container.write()
        container.check()
        agent.stop()
        container.write()
        container.rotate()
        container.write()
        agent.start()
        container.check()
    for _ in range(2):
        container.write()
        container.rotate()
        container.write()
        container.check()
    agent.stop()
    agent.start()
    container.write()
    container.check()


def test_the_last_hour_of_a_rotated_file(
    api: ApiServer, loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """An agent that comes new sends that, and nothing that Loki might find too far behind."""
    variables = following(tmp_path / "containers", api.url)
    pods, mark = Pods(api, tmp_path / "containers", Loki(loki_url)), uuid.uuid4().hex
    now = datetime.now(timezone.utc)
    minutes = {"old": 61, "young": 59}
    stamps = {name: now - timedelta(minutes=ago) for name, ago in minutes.items()}
    lines = [f"{at:%Y-%m-%dT%H:%M:%S.%fZ} stdout F {mark} {name}" for name, at in stamps.items()]
    rotated = pods.file("pod-1").with_name("0.log.20261121-100000")
    append(rotated, [line.encode() for line in lines])
    make_agent(loki_url, "kubernetes", **variables).start()
    assert pods.found(mark).line == f"{mark} young"


def test_pod_with_log_in_its_name_is_not_rotated(
    api: ApiServer, loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """Its old lines are sent; of its rotated file they are not."""
    variables = following(tmp_path / "containers", api.url)
    pods, mark = Pods(api, tmp_path / "containers", Loki(loki_url)), uuid.uuid4().hex
    at, end = datetime.now(timezone.utc) - timedelta(minutes=61), uuid.uuid4().hex
    file = pods.file("my.log.reader")
    rotated = file.with_name("0.log.20261121-100000")
    for path, name in ((rotated, "sent before"), (file, "of an hour ago")):
        append(path, [f"{at:%Y-%m-%dT%H:%M:%S.%fZ} stdout F {mark} {name}".encode()])
    append(rotated, [f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%S.%fZ} stdout F {end}".encode()])
    make_agent(loki_url, "kubernetes", **variables).start()

    def found() -> set[str]:
        start_ns = time.time_ns() - 2 * HOUR_NS
        query = f'{{service_name=~".+"}} |= "{mark}"'
        return {one.line for one in Loki(loki_url).query_range(query, start_ns, time.time_ns())}

    pods.found(end)
    eventually(lambda: found() == {f"{mark} of an hour ago"})


def rotate(file: Path) -> None:
    """What the kubelet does: compress what was rotated before, and rename the file."""
    for before in file.parent.glob("0.log.*[0-9]"):
        with gzip.open(f"{before}.gz", "wb") as compressed:
            compressed.write(before.read_bytes())
        before.unlink()
    file.rename(f"{file}.{time.time_ns()}")
