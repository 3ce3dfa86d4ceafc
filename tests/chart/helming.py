"""Helm with the kit's chart: render it, or install it on a cluster."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHART = kit_root() / "deploy/chart"
PROFILES = sorted(path.stem for path in (CHART / "ci").glob("*.yaml"))
RELEASE = "lokikit"
_APIS = (
    "monitoring.coreos.com/v1",
    "gateway.networking.k8s.io/v1",
    "security.openshift.io/v1",
    "grafana.integreatly.org/v1beta1",
)
"""What a cluster may have beside its own."""


class Helm:
    """One Helm with its own caches.

    Args:
        program: the `helm` to run.
        folder: takes what it keeps.
        kubeconfig: the cluster, where there is one.
    """

    def __init__(self, program: Path, folder: Path, kubeconfig: Path | None = None) -> None:
        self._program = program
        self._environ = {
            **os.environ,
            "HELM_CACHE_HOME": str(folder / "cache"),
            "HELM_CONFIG_HOME": str(folder / "config"),
            "HELM_DATA_HOME": str(folder / "data"),
            "KUBECONFIG": str(kubeconfig or folder / "none"),
            "GOGC": "off",  # it has 90 MB at its end, and a third of its time went there
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """What `helm` with `arguments` said and returned."""
        return subprocess.run(
            [str(self._program), *arguments],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def check(self, *arguments: str) -> str:
        """What `helm` with `arguments` printed; it must succeed."""
        return _output(self.run(*arguments))

    def template(self, *arguments: str) -> str:
        """The rendered chart, as for a cluster that has all that it may ask for."""
        return _output(self.try_template(*arguments))

    def try_template(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same, with the reason when it is not rendered."""
        apis = (f"--api-versions={one}" for one in _APIS)
        return self.run("template", RELEASE, str(CHART), "--namespace=logs", *apis, *arguments)

    def render(self, *arguments: str) -> list[dict[str, Any]]:
        """The resources of the rendered chart."""
        return read(self.template(*arguments))

    def refusal(self, values: Mapping[str, Any]) -> str:
        """Why the chart is not rendered with `values`."""
        result = self.run("template", RELEASE, str(CHART), *given(values))
        assert result.returncode != 0, "it was rendered"
        return result.stderr


def _output(result: subprocess.CompletedProcess[str]) -> str:
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


def read(rendered: str) -> list[dict[str, Any]]:
    """The resources in what Helm printed."""
    return [one for one in yaml.load_all(rendered, yaml.CSafeLoader) if one]


def given(values: Mapping[str, Any]) -> list[str]:
    """`{"a.b": 1}` as Helm's arguments."""
    return [f"--set-json={path}={json.dumps(value)}" for path, value in values.items()]


def profile(name: str) -> str:
    """Helm's argument for one of `PROFILES`."""
    return f"--values={CHART / 'ci' / name}.yaml"


def of_kind(resources: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of one kind."""
    return [one for one in resources if one["kind"] == kind]


def workloads(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Component -> what makes its pods."""
    kinds = ("StatefulSet", "DaemonSet", "Deployment")
    found = [one for kind in kinds for one in of_kind(resources, kind)]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in found}


def config(resources: list[dict[str, Any]], name: str) -> dict[str, str]:
    """What is in the config map of that name."""
    (found,) = (one for one in of_kind(resources, "ConfigMap") if one["metadata"]["name"] == name)
    return dict(found["data"])


def container(workload: dict[str, Any]) -> dict[str, Any]:
    """The one container of a workload."""
    (found,) = workload["spec"]["template"]["spec"]["containers"]
    return dict(found)


def variables(one: dict[str, Any]) -> dict[str, str]:
    """What a container's variables are set to, those from elsewhere left out."""
    return {var["name"]: var["value"] for var in one["env"] if "value" in var}
