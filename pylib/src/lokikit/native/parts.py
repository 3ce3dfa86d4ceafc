"""What the native stack consists of: each part's command, environment, ports and health."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from lokikit.kit import kit_env, kit_root, port
from lokikit.native.loki import config_file, is_ready, loki_command, loki_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

DEMO_PARTS = ("shop", "jobs", "traffic")
DEMO_MODULES = ("flask", "gunicorn")
RETENTION = "LOKI_RETENTION"
"""`.env` key: how long Loki keeps a line."""
MAX_SERVICE_LOG_BYTES = 64 * 1024 * 1024
_ASK_TIMEOUT_S = 2
_STATS_AGE_S = 15
_SETTLES_S = 1


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Part:
    """One program of the stack.

    Args:
        name: what it is called.
        command: its command line.
        log: gets what it prints.
        where: what to show: its URL, or where its output goes.
        cwd: the folder that it runs in.
        variables: what its environment has beside that of the caller.
        ports: `.env` key -> port that it listens on.
        healthy: whether it works, asked while it runs.
        reads: files whose content counts as a setting of it.
        stale: files of an earlier run that would mislead `healthy`.
        max_log_bytes: a log above this is put aside when it starts; 0 for one log a run.
        within_s: how long it may take to get healthy.
        settles_s: how long it must have run before that counts, for one that cannot be asked.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    where: str
    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    healthy: Callable[[], bool] = _always
    reads: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()
    max_log_bytes: int = 0
    within_s: float = 60
    settles_s: float = 0

    @property
    def settings(self) -> str:
        """A digest of what it is started with: another one means that it must be restarted."""
        content = [one.read_text() for one in self.reads]
        told = json.dumps([self.command, sorted(self.variables.items()), content])
        return hashlib.sha256(told.encode()).hexdigest()[:16]


def missing_demo_modules() -> list[str]:
    """What must be installed before the demo can run."""
    return [name for name in DEMO_MODULES if importlib.util.find_spec(name) is None]


def stack_parts(
    state: Path, loki: Path, *, demo: bool, environ: Mapping[str, str] = os.environ
) -> list[Part]:
    """The parts in the order in which they start.

    Args:
        state: the folder that they write to.
        loki: the program.
        demo: whether the demo is one of them.
        environ: overrides the kit's `.env`.
    """
    parts = [_loki(state, loki, environ)]
    parts.append(_ship(state, parts[0].where))
    return [*parts, *_demo(state, port("DEMO_PORT", environ))] if demo else parts


def _loki(state: Path, program: Path, environ: Mapping[str, str]) -> Part:
    ports = {key: port(key, environ) for key in ("LOKI_PORT", "LOKI_GRPC_PORT")}
    url = f"http://127.0.0.1:{ports['LOKI_PORT']}"
    return Part(
        "loki",
        tuple(loki_command(program)),
        state / "logs/loki.log",
        url,
        cwd=state,
        variables={
            **loki_variables(state / "loki", *ports.values()),
            RETENTION: kit_env(environ)[RETENTION],
        },
        ports=ports,
        healthy=lambda: is_ready(url),
        reads=(config_file(),),
    )


def _ship(state: Path, url: str) -> Part:
    services, stats = state / "logs/services", state / "ship/stats.json"
    options = ["--url", url, "--positions", str(state / "ship/positions.json")]
    command = [sys.executable, "-m", "lokikit", "ship", f"{services}/*.log", *options]
    return Part(
        "ship",
        (*command, "--stats", str(stats)),
        state / "logs/ship.log",
        f"{services}/*.log",
        cwd=state,
        healthy=lambda: _ships(stats),
        stale=(stats,),
    )


def _ships(stats: Path) -> bool:
    """Whether the agent has lately said that it reaches Loki."""
    try:
        said = json.loads(stats.read_bytes())
    except (OSError, ValueError):
        return False
    age_s = (time.time_ns() - said["time_ns"]) / 1e9
    # Before its first line it has had no reason to connect.
    return age_s < _STATS_AGE_S and bool(said["connected"] or not said["read"])


def _demo(state: Path, demo_port: int) -> list[Part]:
    folder = kit_root() / "deploy/demo"
    url = f"http://127.0.0.1:{demo_port}"
    shop = ["-m", "gunicorn", "--config", "gunicorn.conf.py", "shop:app"]
    commands = {"shop": shop, "jobs": ["jobs.py"], "traffic": ["traffic.py"]}
    return [
        Part(
            name,
            (sys.executable, *commands[name]),
            log := state / f"logs/services/{name}.log",
            url if name == "shop" else str(log),
            cwd=folder,
            variables=_demo_variables(name, state, demo_port),
            ports={"DEMO_PORT": demo_port} if name == "shop" else {},
            healthy=(lambda: _answers(f"{url}/health")) if name == "shop" else _always,
            max_log_bytes=MAX_SERVICE_LOG_BYTES,
            settles_s=0 if name == "shop" else _SETTLES_S,
        )
        for name in DEMO_PARTS
    ]


def _demo_variables(name: str, state: Path, demo_port: int) -> dict[str, str]:
    return {
        "SERVICE_NAME": name,
        "ENV": "dev",
        "LOG_FORMAT": "json",
        # Its lines go by the agent: a push beside it would store each of them twice.
        "LOKI_URL": "",
        "DEMO_PORT": str(demo_port),
        "DEMO_DATABASE": str(state / "demo/shop.sqlite3"),
    }


def _answers(url: str) -> bool:
    """Whether a GET of `url` succeeds."""
    try:
        return requests.get(url, timeout=_ASK_TIMEOUT_S).ok
    except requests.RequestException:
        return False
