"""The rendered chart as it is kept under review: `python -m tests.chart.snapshots` writes it.

What is linked in from elsewhere is reviewed there: of the content of a config map its keys are
kept, and of what follows from it nothing.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from tests.chart.helming import PROFILES, Helm, profile
from tests.tools.programs import ensure_programs

FOLDER = Path(__file__).parent / "snapshots"


def snapshot(resources: list[dict[str, Any]]) -> str:
    """The resources in a steady order, without what is linked in or made at random."""
    ordered = sorted(resources, key=lambda one: (one["kind"], one["metadata"]["name"]))
    return yaml.safe_dump_all([_masked(one) for one in ordered], sort_keys=False, width=100)


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("kind") in {"ConfigMap", "Secret"}:
        value = {
            key: sorted(held) if key in {"data", "stringData"} else held
            for key, held in value.items()
        }
    return {
        key: "…" if key.startswith("checksum/") else _masked(below) for key, below in value.items()
    }


def write() -> None:
    """Render each profile, and keep it."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        helm = Helm(ensure_programs(["helm"])["helm"], Path(folder))
        for name in PROFILES:
            (FOLDER / f"{name}.yaml").write_text(snapshot(helm.render(profile(name))))


if __name__ == "__main__":
    write()
