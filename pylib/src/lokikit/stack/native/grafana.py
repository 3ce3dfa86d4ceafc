"""Grafana as a part of the native stack, if it is on PATH."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lokikit.stack.compose_file import read_compose_file
from lokikit.stack.grafana.password import password_file
from lokikit.stack.grafana.provisioning import (
    DASHBOARDS,
    dashboards_folder,
    plugins_folder,
    provisioning_folder,
    smtp_password_file,
    smtp_variables,
)
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import local_url, port
from lokikit.stack.native.native_part import NativePart
from lokikit.stack.programs import major_version

GRAFANA_PART = "grafana"
_OLDEST_MAJOR = 11
_VERSION = re.compile(r"version (\d+)\.")
_SHARED = ("/usr/share/grafana", "/usr/local/share/grafana", "/opt/homebrew/share/grafana")
"""The folders in which packages install Grafana's files."""
_WITHIN_S = 180
"""Seconds; the first start migrates an empty database."""
_PASSWORD = "GF_SECURITY_ADMIN_PASSWORD"  # noqa: S105 - the name of a setting


@dataclass(frozen=True)
class Grafana:
    """A Grafana of this machine; the folder `home` has `conf/defaults.ini`."""

    program: Path
    home: Path


def find_grafana(environ: Mapping[str, str] = os.environ) -> Grafana | None:
    """Return the Grafana on PATH, `None` if it is missing, too old or incomplete."""
    found = shutil.which("grafana", path=environ.get("PATH"))
    if not found:
        return None
    beside = Path(found).resolve().parents[1]
    homes = [
        home for home in (beside, *map(Path, _SHARED)) if (home / "conf/defaults.ini").is_file()
    ]
    if not homes:
        return None
    # Packages install a script on PATH that reads the settings of the machine's own Grafana.
    inner = homes[0] / "bin/grafana"
    program = inner if inner.is_file() else Path(found)
    is_new = major_version(program, _VERSION) >= _OLDEST_MAJOR
    return Grafana(program, homes[0]) if is_new else None


def grafana_part(
    grafana: Grafana, state: Path, loki_url: str, environ: Mapping[str, str] = os.environ
) -> NativePart:
    """Return that Grafana as a part of the stack in `state`, after `provision`."""
    web_port = port("GRAFANA_PORT", environ)
    url = local_url("GRAFANA_PORT", environ)
    folder = provisioning_folder(state)
    own = {
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(web_port),
        "GF_PATHS_DATA": str(state / "grafana/data"),
        "GF_PATHS_LOGS": str(state / "grafana/log"),
        "GF_PATHS_PLUGINS": str(plugins_folder(state)),
        "GF_PATHS_PROVISIONING": str(folder),
        _PASSWORD: f"$__file{{{password_file(state)}}}",
        DASHBOARDS: str(dashboards_folder()),
        "LOKI_URL": loki_url,
        "LOKI_ORG_ID": environ.get("LOKI_ORG_ID", ""),
    }
    mail = smtp_variables(environ, smtp_password_file(state))
    return NativePart(
        GRAFANA_PART,
        (str(grafana.program), "server", "--homepath", str(grafana.home)),
        state / "logs/grafana.log",
        url,
        cwd=state,
        variables={**_shared_with_docker(), **mail, **own},
        ports={"GRAFANA_PORT": web_port},
        healthy=lambda: answers(f"{url}/api/health"),
        reads=(*_files(folder), *_files(dashboards_folder()), smtp_password_file(state)),
        within_s=_WITHIN_S,
    )


def _shared_with_docker() -> dict[str, str]:
    """Return the settings of Grafana in the Compose file that hold here too: no calls home."""
    environment = read_compose_file()["services"]["grafana"]["environment"]
    shared = ("GF_LOG_", "GF_ANALYTICS_", "GF_NEWS_", "GF_PLUGINS_")
    return {name: value for name, value in environment.items() if name.startswith(shared)}


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(file for file in sorted(folder.rglob("*")) if file.is_file())
