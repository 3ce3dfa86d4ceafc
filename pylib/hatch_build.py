"""Puts the kit's own files into each distribution, so that `lokikit up` needs no checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KIT_FILES = (
    ".env",
    "deploy/chart",
    "deploy/compose",
    "deploy/demo",
    "docker-compose.yml",
    "fluentbit",
    "grafana",
    "loki",
)


class KitFiles(BuildHookInterface[Any]):
    """They stand above this folder in a checkout, and in `_kit` in an unpacked sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add them, except to an editable install, which reads the checkout's own."""
        if version == "editable":
            return
        carried = Path(self.root, "_kit")
        source = carried if carried.is_dir() else Path(self.root).parent
        target = "_kit" if self.target_name == "sdist" else "lokikit/_kit"
        for name in KIT_FILES:
            build_data["force_include"][str(source / name)] = f"{target}/{name}"
