"""The split files' rotation by the shipped configuration of logrotate, as its page installs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.agent.splitting import append, block, lines_of, new_service, own
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.running import RunningAgent

    MakeAgent = Callable[..., RunningAgent]

ROTATIONS = 5
KEPT = 7
"""`rotate` of the shipped configuration."""


@pytest.fixture
def settings(folder: Path, tmp_path: Path) -> Path:
    """The shipped configuration for this folder, where the page's command installs it."""
    installed = tmp_path / "lokikit"
    command = block("sudo install -m").replace("sudo ", "")
    assert "/etc/logrotate.d/lokikit" in command
    command = command.replace("/etc/logrotate.d/lokikit", str(installed))
    subprocess.run(["sh", "-ec", command], cwd=kit_root(), check=True)  # noqa: S607
    installed.write_text(installed.read_text().replace("/var/log/lokikit/", f"{folder}/"))
    return installed


@pytest.fixture
def rotate(settings: Path, tmp_path: Path) -> Callable[..., None]:
    """Run logrotate on the split files as the page's line for cron does."""
    program = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None:
        pytest.skip("ROTATION IS NOT TESTED: no logrotate on PATH")
    command = block("*/10").partition(" root ")[2].split()
    assert (command[0], command[1], len(command)) == ("logrotate", "--state", 4)

    def run(*options: str) -> None:
        subprocess.run([program, "--state", tmp_path / "state", settings, *options], check=True)

    return run


def test_rotation_under_load_loses_nothing(
    make_agent: MakeAgent, loki_url: str, folder: Path, rotate: Callable[..., None]
) -> None:
    """Each line of several services is in exactly one of the rotated files, whole, in order."""
    services = [new_service() for _ in range(3)]
    agent = make_agent(loki_url, FLUENTBIT_SPLIT_DIR=str(folder)).start()
    ended, written = threading.Event(), dict.fromkeys(services, 0)

    def load() -> None:
        while not ended.wait(0.005):
            for service in services:
                start = written[service]
                lines = [own("info", service, n=number) for number in range(start, start + 10)]
                append(agent, service, lines)
                written[service] += 10

    writer = threading.Thread(target=load)
    writer.start()
    try:
        for _ in range(ROTATIONS):
            eventually((folder / "info.log").exists)
            rotate("--force")
        eventually((folder / "info.log").exists)
    finally:
        ended.set()
        writer.join()
    total = sum(written.values())

    def rotated() -> list[str]:
        paths = sorted(folder.iterdir(), key=_age, reverse=True)
        return [line for path in paths for line in lines_of(path)]

    eventually(lambda: len(rotated()) >= total)
    assert sum(path.suffix == ".gz" for path in folder.iterdir()) == ROTATIONS - 1
    for service in services:
        found = [line for line in rotated() if json.loads(line)["logger"] == service]
        assert found == [own("info", service, n=number) for number in range(written[service])]


def _age(path: Path) -> int:
    """How many rotations ago the file was the one that is written."""
    numbers = [part for part in path.name.split(".") if part.isdecimal()]
    return int(numbers[0]) if numbers else 0


def test_rotation_caps(folder: Path, settings: Path, rotate: Callable[..., None]) -> None:
    """A file is rotated at its size limit and not before; the oldest goes."""
    text = settings.read_text()
    assert "maxsize 100M" in text
    settings.write_text(text.replace("maxsize 100M", "maxsize 100k"))
    log = folder / "info.log"
    log.write_text("x\n")
    rotate()
    assert [path.name for path in folder.iterdir()] == ["info.log"]
    for _ in range(KEPT + 3):
        with log.open("wb") as file:
            file.truncate(101 * 1024)
        rotate()
    assert len(list(folder.iterdir())) == KEPT
    assert time.time() - (folder / "info.log.1").stat().st_mtime < 60
