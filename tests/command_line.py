"""`lokikit COMMAND` in a process of its own, forked from a server that has imported the commands.

The imports are nine tenths of what a short command costs. `python -m lokikit` itself runs wherever
a test starts a part of a stack.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from lokikit.cli.app import COMMANDS, GROUPS, main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODULES = {*GROUPS, *(module for panel in COMMANDS.values() for module in panel.values())}
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__, *(f"lokikit.cli.{module}" for module in _MODULES)])


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Return what `lokikit` with these arguments and this environment printed and returned."""
    with TemporaryDirectory() as folder:
        outputs = [Path(folder, name) for name in ("stdout", "stderr")]
        process = _SERVER.Process(target=_run, args=(arguments, dict(environment), outputs))
        process.start()
        process.join()
        code = process.exitcode
        process.close()
        stdout, stderr = (path.read_text() for path in outputs)
    assert code is not None
    return subprocess.CompletedProcess(arguments, code, stdout, stderr)


def _run(arguments: Sequence[str], environment: Mapping[str, str], outputs: list[Path]) -> None:
    for descriptor, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["lokikit", *arguments]
    main()
