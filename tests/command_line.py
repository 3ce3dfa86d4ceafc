"""`lokikit COMMAND` as a user calls it: what it prints and returns."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.forked import COMMAND, Forked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Return what `lokikit` with these arguments and this environment printed and returned."""
    with TemporaryDirectory() as folder:
        stdout, stderr = (Path(folder, name) for name in ("stdout", "stderr"))
        code = Forked(COMMAND, arguments, environment, (stdout, stderr)).wait()
        return subprocess.CompletedProcess(arguments, code, stdout.read_text(), stderr.read_text())
