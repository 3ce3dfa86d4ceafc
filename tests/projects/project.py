"""A stranger's project, put on the kit by the lines of docs/frameworks.md, and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from tests.integration.page import blocks
from tests.waiting import eventually

from lokikit import fields as f
from lokikit.http_requests.request_ids import HEADER
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Sequence

SECTION = "Projects with logging of their own"
_PROGRAMS = Path(sys.executable).parent
_STOP_S = 120
_TIMEOUT_S = 60
_OF_CELERY = ("", "worker: Warm shutdown (MainProcess)")
"""What it writes past logging, from its handler of signals."""
Lines = list[dict[str, Any]]


class Project:
    """A copy of one of the projects, whose programs write into one file each.

    Args:
        name: of its folder here.
        folder: gets the copy.
        files: which of its files the page has lines for.
        variables: of its environment, beside the name of the service.
    """

    def __init__(self, name: str, folder: Path, files: Sequence[str], **variables: str) -> None:
        self.folder = folder / name
        shutil.copytree(Path(__file__).with_name(name), self.folder)
        for file in files:
            _add_lines(next(self.folder.rglob(file)))
        self._variables = variables
        self._programs: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str], **variables: str) -> None:
        """Run a command of this Python's environment; both its outputs go into one file."""
        own = {"SERVICE_NAME": name, "NO_COLOR": "1", "PYTHONPATH": str(kit_root() / "pylib/src")}
        with self._output(name).open("wb") as output:
            self._programs[name] = subprocess.Popen(
                [str(_PROGRAMS / command[0]), *command[1:]],
                cwd=self.folder,
                env={**os.environ, **own, **self._variables, **variables},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def stop(self) -> None:
        """End all programs as an orchestrator does."""
        for program in self._programs.values():
            program.terminate()
        for program in self._programs.values():
            program.wait(_STOP_S)

    def abandon(self) -> None:
        """End what is left of a test that failed."""
        for program in self._programs.values():
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)
                program.wait(_STOP_S)

    def printed(self, name: str) -> list[str]:
        """All that a program has written so far."""
        return self._output(name).read_text().splitlines()

    def lines(self, name: str) -> Lines:
        """That, of which every line must be JSON of the contract."""
        lines = [json.loads(one) for one in self.printed(name) if one not in _OF_CELERY]
        assert all(set(f.REQUIRED_FIELDS) <= set(line) for line in lines)
        return lines

    def _output(self, name: str) -> Path:
        return self.folder / f"{name}.out"


def get(url: str) -> tuple[str, int]:
    """The id of our own that a path was asked for with, and the status of the answer."""
    request_id = uuid.uuid4().hex
    answer = requests.get(url, headers={HEADER: request_id}, timeout=_TIMEOUT_S)
    return request_id, answer.status_code


def wait_until_up(url: str) -> None:
    """Return once a server answers there."""

    def answers() -> bool:
        try:
            return get(url)[1] < 500
        except requests.ConnectionError:
            return False

    eventually(answers, within_s=120)


def ask_for_orders(project: Project, words: Sequence[str], url: str, rounds: int) -> str:
    """Serve the shop by a command, ask it, and stop it; the id of the request that failed.

    It is asked for the orders 0 to `rounds`, for what crashes, and for one order more.
    """
    try:
        project.start("shop", words)
        wait_until_up(f"{url}/orders/0")
        for number in range(1, rounds + 1):
            get(f"{url}/orders/{number}")
        crashed, status = get(f"{url}/crash")
        assert status == 500
        get(f"{url}/orders/{rounds + 1}")
        project.stop()
    finally:
        project.abandon()
    return crashed


def messages(lines: Lines, logger: str) -> Counter[str]:
    """How often each message of a logger, or of those below it, was logged."""
    found = [one for one in lines if f"{one[f.LOGGER]}.".startswith(f"{logger}.")]
    return Counter(one[f.MESSAGE] for one in found)


def add_to_configuration(path: Path) -> None:
    """Put the page's lines of JSON into a file of `logging.config`."""
    (block,) = blocks(SECTION, "json")
    output, configuration = json.loads(block), json.loads(path.read_text())
    configuration["handlers"].update(output["handlers"])
    configuration["root"]["handlers"] += output["root"]["handlers"]
    path.write_text(json.dumps(configuration))


def _add_lines(file: Path) -> None:
    """Put the page's blocks for a file at its top or its end, as their first lines say."""
    for block in blocks(SECTION, "python"):
        if match := re.match(rf"# {re.escape(file.name)}, at the (top|end)\n", block):
            text = file.read_text()
            file.write_text(f"{block}\n{text}" if match[1] == "top" else f"{text}\n{block}")
