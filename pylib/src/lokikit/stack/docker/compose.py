"""`docker compose` with the kit's file: found, and run with the kit's variables."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.errors import PrerequisiteError, UnhealthyError
from lokikit.stack.compose_file import compose_file
from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.grafana.provisioning import (
    provisioning_folder,
    smtp_password_file,
    smtp_variables,
)
from lokikit.stack.kit_files import kit_env, kit_root, overlays

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_PROJECT = "lokikit"
PLUGIN = ("docker", "compose")
MOUNTED = {
    "LOKI_SETTINGS": "loki/loki.yaml",
    "FLUENTBIT_SETTINGS": "fluentbit",
    "GRAFANA_SETTINGS": "grafana/dashboards",
}
"""Variable of the Compose file -> what that service has mounted from the kit."""
_SMTP_PASSWORD = Path("/run/secrets/smtp-password")
_ASK_TIMEOUT_S = 10


def project_name(environ: Mapping[str, str] = os.environ) -> str:
    """What Compose calls the stack, and begins the names of its containers and volumes with."""
    return kit_env(environ).get("COMPOSE_PROJECT_NAME") or DEFAULT_PROJECT


def compose_command(environ: Mapping[str, str]) -> tuple[str, ...]:
    """How to run Compose 2 or newer here.

    Raises:
        PrerequisiteError: Docker comes without it.
    """
    if _plugin_major(environ) < 2:  # noqa: PLR2004 - Compose 1 was another program
        raise PrerequisiteError(
            "Docker has no compose plugin of version 2: install docker-compose-plugin from "
            "Docker's packages, or docker-compose-v2 (Ubuntu) or docker-compose (Debian 13)"
        )
    return PLUGIN


@dataclass(frozen=True)
class Compose:
    """Compose at work on one stack.

    Args:
        command: how to run it.
        state: the folder that has the state of the stack.
        environ: the environment that it runs in.
    """

    command: tuple[str, ...]
    state: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def run(self, *arguments: str, quiet: bool = True) -> None:
        """Run it with `arguments`.

        Args:
            arguments: a command of Compose and its options.
            quiet: whether what it says is shown only when it fails.

        Raises:
            UnhealthyError: it failed.
        """
        output = subprocess.PIPE if quiet else None
        done = subprocess.run(
            [*self.command, *self._options(), *arguments],
            env={**self.environ, **self.variables()},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if quiet else None,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = (done.stdout or "see above").strip().splitlines()[-1]
            raise UnhealthyError(f"docker compose {arguments[0]} failed: {said}")

    def _options(self) -> tuple[str, ...]:
        root = str(kit_root())
        used = [compose_file(), *overlays(self.environ)]
        files = [option for file in used for option in ("--file", str(file))]
        name = project_name(self.environ)
        named = ("--project-directory", root, "--env-file", f"{root}/.env", "--project-name", name)
        return (*named, *files, "--profile", "demo")

    def variables(self) -> dict[str, str]:
        """What the Compose file asks for beside the settings in `.env`."""
        made = (provisioning_folder(self.state), smtp_password_file(self.state))
        of_state = {"GRAFANA_SETTINGS": made}
        digests = {
            name: digest([kit_root() / path, *of_state.get(name, ())])
            for name, path in MOUNTED.items()
        }
        return {
            "LOKIKIT_STATE": str(self.state),
            "COMPOSE_PROFILES": "",
            "HOSTNAME": socket.gethostname(),
            "CONTACT_POINTS": str(len(read_contacts(self.environ).ways)),
            **smtp_variables(self.environ, _SMTP_PASSWORD),
            **digests,
        }


def digest(paths: Iterable[Path]) -> str:
    """Stands for the content of files and of folders with all below them."""
    told = hashlib.sha256()
    for path in paths:
        for file in sorted([path, *path.rglob("*")]):
            if file.is_file():
                told.update(f"{file.name}\0".encode() + file.read_bytes())
    return told.hexdigest()[:16]


def _plugin_major(environ: Mapping[str, str]) -> int:
    """The major version of Docker's own Compose, 0 when there is none."""
    try:
        answer = subprocess.run(
            ["docker", "compose", "version", "--short"],  # noqa: S607 - the docker of PATH
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"v?(\d+)\.", answer.stdout)
    return int(found.group(1)) if found and answer.returncode == 0 else 0
