"""Loki as a process: program, command line, environment, readiness."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from lokikit.errors import PrerequisiteError
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_root
from lokikit.stack.programs import run

OLDEST = (3, 4)
"""The oldest Loki that knows all settings of `loki/loki.yaml`."""
_VERSION = re.compile(r"version v?(\d+)\.(\d+)([\w.+-]*)")


def config_file() -> Path:
    """Return the configuration of all runtimes."""
    return kit_root() / "loki/loki.yaml"


def require_loki(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the `loki` on PATH that can run the kit's configuration.

    Raises:
        PrerequisiteError: it is missing or too old, or refuses the configuration.
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
    """Return the version of `program`; empty when it prints none."""
    done = run([str(program), "--version"])
    found = _VERSION.search(done.stdout + done.stderr) if done else None
    return f"{found[1]}.{found[2]}{found[3]}" if found else ""


def _config_problem(program: Path, environ: Mapping[str, str]) -> str:
    """Return why `program` refuses the kit's configuration; empty when it accepts it."""
    done = run([*loki_command(program), "-verify-config"], environ)
    if done is None:
        return "it does not answer"
    said = (done.stderr or done.stdout).strip().splitlines()
    return "" if done.returncode == 0 else (said or ["it does not say why"])[-1]


def loki_command(program: Path) -> list[str]:
    """Return the command line that runs `program` with the kit's configuration."""
    return [str(program), f"-config.file={config_file()}", "-config.expand-env=true"]


def loki_variables(data: Path, http_port: int, grpc_port: int) -> dict[str, str]:
    """Return the variables that the configuration file reads, for this machine."""
    return {
        "LOKI_BIND": "127.0.0.1",
        "LOKI_DATA": str(data),
        "LOKI_PORT": str(http_port),
        "LOKI_GRPC_PORT": str(grpc_port),
    }


def is_ready(url: str) -> bool:
    """Return True when the Loki at `url` takes pushes and answers queries."""
    return answers(f"{url}/ready")
