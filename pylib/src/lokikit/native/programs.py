"""The programs of the native runtime: taken from PATH, from the cache, or built once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from rich.console import Console

from lokikit.errors import SettingsError
from lokikit.kit import kit_env, kit_root
from lokikit.native.building import Build, build_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGES = {
    "loki": "github.com/grafana/loki/v3/cmd/loki",
    "logcli": "github.com/grafana/loki/v3/cmd/logcli",
    "lokitool": "github.com/grafana/loki/v3/cmd/lokitool",
    "loki-canary": "github.com/grafana/loki/v3/cmd/loki-canary",
}
"""Program -> the Go package that it is built from."""
_VERSION_ARGUMENT = {"lokitool": "version"}
_ASK_TIMEOUT_S = 10


def loki_version(environ: Mapping[str, str] = os.environ) -> str:
    """The pinned version of Loki and its tools."""
    return kit_env(environ)["LOKI_VERSION"]


def module_dir() -> Path:
    """The Go module that pins and builds the programs."""
    return kit_root() / "deploy/native"


def pinned_version() -> str:
    """The version of Loki that the Go module builds."""
    text = (module_dir() / "go.mod").read_text()
    found = re.search(r"^\s*github.com/grafana/loki/v3 v(\S+)", text, re.MULTILINE)
    return found.group(1) if found else "none"


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Where this user's built programs of this version are; a changed pin is another folder."""
    pins = hashlib.sha256((module_dir() / "go.mod").read_bytes()).hexdigest()[:8]
    programs = platformdirs.user_cache_path("lokikit") / "programs"
    return programs / f"loki-{loki_version(environ)}-{pins}"


def find_program(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """`name` of the pinned version from PATH or the cache, `None` when it must be built."""
    on_path = shutil.which(name, path=environ.get("PATH"))
    if on_path and _version_of(name, on_path) == loki_version(environ):
        return Path(on_path)
    built = cache_dir(environ) / name
    return built if built.is_file() else None


def ensure_programs(
    names: Iterable[str],
    environ: Mapping[str, str] = os.environ,
    console: Console | None = None,
) -> dict[str, Path]:
    """Each program's path; what is missing is built, which takes minutes the first time.

    Args:
        names: keys of `PACKAGES`.
        environ: `PATH`, and what Go reads.
        console: shows the progress of a build; stderr when there is none.

    Raises:
        PrerequisiteError: it cannot be built here; the text names the fix.
        SettingsError: `LOKI_VERSION` is not what the kit builds.
    """
    wanted = list(names)
    if any(find_program(name, environ) is None for name in wanted):
        _build_missing(wanted, environ, console or Console(stderr=True))
    found = {name: find_program(name, environ) for name in wanted}
    return {name: path for name, path in found.items() if path is not None}


def _build_missing(wanted: Iterable[str], environ: Mapping[str, str], console: Console) -> None:
    version, target = loki_version(environ), cache_dir(environ)
    if version != pinned_version():
        raise SettingsError(
            f"LOKI_VERSION={version} cannot be built: the kit pins {pinned_version()}. "
            f"Put Loki {version} on PATH, or leave LOKI_VERSION as it is in .env."
        )
    with build_lock(target, console):
        missing = [name for name in wanted if find_program(name, environ) is None]
        packages = {name: PACKAGES[name] for name in missing}
        if packages:
            Build(packages, version, module_dir(), target, environ).run(console)


def _version_of(name: str, program: str) -> str | None:
    """What `program` says its version is, `None` when it says nothing."""
    command = [program, _VERSION_ARGUMENT.get(name, "--version")]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\bversion (\S+)", answer.stdout + answer.stderr)
    return found.group(1).removeprefix("v") if found else None
