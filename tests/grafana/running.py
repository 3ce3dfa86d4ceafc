"""A real Grafana as the native stack starts it, with rules that wait seconds instead of minutes."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
import yaml
from tests.stack.conftest import free_ports
from tests.waiting import eventually

from lokikit.stack.grafana.password import grafana_password
from lokikit.stack.grafana.provisioning import provision
from lokikit.stack.native.grafana import grafana_part

if TYPE_CHECKING:
    from pathlib import Path

    from lokikit.stack.native.grafana import Grafana

EVERY = "10s"
"""How often a Grafana can look at the most."""
FOR = "30s"
_QUICK_POLICY = {"group_wait": "1s", "group_interval": "5s"}
_STARTS_WITHIN_S = 300
_TIMEOUT_S = 60


@dataclass
class RunningGrafana:
    """A Grafana that is up.

    Args:
        url: where.
        log: what it said so far.
        password: of its admin.
        process: itself.
    """

    url: str
    log: Path
    password: str
    process: subprocess.Popen[bytes]

    def get(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        answer = requests.get(
            self.url + path, parameters, auth=("admin", self.password), timeout=_TIMEOUT_S
        )
        assert answer.ok, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def query(self, query: dict[str, Any], from_ms: int, to_ms: int) -> dict[str, Any]:
        """What it makes of a panel's query: the result, or the error in it."""
        answer = requests.post(
            f"{self.url}/api/ds/query",
            json={"queries": [query], "from": str(from_ms), "to": str(to_ms)},
            auth=("admin", self.password),
            timeout=_TIMEOUT_S,
        )
        return dict(answer.json()["results"][query["refId"]])

    def rules(self) -> dict[str, dict[str, Any]]:
        """Title -> state, health and alerts of each rule, as its scheduler sees it."""
        groups = self.get("/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(_TIMEOUT_S)


def start_grafana(
    grafana: Grafana, state: Path, loki_url: str, contacts: dict[str, str]
) -> RunningGrafana:
    """Start the Grafana on PATH with the kit's files, and wait until it is up.

    Args:
        grafana: what was found.
        state: takes its files.
        loki_url: its data source.
        contacts: variables that say who is told.
    """
    environ = {**os.environ, "GRAFANA_PORT": str(free_ports(1)[0]), **contacts}
    _hurry(provision(state, environ))
    part = grafana_part(grafana, state, loki_url, environ)
    part.log.parent.mkdir(parents=True, exist_ok=True)
    # So that a browser without a login sees the dashboards.
    seen = {"GF_AUTH_ANONYMOUS_ENABLED": "true"}
    with part.log.open("wb") as log:
        process = subprocess.Popen(
            part.command,
            cwd=part.cwd,
            env={**environ, **part.variables, **seen},
            stdout=log,
            stderr=log,
        )
    running = RunningGrafana(part.where, part.log, grafana_password(state), process)

    def is_up() -> bool:
        assert process.poll() is None, f"Grafana ended: {part.log.read_text()[-3000:]}"
        return bool(part.healthy())

    eventually(is_up, within_s=_STARTS_WITHIN_S)
    return running


def _hurry(folder: Path) -> None:
    """Have the provisioned rules and policy wait seconds; queries and thresholds stay."""
    for path in (folder / "alerting").glob("*.yaml"):
        held = yaml.safe_load(path.read_text())
        for group in held.get("groups", ()):
            group["interval"] = EVERY
            group["name"] = f"quick {group['name']}"
            for rule in group["rules"]:
                rule["for"] = FOR if rule["for"] != "0s" else "0s"
        for policy in held.get("policies", ()):
            policy.update(_QUICK_POLICY)
        path.write_text(yaml.safe_dump(held, sort_keys=False))
