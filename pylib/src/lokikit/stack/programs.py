"""The programs and packages of this machine that the stack looks for and runs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import re

_TIMEOUT_S = 20


def run(
    command: Sequence[str], environ: Mapping[str, str] = os.environ, timeout_s: float = _TIMEOUT_S
) -> subprocess.CompletedProcess[str] | None:
    """Return the result of a command, `None` when it cannot run or does not end in time."""
    try:
        return subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def major_version(program: Path, pattern: re.Pattern[str]) -> int:
    """Return the first group of `pattern` in the output of `program --version`, 0 without."""
    done = run([str(program), "--version"])
    found = pattern.search(done.stdout) if done else None
    return int(found[1]) if found else 0


def missing_packages(names: Iterable[str]) -> list[str]:
    """Return the packages of `names` that are not installed."""
    return [name for name in names if importlib.util.find_spec(name) is None]
