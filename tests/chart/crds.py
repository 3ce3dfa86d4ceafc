"""Definitions of the resources that the chart makes where the cluster knows them."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_MODULES = {
    "sigs.k8s.io/gateway-api@v1.6.3": (
        "config/crd/standard",
        ("gateway.networking.k8s.io_httproutes.yaml",),
    ),
    "github.com/openshift/api@v0.0.0-20260105154426-319dc2e49203": (
        "security/v1/zz_generated.crd-manifests",
        ("0000_03_config-operator_01_securitycontextconstraints-Default.crd.yaml",),
    ),
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": (
        "example/prometheus-operator-crd",
        (
            "monitoring.coreos.com_podmonitors.yaml",
            "monitoring.coreos.com_prometheusrules.yaml",
            "monitoring.coreos.com_servicemonitors.yaml",
        ),
    ),
}
"""Go module -> the folder and the files in it: by Go's proxy they are pinned and cached."""


def module_folder(module: str) -> Path:
    """Where Go keeps a module, such as `k8s.io/client-go@v0.28.15`: fetched the first time."""
    answer = subprocess.run(
        ["go", "mod", "download", "-json", module],  # noqa: S607 - of this machine
        cwd=Path.home(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return Path(json.loads(answer.stdout)["Dir"])


@cache
def definitions() -> list[dict[str, Any]]:
    """The definitions, as their projects publish them."""
    found = []
    for module, (folder, names) in _MODULES.items():
        root = module_folder(module) / folder
        found += [yaml.load((root / name).read_text(), yaml.CSafeLoader) for name in names]
    operator = Path(__file__).with_name("grafana_operator.yaml").read_text()
    return [*found, *yaml.load_all(operator, yaml.CSafeLoader)]
