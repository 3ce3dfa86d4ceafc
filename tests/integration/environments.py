"""Python environments with packages of their own, made once for each list of versions."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock
from platformdirs import user_cache_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_UNREACHABLE = ("Retrying (", "NewConnectionError", "ConnectTimeoutError")
"""In what pip says when no package index answers."""


class IndexUnreachableError(Exception):
    """Raised where an environment is not there yet, and pip reaches no package index."""


def environment(name: str, pins: Iterable[str]) -> Path:
    """Return the Python of an environment with these packages.

    Args:
        name: begins the name of its folder.
        pins: lines of a requirements file.

    Raises:
        IndexUnreachableError: see there.
    """
    wanted = [line for line in pins if line and not line.startswith("#")]
    key = hashlib.sha256("\n".join([*wanted, sys.version]).encode()).hexdigest()[:12]
    folder = user_cache_path("lokikit") / f"{name}-{key}"
    python = folder / "bin/python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            _install(python, wanted)
            (folder / "done").touch()
    return python


def environment_or_skip(name: str, pins: Iterable[str], say: Callable[[str], None]) -> Path:
    """Return `environment`'s, or skip the test with one loud line where no index answers."""
    try:
        return environment(name, pins)
    except IndexUnreachableError as error:
        say(f"NOTHING IS TESTED ON {name.upper()}: no package index answers: {error}")
        pytest.skip("no package index answers")


def _install(python: Path, wanted: list[str]) -> None:
    quick = ("--quiet", "--disable-pip-version-check", "--retries", "2")
    command = [str(python), "-m", "pip", "install", *quick, *wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        text = done.stdout + done.stderr
        if any(word in text for word in _UNREACHABLE):
            raise IndexUnreachableError(text.strip().splitlines()[-1])
        raise AssertionError(text)
