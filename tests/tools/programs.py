"""Go programs that tests run: taken from PATH, from the cache, or built once.

`python -m tests.tools.programs helm kube` builds those that are missing, where Go is installed.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
import pytest
from rich.console import Console
from tests.tools.building import Build, build_lock
from tests.tools.toolchain import Disk

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION_ARGUMENT = {"helm": "version"}
_MODULES = Path(__file__).parent / "go"
_ASK_TIMEOUT_S = 10


@dataclass(frozen=True)
class Module:
    """One Go module below `tests/tools/go`: it pins and builds some of the programs.

    Args:
        name: its folder; the cache folder of its programs begins with it.
        pin: the Go module whose version that is.
        packages: program -> the Go package that it is built from.
        version_variable: the Go variable that holds the version.
        disk: what a cold build of all of them writes.
        version_prefix: what stands before the number in that variable.
    """

    name: str
    pin: str
    packages: Mapping[str, str]
    version_variable: str
    disk: Disk
    version_prefix: str = ""

    @property
    def path(self) -> Path:
        """The folder of its `go.mod`."""
        return _MODULES / self.name

    @property
    def version(self) -> str:
        """The version that it builds."""
        text = (self.path / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(self.pin)} v(\S+)", text, re.MULTILINE)
        return found.group(1) if found else "none"

    @property
    def cache_dir(self) -> Path:
        """Where this user's built programs of it are; a changed pin is another folder."""
        pins = hashlib.sha256((self.path / "go.mod").read_bytes()).hexdigest()[:8]
        programs = platformdirs.user_cache_path("lokikit") / "programs"
        return programs / f"{self.name}-{self.version}-{pins}"


def _in(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Program -> its Go package, for those that are named after theirs."""
    return {name: f"{folder}/{name}" for name in names}


COMPOSE = Module(
    "compose",
    "github.com/docker/compose/v2",
    {"docker-compose": "github.com/docker/compose/v2/cmd"},
    "github.com/docker/compose/v2/internal.Version",
    Disk(460_000_000, 930_000_000, 70_000_000),
)
HELM = Module(
    "helm",
    "helm.sh/helm/v4",
    {"helm": "helm.sh/helm/v4/cmd/helm"},
    "helm.sh/helm/v4/internal/version.version",
    Disk(500_000_000, 1_200_000_000, 90_000_000),
    "v",
)
KUBE = Module(
    "kube",
    "k8s.io/kubernetes",
    {"kube": "lokikit.invalid/kube", "kube-node": "lokikit.invalid/kube/node"},
    "k8s.io/component-base/version.gitVersion",
    Disk(1_000_000_000, 2_700_000_000, 130_000_000),
    "v",
)
KUBE_OLDEST = replace(KUBE, name="kube-oldest", packages={"kube-oldest": KUBE.packages["kube"]})
NODE = Module(
    "node",
    "github.com/containerd/containerd/v2",
    {
        "dns": "lokikit.invalid/node/dns",
        **_in(
            "github.com/containerd/containerd/v2/cmd",
            ("containerd", "containerd-shim-runc-v2", "ctr"),
        ),
        **_in("github.com/containernetworking/plugins/plugins/main", ("bridge", "loopback")),
        **_in("github.com/containernetworking/plugins/plugins/ipam", ("host-local",)),
    },
    "github.com/containerd/containerd/v2/version.Version",
    Disk(600_000_000, 1_100_000_000, 150_000_000),
)
POLICY = Module(
    "policy",
    "github.com/cloudnativelabs/kube-router/v2",
    {"kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"},
    "github.com/cloudnativelabs/kube-router/v2/pkg/version.Version",
    Disk(500_000_000, 800_000_000, 60_000_000),
)
MODULES = (COMPOSE, HELM, KUBE, KUBE_OLDEST, NODE, POLICY)
_HOME = {program: module for module in MODULES for program in module.packages}


def find_program(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """`name` of the pinned version from PATH or the cache, `None` when it must be built."""
    module = _HOME[name]
    on_path = shutil.which(name, path=environ.get("PATH"))
    if on_path and _version_of(name, on_path) == module.version:
        return Path(on_path)
    built = module.cache_dir / name
    return built if built.is_file() else None


def ensure_programs(
    names: Iterable[str],
    environ: Mapping[str, str] = os.environ,
    console: Console | None = None,
) -> dict[str, Path]:
    """Each program's path; what is missing is built, which takes minutes the first time.

    Args:
        names: programs of `MODULES`.
        environ: `PATH`, and what Go reads.
        console: shows the progress of a build; stderr when there is none.

    Raises:
        PrerequisiteError: it cannot be built here; the text names the fix.
    """
    wanted = list(names)
    for module in MODULES:
        of_module = [name for name in wanted if _HOME[name] is module]
        if any(find_program(name, environ) is None for name in of_module):
            _build_missing(module, of_module, environ, console or Console(stderr=True))
    found = {name: find_program(name, environ) for name in wanted}
    return {name: path for name, path in found.items() if path is not None}


def programs_or_skip(names: Iterable[str], untested: str) -> dict[str, Path]:
    """The same for a test: it is skipped, and `untested` named, where they cannot be built."""
    try:
        return ensure_programs(names)
    except PrerequisiteError as error:
        pytest.skip(f"{untested} NOT TESTED: {error}")


def _build_missing(
    module: Module, wanted: Iterable[str], environ: Mapping[str, str], console: Console
) -> None:
    target = module.cache_dir
    with build_lock(target, console):
        missing = [name for name in wanted if find_program(name, environ) is None]
        packages = {name: module.packages[name] for name in missing}
        if packages:
            build = Build(
                packages,
                module.version,
                module.path,
                target,
                environ,
                f"{module.version_variable}={module.version_prefix}{module.version}",
                module.disk,
            )
            build.run(console)


def _version_of(name: str, program: str) -> str | None:
    """What `program` says its version is, `None` when it says nothing."""
    command = [program, _VERSION_ARGUMENT.get(name, "--version")]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = answer.stdout + answer.stderr
    found = re.search(r"""\b(?:version |Version:"|Kubernetes )v?([\w.+-]+)""", said)
    return found.group(1) if found else None


def main(names: list[str]) -> None:
    """Build what is missing of `names` before the tests start, where this machine can."""
    try:
        ensure_programs(names)
    except PrerequisiteError as error:
        sys.stderr.write(f"tests: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
