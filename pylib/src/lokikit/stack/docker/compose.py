"""`docker compose` on the kit's file, with the kit's variables."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lokikit.errors import PrerequisiteError, UnhealthyError
from lokikit.stack.compose_file import compose_file
from lokikit.stack.docker.engine import run_docker
from lokikit.stack.env_settings import memory_mib
from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.grafana.provisioning import (
    provisioning_folder,
    smtp_password_file,
    smtp_variables,
)
from lokikit.stack.kit_files import kit_env, kit_root, overlays

DEFAULT_PROJECT = "lokikit"
PLUGIN = ("docker", "compose")
MOUNTED = {
    "LOKI_SETTINGS": "loki/loki.yaml",
    "FLUENTBIT_SETTINGS": "fluentbit",
    "GRAFANA_SETTINGS": "grafana/dashboards",
}
"""Variable of the Compose file -> the part of the kit that its service mounts."""
_SMTP_PASSWORD = Path("/run/secrets/smtp-password")


def project_name(environ: Mapping[str, str] = os.environ) -> str:
    """Return Compose's name of the stack, which begins the names of containers and volumes."""
    return kit_env(environ).get("COMPOSE_PROJECT_NAME") or DEFAULT_PROJECT


def compose_command(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the command that runs Compose 2 or newer.

    Raises:
        PrerequisiteError: Docker is not on PATH or has no such plugin.
    """
    if _plugin_major(environ) < 2:  # noqa: PLR2004 - Compose 1 was another program
        raise PrerequisiteError(
            "Docker has no compose plugin of version 2: install docker-compose-plugin from "
            "Docker's packages, or docker-compose-v2 (Ubuntu) or docker-compose (Debian 13)"
        )
    return PLUGIN


@dataclass(frozen=True)
class Compose:
    """Runs Compose for one stack, which keeps its state in the folder `state`."""

    command: tuple[str, ...]
    state: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def run(self, *arguments: str, quiet: bool = True) -> None:
        """Run a command of Compose.

        Args:
            arguments: the command and its options.
            quiet: True hides the output, except the last line of a failure.

        Raises:
            UnhealthyError: the command failed.
        """
        output = subprocess.PIPE if quiet else None
        done = subprocess.run(
            [*self.command, *self._options(), *arguments],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            reason = (done.stdout or "see above").strip().splitlines()[-1]
            raise UnhealthyError(f"docker compose {arguments[0]} failed: {reason}")

    def _environment(self) -> dict[str, str]:
        """Return the environment of the command; Compose takes an empty variable for a value."""
        unset = {name for name in kit_env({}) if not self.environ.get(name)}
        given = {name: value for name, value in self.environ.items() if name not in unset}
        return {**given, **self.variables()}

    def _options(self) -> tuple[str, ...]:
        root = str(kit_root())
        paths = [compose_file(), *overlays(self.environ)]
        files = [option for path in paths for option in ("--file", str(path))]
        name = project_name(self.environ)
        project = ("--project-directory", root, "--project-name", name)
        return (*project, "--env-file", f"{root}/.env", *files, "--profile", "demo")

    def variables(self) -> dict[str, str]:
        """Return the variables that the Compose file reads, except those in `.env`."""
        written = (provisioning_folder(self.state), smtp_password_file(self.state))
        of_state = {"GRAFANA_SETTINGS": written}
        digests = {
            name: digest([kit_root() / path, *of_state.get(name, ())])
            for name, path in MOUNTED.items()
        }
        return {
            "LOKIKIT_STATE": str(self.state),
            "COMPOSE_PROFILES": "",
            "HOSTNAME": socket.gethostname(),
            "LOKI_GOMEMLIMIT": f"{memory_mib(kit_env(self.environ)['LOKI_MEMORY']) * 9 // 10}MiB",
            "CONTACT_POINTS": str(len(read_contacts(self.environ).ways)),
            **smtp_variables(self.environ, _SMTP_PASSWORD),
            **digests,
        }


def digest(paths: Iterable[Path]) -> str:
    """Return a hash of the content of files and of all files in folders."""
    content = hashlib.sha256()
    for path in paths:
        for file in sorted([path, *path.rglob("*")]):
            if file.is_file():
                content.update(f"{file.name}\0".encode() + file.read_bytes())
    return content.hexdigest()[:16]


def _plugin_major(environ: Mapping[str, str]) -> int:
    """Return the major version of Docker's Compose plugin, 0 when Docker has none."""
    answer = run_docker(("compose", "version", "--short"), environ)
    version = re.match(r"v?(\d+)\.", answer.stdout)
    return int(version.group(1)) if version and answer.returncode == 0 else 0
