"""The Docker of this machine, through its command line: its daemon, images and containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lokikit.errors import PrerequisiteError
from lokikit.stack.programs import run

_ASK_TIMEOUT_S = 30
_PROJECT_LABEL = "com.docker.compose.project"
_SERVICE_LABEL = "com.docker.compose.service"


@dataclass(frozen=True)
class Container:
    """The state of a container as the daemon reports it now.

    Args:
        name: name of the container.
        service: the Compose service that it belongs to.
        status: `running`, `exited`, `restarting` and so on.
        pid: process id of its main process, `None` while that does not run.
        uptime_s: seconds since its start, 0 while it does not run.
        restarts: number of times that Docker has restarted it.
        ports: ports of the host that lead to it.
        mounts: folder in the container -> the same folder on the daemon's machine.
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
    """Return the reason why Docker cannot be used, with the fix; `None` when its daemon answers."""
    try:
        answer = run_docker(("version", "--format", "{{.Server.Version}}"), environ)
    except PrerequisiteError as error:
        return str(error)
    if answer.returncode == 0:
        return None
    reason = _last_line(answer.stderr)
    refused = "permission denied" in reason.lower()
    fix = "add this user to the group docker" if refused else "start it"
    return f"no Docker daemon answers ({reason}): {fix}"


def has_image(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return True when the image is on this machine."""
    return run_docker(("image", "inspect", name), environ).returncode == 0


def pull(name: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Pull the image; return the reason of a failure, or `None`. Docker prints the progress."""
    command = ["docker", "pull", name]
    done = subprocess.run(
        command, env=dict(environ), stderr=subprocess.PIPE, text=True, check=False
    )
    return None if done.returncode == 0 else _last_line(done.stderr)


def containers(project: str, environ: Mapping[str, str] = os.environ) -> list[Container]:
    """Return all containers of a Compose project, stopped containers too.

    Raises:
        PrerequisiteError: the daemon does not answer.
    """
    ids = _ask(("ps", "--all", "--quiet", "--filter", f"label={_PROJECT_LABEL}={project}"), environ)
    if not ids.split():
        return []
    return [
        _container(attributes)
        for attributes in json.loads(_ask(("inspect", *ids.split()), environ))
    ]


def remove_volumes(project: str, environ: Mapping[str, str] = os.environ) -> None:
    """Remove all volumes of a Compose project, those of overlays that are not in use now too.

    Raises:
        PrerequisiteError: the daemon does not answer, or a container uses a volume.
    """
    chosen = f"label={_PROJECT_LABEL}={project}"
    names = _ask(("volume", "ls", "--quiet", "--filter", chosen), environ).split()
    if names:
        _ask(("volume", "rm", *names), environ)


def last_words(name: str, lines: int, environ: Mapping[str, str] = os.environ) -> str:
    """Return the last lines that the container printed."""
    answer = run_docker(("logs", "--tail", str(lines), name), environ)
    return (answer.stdout + answer.stderr).strip()


def _container(attributes: Mapping[str, Any]) -> Container:
    state, labels = attributes["State"], attributes["Config"]["Labels"]
    bound = (attributes["HostConfig"].get("PortBindings") or {}).values()
    return Container(
        attributes["Name"].removeprefix("/"),
        labels.get(_SERVICE_LABEL, ""),
        state["Status"],
        state["Pid"] or None,
        _age_s(state["StartedAt"]) if state["Running"] else 0.0,
        attributes["RestartCount"],
        frozenset(int(binding["HostPort"]) for group in bound for binding in group or ()),
        {
            mount["Destination"]: Path(mount["Source"])
            for mount in attributes["Mounts"]
            if mount.get("Source")
        },
    )


def _age_s(started: str) -> float:
    """Return the seconds since a time in Docker's form: RFC 3339, UTC, up to nine digits."""
    since = datetime.strptime(started[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return max(0.0, (datetime.now(timezone.utc) - since).total_seconds())


def _ask(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    answer = run_docker(arguments, environ)
    if answer.returncode != 0:
        raise PrerequisiteError(
            f"docker {arguments[0]} fails ({_last_line(answer.stderr)}): see to the Docker daemon."
        )
    return answer.stdout


def run_docker(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run `docker` and return its exit status and output.

    Raises:
        PrerequisiteError: `docker` is not on PATH, or does not end in time.
    """
    if shutil.which("docker", path=environ.get("PATH")) is None:
        raise PrerequisiteError("docker is not on PATH: install it")
    done = run(["docker", *arguments], environ, _ASK_TIMEOUT_S)
    if done is None:
        raise PrerequisiteError(
            f"the Docker daemon does not answer within {_ASK_TIMEOUT_S} s: restart it"
        )
    return done


def _last_line(text: str) -> str:
    """Return the last line of a command's output that holds text."""
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "no message"
