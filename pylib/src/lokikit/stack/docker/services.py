"""What the Docker stack consists of: where each service is, and what tells that it works."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lokikit.stack.kit_files import port

if TYPE_CHECKING:
    from collections.abc import Mapping

DEMO_SERVICES = ("shop", "jobs", "traffic")
CANARY = "canary"
AGENT = "fluent-bit"
AGENT_STORAGE = "/var/lib/fluent-bit"
"""Where the agent's volume is in its container; FLUENTBIT_STORAGE of the Compose file."""


@dataclass(frozen=True)
class ComposeService:
    """One service of the stack.

    Args:
        name: in the Compose file.
        where: what to show; empty for one that is only known by its container.
        probe: URL that answers when it works; empty for one that cannot be asked.
        ports: `.env` key -> port of this machine that it is reached at.
        within_s: how long it may take to get healthy.
    """

    name: str
    where: str = ""
    probe: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    within_s: float = 60


def stack_services(
    *, demo: bool, canary: bool = True, environ: Mapping[str, str] = os.environ
) -> list[ComposeService]:
    """The services in the order in which their health is waited for.

    Args:
        demo: whether the demo is part of it.
        canary: whether the canary is.
        environ: overrides the kit's `.env`.
    """
    told = [_web("loki", "LOKI_PORT", "/ready", environ), _agent(environ)]
    told.append(_web("grafana", "GRAFANA_PORT", "/api/health", environ))
    if canary:
        told.append(ComposeService(CANARY))
    if demo:
        told += [
            _web("shop", "DEMO_PORT", "/health", environ),
            ComposeService("jobs"),
            ComposeService("traffic"),
        ]
    return told


def _web(name: str, key: str, path: str, environ: Mapping[str, str]) -> ComposeService:
    url = f"http://127.0.0.1:{port(key, environ)}"
    return ComposeService(name, url, url + path, {key: port(key, environ)})


def _agent(environ: Mapping[str, str]) -> ComposeService:
    keys = ("FLUENTBIT_FORWARD_PORT", "FLUENTBIT_HTTP_PORT", "FLUENTBIT_ADMIN_PORT")
    ports = {key: port(key, environ) for key in keys}
    forward, http, admin = ports.values()
    return ComposeService(
        AGENT,
        f"127.0.0.1:{forward}, http://127.0.0.1:{http}/logs",
        f"http://127.0.0.1:{admin}/api/v2/health",
        ports,
    )
