"""What up without the demo, down and clean leave behind; services of a user on the pipeline."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from tests.compose.stack import DockerStack, numbered, printed
from tests.waiting import eventually

from lokikit.docker.compose import compose_command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from docker import DockerClient


@pytest.fixture
def fresh(client: DockerClient, tmp_path: Path) -> Iterator[DockerStack]:
    """A stack that is not up."""
    one = DockerStack(client, tmp_path / "state")
    yield one
    one.remove()


def volumes(stack: DockerStack) -> set[str]:
    """The volumes of the stack."""
    chosen = {"label": f"com.docker.compose.project={stack.project}"}
    return {one.name for one in stack.client.volumes.list(filters=chosen)}


def test_down_keeps_and_clean_removes(fresh: DockerStack) -> None:
    """Down leaves the data and no container; clean asks, and removes only when told so."""
    assert fresh.run("up", "--no-demo").returncode == 0
    writer = fresh.writer("kept", 10)
    fresh.await_lines("kept", numbered(10))
    writer.remove(force=True)
    down = fresh.run("down")
    assert "Stopped fluent-bit, grafana, loki." in down.stdout, down.stderr
    assert fresh.containers() == {}
    assert fresh.run("status").returncode == 1
    assert fresh.run("down", "--volumes").returncode != 0
    assert len(volumes(fresh)) == 3
    assert fresh.run("up", "--no-demo").returncode == 0
    fresh.await_lines("kept", numbered(10))
    assert fresh.run("down", "--volumes", "--yes").returncode == 0
    assert volumes(fresh) == set()
    assert fresh.containers() == {}


def test_demo_goes_when_it_is_not_wanted(fresh: DockerStack) -> None:
    """Up without the demo ends a demo that runs, and leaves the pipeline alone."""
    assert fresh.run("up").returncode == 0
    agent = fresh.container("fluent-bit").id
    up = fresh.run("up", DEMO="off")
    assert "Stopping the demo" in up.stdout, up.stderr
    assert sorted(fresh.containers()) == ["fluent-bit", "fluent-bit-storage", "grafana", "loki"]
    assert fresh.container("fluent-bit").id == agent


def test_wired_services(fresh: DockerStack, tmp_path: Path) -> None:
    """The services of a user's own file log to Loki through the file that `wire` wrote."""
    assert fresh.run("up", "--no-demo").returncode == 0
    image = fresh.container("loki").image.tags[0]
    mine = tmp_path / "compose.yml"
    mine.write_text(f"services:\n  mine:\n    image: {image}\n    command: [-version]\n")
    wire = fresh.run("wire", str(mine), "--write")
    assert wire.returncode == 0, wire.stderr
    compose = compose_command(os.environ, Console(stderr=True))
    files = ["-f", str(mine), "-f", str(tmp_path / "compose.lokikit.yml")]
    project = ["--project-name", f"{fresh.project}-mine"]
    try:
        subprocess.run([*compose, *files, *project, "up", "-d"], check=True, capture_output=True)
        eventually(lambda: any("version" in line for line in fresh.lines("mine")), within_s=60)
    finally:
        subprocess.run([*compose, *files, *project, "down"], check=True, capture_output=True)


def test_container_files(fresh: DockerStack) -> None:
    """With the overlay, the lines of containers on the json-file driver arrive as printed."""
    root = fresh.client.info()["DockerRootDir"]
    up = fresh.run("up", COMPOSE_OVERLAYS="container-files", DOCKER_ROOT=root)
    assert up.returncode == 0, up.stdout + up.stderr
    traffic = fresh.container("traffic")
    assert traffic.attrs["HostConfig"]["LogConfig"]["Type"] == "json-file"
    eventually(lambda: fresh.lines("traffic"), within_s=60)
    traffic.stop()
    fresh.await_lines("traffic", printed(traffic))


def test_auto_takes_docker(fresh: DockerStack) -> None:
    """Where a daemon answers and the images are here, auto means Docker, and says why."""
    up = fresh.run("up", "--no-demo", RUNTIME="auto")
    assert "Runtime: docker (its daemon answers and the images are here)." in up.stdout, up.stderr
