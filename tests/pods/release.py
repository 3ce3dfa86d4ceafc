"""One release of the chart on the real node, and pods beside it that print."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.chart.cluster import PRIVILEGED
from tests.chart.helming import CHART, RELEASE, given
from tests.pods.node import NAME
from tests.stack.asking import recent_entries
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.pods.conftest import Machine

    from lokikit.query.client import Loki

POD = {"apiVersion": "v1", "kind": "Pod"}
FOUND = "Found in Loki."
"""What the chart's own test prints at its end."""
_VOLUME = {"apiVersion": "v1", "kind": "PersistentVolume"}
_COMPONENT = "app.kubernetes.io/component"
_SLOW_S = 300


class Release:
    """A release in a namespace of its own.

    Args:
        machine: where it is installed.
        values: of the chart, as `{"a.b": 1}`.
    """

    def __init__(self, machine: Machine, values: Mapping[str, Any]) -> None:
        self._machine, self._values = machine, values
        self.cluster = machine.cluster
        self.namespace = machine.cluster.namespace(PRIVILEGED)

    def install(self, chart: Path = CHART) -> None:
        """Install it, and wait until all of it is ready."""
        self._helm("install", RELEASE, str(chart), *self._given({}))

    def upgrade(self, **values: object) -> None:
        """Change values by their names, `__` for a dot, and wait until all of it is ready."""
        self._helm("upgrade", RELEASE, str(CHART), *self._given(values))

    def fail(self, action: str, **values: object) -> None:
        """Install or upgrade to what cannot get ready, and see it taken back."""
        wait = ("--rollback-on-failure", "--wait", "--timeout=30s", f"--namespace={self.namespace}")
        changed = self._given(values)
        told = self._machine.helm.run(action, RELEASE, str(CHART), *changed, *wait)
        assert told.returncode != 0, told.stdout

    def rollback(self, revision: int) -> None:
        """Go back to a revision, and wait until all of it is ready."""
        self._helm("rollback", RELEASE, str(revision))

    def uninstall(self) -> None:
        """Remove it, and wait until its pods are gone; Helm leaves the one of its test."""
        self._helm("uninstall", RELEASE)
        eventually(lambda: not self._has_pods(), within_s=_SLOW_S)

    def test(self) -> str:
        """What its own test printed; it must succeed."""
        here = f"--namespace={self.namespace}"
        return self._machine.helm.check("test", RELEASE, here, "--logs", "--timeout=5m")

    def pod(self, component: str) -> dict[str, Any]:
        """The only pod of a component, once there is one that is ready."""

        def ready() -> list[dict[str, Any]]:
            found = self.cluster.pods(self.namespace).values()
            ours = [one for one in found if _is_of(one, component)]
            return ours if len(ours) == 1 and _is_ready(ours[0]) else []

        return eventually(ready, within_s=_SLOW_S)[0]

    def loki(self, tenant: str | None = None) -> Loki:
        """Its Loki."""
        return self.cluster.loki(f"{RELEASE}-loki", self.namespace, tenant)

    def volumes(self, *claims: str) -> None:
        """Make a disk for each of its claims."""
        for claim in claims:
            name = f"{self.namespace}-{claim}"
            self._machine.enclosure.run("mkdir", "-p", f"/var/lib/volumes/{name}")
            self.cluster.apply(_volume(name, self.namespace, claim))

    def prints(self, script: str, namespace: str = "", **metadata: dict[str, str]) -> str:
        """The name of a new pod that runs Python, beside the release or elsewhere."""
        name = f"pod-{secrets.token_hex(4)}"
        container = {
            "name": "main",
            "image": self._machine.python,
            "command": ["python", "-u", "-c", script],
        }
        self.cluster.apply(
            {
                **POD,
                "metadata": {"name": name, **metadata},
                "spec": {
                    "containers": [container],
                    "restartPolicy": "Never",
                    "terminationGracePeriodSeconds": 1,
                },
            },
            namespace or self.namespace,
        )
        return name

    def ended(self, pod: str, namespace: str = "", phase: str = "Succeeded") -> None:
        """Wait until a pod that `prints` has come to its end, as a rule well."""

        def now() -> str:
            found = self.cluster.get(POD, pod, namespace or self.namespace)
            return str(found and found["status"].get("phase"))

        eventually(lambda: now() == phase, within_s=_SLOW_S)

    def _has_pods(self) -> bool:
        found = self.cluster.all(POD, self.namespace)
        components = {one["metadata"].get("labels", {}).get(_COMPONENT) for one in found}
        return not components <= {None, "test"}

    def _helm(self, *arguments: str) -> None:
        waiting = ("--wait", "--timeout=5m", f"--namespace={self.namespace}")
        self._machine.helm.check(*arguments, *waiting)

    def _given(self, values: Mapping[str, object]) -> list[str]:
        changed = {name.replace("__", "."): value for name, value in values.items()}
        return given({**self._values, **changed})


def _is_of(pod: dict[str, Any], component: str) -> bool:
    return pod["metadata"].get("labels", {}).get(_COMPONENT) == component


def _is_ready(pod: dict[str, Any]) -> bool:
    """Whether it takes requests."""
    conditions = pod["status"].get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def arrived(loki: Loki, query: str, count: int) -> Counter[str]:
    """Line -> how often it is there, once `count` different ones are."""

    def lines() -> Counter[str] | None:
        found = Counter(one.line for one in recent_entries(loki, query))
        return found if len(found) >= count else None

    found = eventually(lines, within_s=_SLOW_S)
    assert found is not None
    return found


def _volume(name: str, namespace: str, claim: str) -> dict[str, Any]:
    terms = [{"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}]
    return {
        **_VOLUME,
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "20Gi"},
            "claimRef": {"namespace": namespace, "name": claim},
            "local": {"path": f"/var/lib/volumes/{name}"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": terms}]}},
        },
    }
