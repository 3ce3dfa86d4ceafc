"""Building Go programs of the pinned module into the cache, whole or not at all."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION_VARIABLE = "github.com/grafana/loki/v3/pkg/util/build.Version"


def build(
    packages: Mapping[str, str],
    version: str,
    module: Path,
    target: Path,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Leave each program of `packages` in `target`."""
    target.mkdir(parents=True, exist_ok=True)
    ldflags = f"-s -w -X {VERSION_VARIABLE}={version}"
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        command = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", ldflags, "-o", scratch]
        subprocess.run([*command, *packages.values()], cwd=module, env=dict(environ), check=True)
        for name in packages:
            (Path(scratch) / name).replace(target / name)
