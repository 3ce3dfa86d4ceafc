"""The Helm chart as one file, its links replaced by what they lead to: `make package`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tools.programs import ensure_programs

from lokikit.stack.kit_files import kit_root


def package(folder: Path) -> Path:
    """Write `lokikit-VERSION.tgz` to `folder`, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    helm = ensure_programs(["helm"])["helm"]
    command = [str(helm), "package", str(kit_root() / "deploy/chart"), "--destination", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Path(done.stdout.rpartition(": ")[2].strip())


if __name__ == "__main__":
    sys.stdout.write(f"{package(Path(sys.argv[1]))}\n")
