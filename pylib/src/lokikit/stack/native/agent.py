"""The agent of the native stack: the choice between two, and the start."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from lokikit.delivery.http_session import bundle_of
from lokikit.errors import SettingsError
from lokikit.stack.agent_metrics import HEALTH_PATH, AgentNumbers, ask_fluent_bit, read_ship_stats
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_env, kit_root, local_url, port
from lokikit.stack.native.native_part import NativePart
from lokikit.stack.programs import major_version

FLUENT_BIT, SHIP = "fluent-bit", "ship"
AGENT = "AGENT"
"""Variable that forces an agent; `auto` is Fluent Bit 5 or newer if it is on PATH."""
_OLDEST_MAJOR = 5
_STATS_AGE_S = 15
_VERSION = re.compile(r"v(\d+)\.")
_ACCESS = {"LOKI_TENANT": "LOKI_ORG_ID", "LOKI_USER": "LOKI_USERNAME"}
"""Variable of the agent -> variable of the command line, where the two differ."""
_PORTS = ("FLUENTBIT_HTTP_PORT", "FLUENTBIT_ADMIN_PORT")
_NOT_IN_A_PATH = re.compile(r"[][,*?{}\\\n]|^\s|\s$")
"""Characters in a path that Fluent Bit reads as a separator or a glob, or leaves out."""
_SPLIT_FILES = "FLUENTBIT_SPLIT_"
"""Prefix of the variables of docs/split-files.md, which are settings of the agent."""


def find_fluent_bit() -> Path | None:
    """Return the Fluent Bit on PATH, `None` if it is missing or too old for the kit."""
    found = shutil.which(FLUENT_BIT)
    if not found or major_version(Path(found), _VERSION) < _OLDEST_MAJOR:
        return None
    return Path(found)


def choose_agent(state: Path, environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the name of the agent, and the reason for it.

    An agent that has carried files of this stack before stays, because only it has the positions.

    Raises:
        SettingsError: `AGENT` has an unknown value, or names an agent that is not installed.
    """
    asked = kit_env(environ).get(AGENT) or "auto"
    if asked not in {"auto", FLUENT_BIT, SHIP}:
        raise SettingsError(f"{AGENT}={asked!r} is no agent: use auto, {FLUENT_BIT} or {SHIP}.")
    program = find_fluent_bit()
    if asked == FLUENT_BIT and program is None:
        raise SettingsError(
            f"{AGENT}={FLUENT_BIT} needs Fluent Bit {_OLDEST_MAJOR} or newer on PATH: install it, "
            f"or leave {AGENT} out."
        )
    if asked != "auto":
        return asked, f"{AGENT} asks for it"
    if program is None:
        return SHIP, f"no Fluent Bit {_OLDEST_MAJOR} on PATH"
    if _ship_positions(state).exists() and not (_storage(state) / "files.db").exists():
        return SHIP, "it has carried these files so far; make clean to begin with Fluent Bit"
    return FLUENT_BIT, f"{program} is on PATH"


def agent_part(state: Path, loki_url: str, environ: Mapping[str, str] = os.environ) -> NativePart:
    """Return the agent that `choose_agent` names, as a part of the stack."""
    name, _ = choose_agent(state, environ)
    if name == FLUENT_BIT:
        return _fluent_bit(state, loki_url, environ)
    return _ship(state, loki_url)


def agent_numbers(state: Path, environ: Mapping[str, str] = os.environ) -> AgentNumbers | None:
    """Return the numbers of the agent of the stack in `state`, `None` without any."""
    name, _ = choose_agent(state, environ)
    if name == SHIP:
        return read_ship_stats(_ship_stats(state))
    return ask_fluent_bit(admin_url(environ), _storage(state))


def agent_source(state: Path, environ: Mapping[str, str] = os.environ) -> str:
    """Return where that agent publishes its numbers: a URL, or a file."""
    name, _ = choose_agent(state, environ)
    return str(_ship_stats(state)) if name == SHIP else admin_url(environ)


def _fluent_bit(state: Path, loki_url: str, environ: Mapping[str, str]) -> NativePart:
    if found := _NOT_IN_A_PATH.search(str(state)):
        raise SettingsError(
            f"Fluent Bit follows no files below {state}, for {found[0]!r} stands for other paths "
            f"there: set LOKIKIT_STATE to a folder without it, or {AGENT}={SHIP}."
        )
    env, files = kit_env(environ), f"{state / 'logs/services'}/*.log"
    folder = kit_root() / "fluentbit"
    settings = folder / "native.yaml"
    url = admin_url(environ)
    return NativePart(
        FLUENT_BIT,
        (str(find_fluent_bit() or FLUENT_BIT), "--config", str(settings)),
        state / "logs/fluent-bit.log",
        files,
        cwd=state,
        variables={
            **_output_variables(loki_url, environ),
            "FLUENTBIT_BIND": "127.0.0.1",
            "FLUENTBIT_FILES": files,
            "HOSTNAME": socket.gethostname(),
            "FLUENTBIT_STORAGE": str(_storage(state)),
            "FLUENTBIT_STORAGE_LIMIT": env["FLUENTBIT_STORAGE_LIMIT"],
            **{key: str(port(key, environ)) for key in _PORTS},
            **{key: env[key] for key in env if key.startswith(_SPLIT_FILES)},
        },
        ports={key: port(key, environ) for key in _PORTS},
        healthy=lambda: answers(url + HEALTH_PATH),
        reads=tuple(path for path in sorted(folder.rglob("*")) if path.is_file()),
    )


def _output_variables(loki_url: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of Fluent Bit's output to that Loki: address, TLS, credentials.

    It trusts the certificates that the commands trust, unless `LOKI_CA_FILE` names others.
    """
    url = urlsplit(loki_url)
    secure = url.scheme == "https"
    authority = environ.get("LOKI_CA_FILE") or _bundle_file(environ)
    access = {name: environ[key] for name, key in _ACCESS.items() if environ.get(key)}
    return {
        "LOKI_HOST": url.hostname or "",
        "LOKI_PORT": str(url.port or (443 if secure else 80)),
        "LOKI_PATH": url.path.rstrip("/"),
        **({"LOKI_TLS": "on"} if secure else {}),
        **({"LOKI_CA_FILE": authority} if secure and authority else {}),
        **access,
    }


def _bundle_file(environ: Mapping[str, str]) -> str:
    """Return the file that `bundle_of` names; empty for a folder, which would end Fluent Bit.

    The path is absolute, because the agent runs in a folder of its own.
    """
    bundle = bundle_of(environ)
    return str(Path(bundle).absolute()) if bundle and not Path(bundle).is_dir() else ""


def _ship(state: Path, url: str) -> NativePart:
    services, stats = glob.escape(str(state / "logs/services")), _ship_stats(state)
    options = ["--url", url, "--positions", str(_ship_positions(state))]
    command = [sys.executable, "-m", "lokikit", "ship", f"{services}/*.log", *options]
    return NativePart(
        SHIP,
        (*command, "--stats", str(stats)),
        state / "logs/ship.log",
        f"{services}/*.log",
        cwd=state,
        healthy=lambda: _ships(stats),
        stale=(stats,),
    )


def _ships(stats: Path) -> bool:
    """Return True when the agent has lately reported that it reaches Loki."""
    try:
        counts = json.loads(stats.read_bytes())
    except (OSError, ValueError):
        return False
    age_s = (time.time_ns() - counts["time_ns"]) / 1e9
    # Before its first line the agent does not connect.
    return age_s < _STATS_AGE_S and bool(counts["connected"] or not counts["read"])


def admin_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return the URL of Fluent Bit's health and numbers."""
    return local_url("FLUENTBIT_ADMIN_PORT", environ)


def _storage(state: Path) -> Path:
    return state / FLUENT_BIT


def _ship_positions(state: Path) -> Path:
    """Return a file of the stack's own: a `lokikit ship` by hand uses `positions.json`."""
    return state / "ship/stack.json"


def _ship_stats(state: Path) -> Path:
    return state / "ship/stats.json"
