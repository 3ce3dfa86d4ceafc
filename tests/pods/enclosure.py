"""Namespaces of a node's own: what runs in them leaves nothing behind on this machine."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAMS = ("ip", "nft", "nsenter", "runc", "unshare")
"""What it, and what runs in it, needs of the machine."""
_CGROUPS = Path("/sys/fs/cgroup")
_WRITTEN_TO = ("/run", "/var/lib", "/var/log")
"""Where a node writes, whatever it is told: folders of its own in their places."""
_STOP_S = 60


class Enclosure:
    """Processes, mounts and a network apart, with one cable to this machine.

    Args:
        folder: takes what is written in it.

    Attributes:
        address: its own on the cable.
        within: what runs a command in it.
        cgroup: where its containers belong.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        mark = secrets.token_hex(3)
        self.cgroup = f"/lokikit-{mark}"
        self._cable = f"lokikit{mark}"
        # Of the addresses that are set apart for tests of networks (RFC 2544).
        network = f"198.18.{random.randrange(256)}"
        self._here, self.address = f"{network}.1", f"{network}.2"
        self._started: list[subprocess.Popen[bytes]] = []
        self.within: list[str] = []

    def start(self) -> None:
        """Make it; it is empty then."""
        flags = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        # A shell takes in what its children leave behind, as an init does.
        command = ["unshare", *flags, "sh", "-c", "while sleep 9999; do :; done"]
        process = subprocess.Popen(command)
        self._started.append(process)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        inner = eventually(lambda: children.read_text().split())[0]
        # All is apart, and /proc is its own, before it becomes the shell.
        eventually(lambda: Path(f"/proc/{inner}/comm").read_text() == "sh\n")
        self.within = ["nsenter", f"--target={inner}", "--mount", "--net", "--pid"]
        for place in _WRITTEN_TO:
            own = self._folder / place.lstrip("/")
            own.mkdir(parents=True)
            self.run("mount", "--bind", str(own), place)
        self.run("ip", "link", "set", "lo", "up")
        ends = ("type", "veth", "peer", "eth0", "netns", inner)
        _run("ip", "link", "add", self._cable, *ends)
        _run("ip", "address", "add", f"{self._here}/30", "dev", self._cable)
        _run("ip", "link", "set", self._cable, "up")
        self.run("ip", "address", "add", f"{self.address}/30", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "route", "add", "default", "via", self._here)
        for group in self._cgroups():
            group.mkdir()

    def run(self, *command: str) -> str:
        """What a command in it printed."""
        return _run(*self.within, *command)

    def start_process(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """A command in it, until the end; its output is in the folder."""
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen([*self.within, *command], stdout=log, stderr=log)
        self._started.append(process)
        return process

    def stop(self) -> None:
        """End all that runs in it, and remove it."""
        for process in self._started:
            process.kill()
            process.wait(_STOP_S)
        for group in self._cgroups():
            eventually(lambda group=group: _is_gone(group), within_s=60)
        for place in _WRITTEN_TO:
            shutil.rmtree(self._folder / place.lstrip("/"), ignore_errors=True)

    def _cgroups(self) -> Iterator[Path]:
        """The folders of `cgroup`: one, or one for each controller (cgroup v1)."""
        if (_CGROUPS / "cgroup.controllers").exists():
            yield _CGROUPS / self.cgroup.lstrip("/")
            return
        for root in _CGROUPS.iterdir():
            if root.is_dir() and not root.is_symlink():
                yield root / self.cgroup.lstrip("/")


def _is_gone(group: Path) -> bool:
    """Whether a control group is removed: its processes may take a moment to end."""
    if group.is_dir():
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
    return not group.exists()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout
