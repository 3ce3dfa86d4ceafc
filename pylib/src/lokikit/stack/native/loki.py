"""Loki as one process: which program, its command line, its environment, whether it is ready."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST = (3, 4)
"""The oldest Loki whose configuration knows all that `loki/loki.yaml` sets."""
_VERSION = re.compile(r"version v?(\d+)\.(\d+)([\w.+-]*)")
_CHECK_TIMEOUT_S = 20


def config_file() -> Path:
    """The configuration that every runtime shares."""
    return kit_root() / "loki/loki.yaml"


def find_loki(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The `loki` on PATH that can run the kit's configuration; `None` when there is none."""
    try:
        return require_loki(environ)
    except PrerequisiteError:
        return None


def require_loki(environ: Mapping[str, str] = os.environ) -> Path:
    """The `loki` on PATH that can run the kit's configuration.

    Raises:
        PrerequisiteError: there is none, or it is too old, or it refuses the configuration.
    """
    oldest = ".".join(map(str, OLDEST))
    found = shutil.which("loki", path=environ.get("PATH"))
    if found is None:
        raise PrerequisiteError(f"no Loki on PATH: put Loki {oldest} or newer there")
    program = Path(found)
    text = loki_version(program)
    numbers = tuple(map(int, text.split(".")[:2])) if text else ()
    if numbers < OLDEST:
        raise PrerequisiteError(
            f"{program} is {f'Loki {text}' if text else 'no Loki'}: put Loki {oldest} or newer "
            "on PATH before it"
        )
    if problem := _config_problem(program, environ):
        raise PrerequisiteError(f"{program} (Loki {text}) refuses {config_file()}: {problem}")
    return program


def loki_version(program: Path) -> str:
    """What `program` says its version is; empty when it does not say."""
    done = _run([str(program), "--version"], os.environ)
    found = _VERSION.search(done.stdout + done.stderr) if done else None
    return f"{found[1]}.{found[2]}{found[3]}" if found else ""


def _config_problem(program: Path, environ: Mapping[str, str]) -> str:
    """Why `program` does not run the kit's configuration; empty when it does."""
    done = _run([*loki_command(program), "-verify-config"], environ)
    if done is None:
        return "it does not answer"
    said = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else (said or ["it does not say why"])[-1]


def _run(command: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str] | None:
    """What the command said, `None` when it cannot run or does not end."""
    try:
        return subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def loki_command(program: Path) -> list[str]:
    """The command line that runs `program` with the kit's configuration."""
    return [str(program), f"-config.file={config_file()}", "-config.expand-env=true"]


def loki_variables(data: Path, http_port: int, grpc_port: int) -> dict[str, str]:
    """What the configuration file reads from the environment on this machine."""
    return {
        "LOKI_BIND": "127.0.0.1",
        "LOKI_DATA": str(data),
        "LOKI_PORT": str(http_port),
        "LOKI_GRPC_PORT": str(grpc_port),
    }


def is_ready(url: str) -> bool:
    """Return whether Loki at `url` takes pushes and answers queries."""
    return answers(f"{url}/ready")
