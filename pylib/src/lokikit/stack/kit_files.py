"""The places of the kit's files, settings and state.

The kit is a checkout of the repository, or the copy of its configuration files that the wheel
carries: `pip install 'lokikit[cli]' && lokikit up` works without a checkout.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from dotenv import dotenv_values

from lokikit.delivery.address import without_api_path
from lokikit.errors import SettingsError
from lokikit.value_kinds import FOLDER

KIT_FILES = (
    ".env",
    "deploy/compose",
    "deploy/demo",
    "docker-compose.yml",
    "fluentbit",
    "grafana",
    "loki",
)
"""What `lokikit up` reads; pylib/hatch_build.py carries it, and the chart, into the wheel."""
KIT_MARK = "lokikit.kit"
"""File by which a folder is known as a kit that `lokikit init` made."""
KIT = "LOKIKIT_KIT"
"""Variable that names the kit for a process in another folder."""
_PACKAGE = Path(__file__).parents[1]
_MAX_PORT = 65535
_SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
_RUNTIMES = ("auto", "docker", "native")
_OVERRIDES = (
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
    "compose.override.yml",
    "compose.override.yaml",
)


def checkout_root() -> Path | None:
    """Return the root of the checkout of this package, `None` for an installed package."""
    root = _PACKAGE.parents[2]
    return root if (root / "pylib/src/lokikit").is_dir() and (root / ".env").is_file() else None


def kit_root(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds `.env`, `loki/` and `deploy/`.

    It is what `LOKIKIT_KIT` names; else the working folder, where `lokikit init` made it a kit;
    else the checkout, or the copy in the package.

    Raises:
        SettingsError: `LOKIKIT_KIT` names a folder without the kit's files.
    """
    if chosen := environ.get(KIT):
        folder = Path(FOLDER.parse(chosen, KIT)).absolute()
        if not any((folder / name).is_file() for name in (".env", KIT_MARK)):
            raise SettingsError(
                f"{KIT}={chosen!r} holds no kit: make one with lokikit init {chosen}."
            )
        return folder
    here = Path.cwd()
    return here if (here / KIT_MARK).is_file() else own_root()


def own_root() -> Path:
    """Return the folder of the files as lokikit comes with them: the checkout or the package."""
    return checkout_root() or _PACKAGE / "_kit"


def rule_files() -> list[Path]:
    """Return the files of the alert rules."""
    return sorted((kit_root() / "grafana/provisioning/alerting").glob("*.yaml"))


def dashboard_files() -> list[Path]:
    """Return the files of the dashboards."""
    return sorted((kit_root() / "grafana/dashboards").glob("*.json"))


def runbooks_file() -> Path:
    """Return the file of the runbooks."""
    return kit_root() / "grafana/RUNBOOKS.md"


def kit_env(environ: Mapping[str, str] = os.environ) -> Mapping[str, str]:
    """Return the kit's `.env`, overridden by `environ`, where an empty variable counts as unset.

    A line that the `.env` of a user's kit lacks is that of the package, as after an upgrade.
    """
    roots = dict.fromkeys((own_root(), kit_root()))
    files = (dotenv_values(root / ".env", interpolate=False) for root in roots)
    stored = {name: value for file in files for name, value in file.items()}
    overrides = {
        name: value
        for name, value in environ.items()
        if value and not _is_service_link(name, value)
    }
    return {**{name: value for name, value in stored.items() if value is not None}, **overrides}


def _is_service_link(name: str, value: str) -> bool:
    """Return True for a variable of Kubernetes, as `LOKI_PORT` for a Service named `loki`."""
    return name.endswith("_PORT") and _SERVICE_LINK.match(value) is not None


def state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that the stack writes to: `LOKIKIT_STATE`, or `.lokikit/` in a checkout."""
    if chosen := environ.get("LOKIKIT_STATE"):
        return Path(FOLDER.parse(chosen, "LOKIKIT_STATE")).absolute()
    if root := checkout_root():
        return root / ".lokikit"
    import platformdirs  # noqa: PLC0415 - the store starts without

    return platformdirs.user_state_path("lokikit")


def asked_runtime(environ: Mapping[str, str] = os.environ) -> str:
    """Return the value of `RUNTIME`: `auto`, `docker` or `native`.

    Raises:
        SettingsError: it has another value.
    """
    chosen = kit_env(environ).get("RUNTIME") or "auto"
    if chosen not in _RUNTIMES:
        raise SettingsError(f"RUNTIME={chosen!r} is no runtime: use {' or '.join(_RUNTIMES)}.")
    return chosen


def overlays(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the Compose files over the kit's own, the first to be laid over it first.

    They are those that `COMPOSE_OVERLAYS` names, in its order: files of `deploy/compose` by name,
    others by path. The last is `docker-compose.override.yml` in the checkout, as Compose has it.

    Raises:
        SettingsError: `COMPOSE_OVERLAYS` names a file that does not exist.
    """
    chosen = kit_env(environ).get("COMPOSE_OVERLAYS", "").replace(",", " ").split()
    there = {file.stem: file for file in sorted((kit_root() / "deploy/compose").glob("*.yml"))}
    own = [path for name in _OVERRIDES if (path := kit_root() / name).is_file()]
    return [*(there.get(name) or _own_overlay(name, there) for name in chosen), *own]


def _own_overlay(name: str, there: Iterable[str]) -> Path:
    path = Path(name).expanduser().absolute()
    if path.is_file():
        return path
    raise SettingsError(
        f"COMPOSE_OVERLAYS={name!r} is none of {', '.join(there)}, and no file of that path."
    )


def port(name: str, environ: Mapping[str, str] = os.environ) -> int:
    """Return the port in the setting `name`.

    Raises:
        SettingsError: it holds no number between 1 and 65535.
    """
    value = kit_env(environ).get(name, "")
    if not value:
        raise SettingsError(f"{name} is empty: set a number from 1 to {_MAX_PORT} in .env.")
    if value.isdecimal() and 0 < int(value) <= _MAX_PORT:
        return int(value)
    raise SettingsError(
        f"{name}={value!r} is not a port: set a number from 1 to {_MAX_PORT} in .env or the shell."
    )


def local_url(key: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of this machine with the port in the setting `key`."""
    return f"http://127.0.0.1:{port(key, environ)}"


def loki_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return `LOKI_URL`, or the address at which `lokikit up` starts Loki."""
    chosen = without_api_path(environ.get("LOKI_URL", ""))
    return chosen or local_url("LOKI_PORT", environ)
