"""The parts of the native stack: command, environment, ports and health."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from lokikit.stack.grafana.contacts import read_contacts
from lokikit.stack.http_probe import answers
from lokikit.stack.kit_files import kit_root, local_url, port
from lokikit.stack.native.agent import agent_part, agent_source
from lokikit.stack.native.alerts import alerts_part, kit_contacts
from lokikit.stack.native.grafana import find_grafana, grafana_part
from lokikit.stack.native.native_part import NativePart, always
from lokikit.stack.native.page import PAGE_MODULES, page_part
from lokikit.stack.native.store import STORE_PARTS, StoreChoice, store_part
from lokikit.stack.programs import missing_packages

DEMO_PARTS = ("shop", "jobs", "traffic")
DEMO_MODULES = ("flask", "gunicorn")
CANARY_PART = "canary"
MAX_SERVICE_LOG_BYTES = 64 * 1024 * 1024
_SETTLES_S = 1


def stack_parts(
    state: Path, store: StoreChoice, *, demo: bool, environ: Mapping[str, str] = os.environ
) -> list[NativePart]:
    """Return the parts in the order in which they start; a Loki elsewhere is no part."""
    stored = store_part(store, state, environ)
    parts = [*([stored] if stored else []), agent_part(state, store.url, environ)]
    if grafana := find_grafana(environ):
        parts.append(grafana_part(grafana, state, store.url, environ))
    by_kit = kit_contacts(state).names
    contacts = (len(read_contacts(environ).ways) if grafana else 0) + len(by_kit)
    options = ("--agent", agent_source(state, environ), "--contact-points", str(contacts))
    parts.append(_canary(state, store.url, options))
    if by_kit:
        parts.append(alerts_part(state, store.url))
    if not missing_packages(PAGE_MODULES):
        parts.append(page_part(state, store.url, environ))
    return [*parts, *_demo(state, environ)] if demo else parts


def _canary(state: Path, loki_url: str, options: Iterable[str]) -> NativePart:
    return NativePart(
        CANARY_PART,
        (sys.executable, "-m", "lokikit", "canary", *options),
        log := state / f"logs/services/{CANARY_PART}.log",
        str(log),
        cwd=state,
        variables={"ENV": "dev", "LOG_FORMAT": "json", "LOKI_URL": loki_url},
        max_log_bytes=MAX_SERVICE_LOG_BYTES,
        settles_s=_SETTLES_S,
        needs=STORE_PARTS,
    )


def _demo(state: Path, environ: Mapping[str, str]) -> list[NativePart]:
    folder = kit_root() / "deploy/demo"
    demo_port, url = port("DEMO_PORT", environ), local_url("DEMO_PORT", environ)
    shop = ["-m", "gunicorn", "--config", "gunicorn.conf.py", "shop:app"]
    commands = {"shop": shop, "jobs": ["jobs.py"], "traffic": ["traffic.py"]}
    return [
        NativePart(
            name,
            (sys.executable, *commands[name]),
            log := state / f"logs/services/{name}.log",
            url if name == "shop" else str(log),
            cwd=folder,
            variables=_demo_variables(name, state, demo_port),
            ports={"DEMO_PORT": demo_port} if name == "shop" else {},
            healthy=(lambda: answers(f"{url}/health")) if name == "shop" else always,
            max_log_bytes=MAX_SERVICE_LOG_BYTES,
            settles_s=0 if name == "shop" else _SETTLES_S,
            needs=(*STORE_PARTS, "shop") if name == "traffic" else STORE_PARTS,
        )
        for name in DEMO_PARTS
    ]


def _demo_variables(name: str, state: Path, demo_port: int) -> dict[str, str]:
    return {
        "SERVICE_NAME": name,
        "ENV": "dev",
        "LOG_FORMAT": "json",
        # The agent carries its lines: a push beside it would store each line twice.
        "LOKI_PUSH_URL": "",
        "LOKI_URL": "",
        "DEMO_PORT": str(demo_port),
        "DEMO_DATABASE": str(state / "demo/shop.sqlite3"),
    }
