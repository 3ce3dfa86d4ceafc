"""The services of the Docker stack: address, health check and ports."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from lokikit.stack.kit_files import local_url, port

DEMO_SERVICES = ("shop", "jobs", "traffic")
CANARY = "canary"
AGENT = "fluent-bit"
AGENT_STORAGE = "/var/lib/fluent-bit"
"""Folder of the agent's volume in its container; FLUENTBIT_STORAGE of the Compose file."""


@dataclass(frozen=True)
class ComposeService:
    """A service of the stack.

    Args:
        name: name in the Compose file.
        where: its address, for the user; empty for a service without an address.
        probe: URL that answers when it works; empty for a service without a health check.
        ports: key of `.env` -> port of this machine that leads to it.
        within_s: seconds in which it should get healthy.
    """

    name: str
    where: str = ""
    probe: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    within_s: float = 60


def stack_services(
    *, demo: bool, canary: bool = True, environ: Mapping[str, str] = os.environ
) -> list[ComposeService]:
    """Return the services in the order in which `up` waits for their health."""
    services = [_web("loki", "LOKI_PORT", "/ready", environ), _agent(environ)]
    services.append(_web("grafana", "GRAFANA_PORT", "/api/health", environ))
    if canary:
        services.append(ComposeService(CANARY))
    if demo:
        services += [
            _web("shop", "DEMO_PORT", "/health", environ),
            ComposeService("jobs"),
            ComposeService("traffic"),
        ]
    return services


def _web(name: str, key: str, path: str, environ: Mapping[str, str]) -> ComposeService:
    url = local_url(key, environ)
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
