"""What a build needs of the machine, checked before it starts: Go, its version, disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    class Usage(Protocol):
        """What `shutil.disk_usage` returns, as far as it is read here."""

        @property
        def free(self) -> int:
            """Bytes that this user may still write."""
            ...


_GB = 1_000_000_000
_SWITCHES_SINCE = (1, 21)
"""The first Go that fetches the version that a go.mod asks for."""
_ASK_TIMEOUT_S = 60
_INSTALL = "install it from https://go.dev/dl/"


@dataclass(frozen=True)
class Disk:
    """What a cold build writes, as measured.

    Args:
        modules_bytes: what it downloads and unpacks into Go's module cache.
        compiled_bytes: what it leaves in Go's build cache, and keeps a second time while it runs.
        result_bytes: the programs.
    """

    modules_bytes: int = 0
    compiled_bytes: int = 0
    result_bytes: int = 0


@dataclass(frozen=True)
class Toolchain:
    """The Go of this machine: the program, its two caches and its GOPROXY."""

    go: Path
    module_cache: Path
    build_cache: Path
    proxy: str


def check_go(module: Path, title: str, environ: Mapping[str, str] = os.environ) -> Toolchain:
    """The Go that builds `title` from `module`.

    Raises:
        PrerequisiteError: there is none, or it is too old and must not fetch a newer one.
    """
    needed = _go_line(module)
    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        raise PrerequisiteError(
            f"{title} is neither on PATH nor built yet, and building it needs Go, which is not "
            f"on PATH: {_INSTALL} ({needed} or newer)."
        )
    answer = _ask(go, environ)
    found = _numbers(answer["GOVERSION"])
    switches = found >= _SWITCHES_SINCE and answer.get("GOTOOLCHAIN", "local") != "local"
    if found and found < _numbers(needed) and not switches:
        raise PrerequisiteError(
            f"building {title} needs Go {needed} or newer, and {go} is {answer['GOVERSION']}: "
            f"{_INSTALL}, or set GOTOOLCHAIN=auto and Go (1.21 or newer) fetches it."
        )
    return Toolchain(
        Path(go), Path(answer["GOMODCACHE"]), Path(answer["GOCACHE"]), answer.get("GOPROXY", "")
    )


def check_disk(
    toolchain: Toolchain,
    target: Path,
    title: str,
    disk: Disk,
    disk_usage: Callable[[Path], Usage] = shutil.disk_usage,
) -> None:
    """Pass when what the caches still lack fits on the file systems that they are on.

    Raises:
        PrerequisiteError: it does not; the text says where and how much.
    """
    uncompiled = _lacks(toolchain.build_cache, disk.compiled_bytes)
    unfetched = _lacks(toolchain.module_cache, disk.modules_bytes)
    needs: dict[int, tuple[Path, int]] = {}
    for path, size in (
        (target, disk.result_bytes + uncompiled),
        (toolchain.module_cache, unfetched),
        (toolchain.build_cache, uncompiled),
    ):
        folder = _existing(path)
        device = folder.stat().st_dev
        first, sum_bytes = needs.get(device, (folder, 0))
        needs[device] = first, sum_bytes + size
    for folder, size in needs.values():
        free = disk_usage(folder).free
        if free < size:
            raise PrerequisiteError(
                f"building {title} writes up to {size / _GB:.1f} GB to the file system of "
                f"{folder}, and {free / _GB:.1f} GB are free: free some, or move the caches "
                "(XDG_CACHE_HOME, GOMODCACHE, GOCACHE) to a larger one."
            )


def _go_line(module: Path) -> str:
    """The version that `module` asks for."""
    found = re.search(r"^go (\S+)$", (module / "go.mod").read_text(), re.MULTILINE)
    return found.group(1) if found else "0"


def _ask(go: str, environ: Mapping[str, str]) -> dict[str, str]:
    """What `go env` says outside of any module, where it never fetches another version."""
    names = ("GOVERSION", "GOTOOLCHAIN", "GOMODCACHE", "GOCACHE", "GOPROXY")
    command = [go, "env", "-json", *names]
    try:
        answer = subprocess.run(
            command,
            cwd=Path(os.sep),
            env=dict(environ),
            capture_output=True,
            check=True,
            timeout=_ASK_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        result = getattr(error, "stderr", None) or str(error).encode()
        cause = result.decode(errors="replace").strip().splitlines()[-1]
        raise PrerequisiteError(f"{go} does not run ({cause}): {_INSTALL} anew.") from error
    return dict(json.loads(answer.stdout))


def _numbers(version: str) -> tuple[int, ...]:
    """`go1.26.5` as (1, 26, 5); empty for a development version."""
    found = re.match(r"(?:go)?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in found.group(1).split(".")) if found else ()


def _lacks(folder: Path, wanted_bytes: int) -> int:
    """What `folder` holds less than `wanted_bytes`. It is not counted any further than that."""
    size = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if size >= wanted_bytes:
                return 0
            with suppress(FileNotFoundError):  # others may be at work in it
                size += Path(parent, name).lstat().st_size
    return max(0, wanted_bytes - size)


def _existing(path: Path) -> Path:
    """`path`, or the nearest folder above it that is there already."""
    return next(folder for folder in (path, *path.parents) if folder.is_dir())
