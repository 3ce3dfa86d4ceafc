"""A real Loki for every test of a framework, and an environment for Rocketry."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from platformdirs import user_cache_path
from tests.stack.conftest import engine, loki_program, loki_url

__all__ = ["engine", "loki_program", "loki_url", "rocketry_python"]

PINS = Path(__file__).with_name("rocketry.txt")


@pytest.fixture(scope="session")
def rocketry_python() -> Path:
    """The Python of an environment with Rocketry, made once for each list of versions."""
    key = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = user_cache_path("lokikit") / f"rocketry-{key}"
    python = folder / "bin/python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--requirement", str(PINS)]
            subprocess.run(pip, check=True)
            (folder / "done").touch()
    return python
