"""What an upgrade cannot change, as each version of the chart has it.

`python -m tests.chart.frozen` records it for a new version; a record is never written again, for it
is what users have installed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from tests.chart.helming import CHART, PROFILES, Helm, profile
from tests.tools.programs import ensure_programs

FOLDER = Path(__file__).parent / "frozen"
_CHANGEABLE = {
    "StatefulSet": {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    },
    "PersistentVolumeClaim": {"resources", "volumeAttributesClassName"},
}
"""Kinds of which the API server takes changes of these fields of `spec` alone."""
_FIXED = {
    "ClusterRoleBinding": ("roleRef",),
    "DaemonSet": ("spec", "selector"),
    "Deployment": ("spec", "selector"),
    "Secret": ("type",),
    "Service": ("spec", "clusterIP"),
}
"""Kinds of which it takes any change but of this."""


def frozen(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """`kind/name` -> what cannot change of that resource once it is there."""
    found = {}
    for one in resources:
        kind, key = one["kind"], f"{one['kind']}/{one['metadata']['name']}"
        if kind in _CHANGEABLE:
            spec = one["spec"].items()
            found[key] = {field: value for field, value in spec if field not in _CHANGEABLE[kind]}
            # The API server gives each template its kind, where the chart does not.
            for template in found[key].get("volumeClaimTemplates", ()):
                for field in ("apiVersion", "kind"):
                    template.pop(field, None)
        elif kind in _FIXED:
            found[key] = _at(one, _FIXED[kind])
    return found


def record() -> Path:
    """The file of the chart's version."""
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    return FOLDER / f"{version}.yaml"


def _at(resource: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = resource
    for key in path:
        value = (value or {}).get(key)
    return value


def write() -> None:
    """Record what the chart's version fixes, unless that was done."""
    if record().exists():
        raise SystemExit(f"{record()} is what users have installed: it stays.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        helm = Helm(ensure_programs(["helm"])["helm"], Path(folder))
        found = {name: frozen(helm.render(profile(name))) for name in PROFILES}
    record().write_text(yaml.safe_dump(found))


if __name__ == "__main__":
    write()
