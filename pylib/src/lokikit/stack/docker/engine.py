"""The Docker of this machine, through its command line: its daemon, images and containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ASK_TIMEOUT_S = 30
_PROJECT_LABEL = "com.docker.compose.project"
_SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class Container:
    """One container, as the daemon tells it just now.

    Args:
        name: of the container.
        service: the Compose service that it is of.
        status: `running`, `exited`, `restarting` and so on.
        pid: of its main process, `None` when that is not running.
        uptime_s: since it started.
        restarts: how often Docker has started it anew by itself.
        ports: of the host, that it is reached at.
        mounts: folder in the container -> where that is on the daemon's machine.
    """

    name: str
    service: str
    status: str
    pid: int | None
    uptime_s: float
    restarts: int
    ports: frozenset[int]
    mounts: Mapping[str, Path]


def daemon_problem(environ: Mapping[str, str] = os.environ) -> str | None:
    """Why Docker cannot be used here and what to do, `None` when its daemon answers."""
    try:
        answer = _docker(("version", "--format", "{{.Server.Version}}"), environ)
    except PrerequisiteError as error:
        return str(error)
    if answer.returncode == 0:
        return None
    said = _last(answer.stderr)
    refused = "permission denied" in said.lower()
    fix = "add this user to the group docker" if refused else "start it"
    return f"no Docker daemon answers ({said}): {fix}"


def has_image(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether the image is on this machine."""
    return _docker(("image", "inspect", name), environ).returncode == 0


def pull(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Why the image cannot be pulled, `None` when it is here now; Docker shows the progress."""
    command = ["docker", "pull", name]
    done = subprocess.run(
        command, env=dict(environ), stderr=subprocess.PIPE, text=True, check=False
    )
    return None if done.returncode == 0 else _last(done.stderr)


def containers(project: str, environ: Mapping[str, str] = os.environ) -> list[Container]:
    """All containers of a Compose project, those that are not running too.

    Raises:
        PrerequisiteError: the daemon cannot be asked.
    """
    ids = _ask(("ps", "--all", "--quiet", "--filter", f"label={_PROJECT_LABEL}={project}"), environ)
    if not ids.split():
        return []
    return [_container(told) for told in json.loads(_ask(("inspect", *ids.split()), environ))]


def remove_volumes(project: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove all volumes of a Compose project, also those of files that it runs without now.

    Raises:
        PrerequisiteError: the daemon cannot be asked, or somebody uses one of them.
    """
    chosen = f"label={_PROJECT_LABEL}={project}"
    names = _ask(("volume", "ls", "--quiet", "--filter", chosen), environ).split()
    if names:
        _ask(("volume", "rm", *names), environ)


def last_words(name: str, lines: int, environ: Mapping[str, str] = os.environ) -> str:
    """The last lines that the container `name` printed."""
    answer = _docker(("logs", "--tail", str(lines), name), environ)
    return (answer.stdout + answer.stderr).strip()


def _container(told: Mapping[str, Any]) -> Container:
    state, labels = told["State"], told["Config"]["Labels"]
    bound = (told["HostConfig"].get("PortBindings") or {}).values()
    return Container(
        told["Name"].removeprefix("/"),
        labels.get(_SERVICE_LABEL, ""),
        state["Status"],
        state["Pid"] or None,
        _age_s(state["StartedAt"]) if state["Running"] else 0.0,
        told["RestartCount"],
        frozenset(int(one["HostPort"]) for group in bound for one in group or ()),
        {one["Destination"]: Path(one["Source"]) for one in told["Mounts"] if one.get("Source")},
    )


def _age_s(started: str) -> float:
    """Seconds since a time as Docker writes it: RFC 3339, UTC, up to nine digits."""
    since = datetime.strptime(started[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return max(0.0, (datetime.now(timezone.utc) - since).total_seconds())


def _ask(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    answer = _docker(arguments, environ)
    if answer.returncode != 0:
        raise PrerequisiteError(
            f"docker {arguments[0]} fails ({_last(answer.stderr)}): see to the Docker daemon."
        )
    return answer.stdout


def _docker(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What `docker` says and returns.

    Raises:
        PrerequisiteError: there is no `docker`, or it says nothing.
    """
    if shutil.which("docker", path=environ.get("PATH")) is None:
        raise PrerequisiteError("docker is not on PATH: install it")
    try:
        return subprocess.run(
            ["docker", *arguments],  # noqa: S607 - the docker of PATH is meant
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PrerequisiteError(
            f"the Docker daemon does not answer within {_ASK_TIMEOUT_S} s: restart it"
        ) from None


def _last(text: str) -> str:
    """The last line of what a command said."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it says nothing"
