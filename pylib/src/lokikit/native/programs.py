"""The programs of the native runtime: taken from PATH, from the cache, or built once."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from rich.console import Console

from lokikit.errors import SettingsError
from lokikit.kit import kit_env, kit_root
from lokikit.native.building import Build, build_lock
from lokikit.native.toolchain import Disk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_VERSION_ARGUMENT = {"lokitool": "version", "helm": "version"}
_ASK_TIMEOUT_S = 10


@dataclass(frozen=True)
class Module:
    """One Go module of the kit: it pins and builds some of the programs.

    Args:
        name: what its programs are of; their cache folder begins with it.
        folder: where its `go.mod` is, from the kit's root.
        setting: `.env` key of its version.
        pin: the Go module whose version that is.
        packages: program -> the Go package that it is built from.
        version_variable: the Go variable that holds the version.
        disk: what a cold build of all of them writes.
        version_prefix: what stands before the number in that variable.
    """

    name: str
    folder: str
    setting: str
    pin: str
    packages: Mapping[str, str]
    version_variable: str
    disk: Disk
    version_prefix: str = ""

    @property
    def path(self) -> Path:
        """The folder of its `go.mod`."""
        return kit_root() / self.folder

    @property
    def pinned(self) -> str:
        """The version that it builds."""
        text = (self.path / "go.mod").read_text()
        found = re.search(rf"^\s*{re.escape(self.pin)} v(\S+)", text, re.MULTILINE)
        return found.group(1) if found else "none"

    def version(self, environ: Mapping[str, str] = os.environ) -> str:
        """The version that is asked for."""
        return kit_env(environ)[self.setting]

    def cache_dir(self, environ: Mapping[str, str] = os.environ) -> Path:
        """Where this user's built programs of it are; a changed pin is another folder."""
        pins = hashlib.sha256((self.path / "go.mod").read_bytes()).hexdigest()[:8]
        programs = platformdirs.user_cache_path("lokikit") / "programs"
        return programs / f"{self.name}-{self.version(environ)}-{pins}"


def _in(folder: str, names: Iterable[str]) -> dict[str, str]:
    """Program -> its Go package, for those that are named after theirs."""
    return {name: f"{folder}/{name}" for name in names}


LOKI = Module(
    "loki",
    "deploy/native",
    "LOKI_VERSION",
    "github.com/grafana/loki/v3",
    _in("github.com/grafana/loki/v3/cmd", ("loki", "logcli", "lokitool", "loki-canary")),
    "github.com/grafana/loki/v3/pkg/util/build.Version",
    Disk(2_400_000_000, 2_300_000_000, 500_000_000),
)
COMPOSE = Module(
    "compose",
    "deploy/native/compose",
    "COMPOSE_VERSION",
    "github.com/docker/compose/v2",
    {"docker-compose": "github.com/docker/compose/v2/cmd"},
    "github.com/docker/compose/v2/internal.Version",
    Disk(460_000_000, 930_000_000, 70_000_000),
)
HELM = Module(
    "helm",
    "deploy/native/helm",
    "HELM_VERSION",
    "helm.sh/helm/v4",
    {"helm": "helm.sh/helm/v4/cmd/helm"},
    "helm.sh/helm/v4/internal/version.version",
    Disk(500_000_000, 1_200_000_000, 90_000_000),
    "v",
)
KUBE = Module(
    "kube",
    "deploy/native/kube",
    "KUBERNETES_VERSION",
    "k8s.io/kubernetes",
    {"kube": "lokikit.invalid/kube", "kube-node": "lokikit.invalid/kube/node"},
    "k8s.io/component-base/version.gitVersion",
    Disk(1_000_000_000, 2_700_000_000, 130_000_000),
    "v",
)
NODE = Module(
    "node",
    "deploy/native/node",
    "CONTAINERD_VERSION",
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
MODULES = (LOKI, COMPOSE, HELM, KUBE, NODE)
_HOME = {program: module for module in MODULES for program in module.packages}


def find_program(name: str, environ: Mapping[str, str] = os.environ) -> Path | None:
    """`name` of the pinned version from PATH or the cache, `None` when it must be built."""
    module = _HOME[name]
    on_path = shutil.which(name, path=environ.get("PATH"))
    if on_path and _version_of(name, on_path) == module.version(environ):
        return Path(on_path)
    built = module.cache_dir(environ) / name
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
        SettingsError: the version in `.env` is not what the kit builds.
    """
    wanted = list(names)
    for module in MODULES:
        of_module = [name for name in wanted if _HOME[name] is module]
        if any(find_program(name, environ) is None for name in of_module):
            _build_missing(module, of_module, environ, console or Console(stderr=True))
    found = {name: find_program(name, environ) for name in wanted}
    return {name: path for name, path in found.items() if path is not None}


def _build_missing(
    module: Module, wanted: Iterable[str], environ: Mapping[str, str], console: Console
) -> None:
    version, target = module.version(environ), module.cache_dir(environ)
    if version != module.pinned:
        raise SettingsError(
            f"{module.setting}={version} cannot be built: the kit pins {module.pinned}. "
            f"Put {module.name} {version} on PATH, or leave {module.setting} as it is in .env."
        )
    with build_lock(target, console):
        missing = [name for name in wanted if find_program(name, environ) is None]
        packages = {name: module.packages[name] for name in missing}
        if packages:
            build = Build(
                packages,
                version,
                module.path,
                target,
                environ,
                f"{module.version_variable}={module.version_prefix}{version}",
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
