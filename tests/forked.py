"""Programs of lokikit in processes of their own, forked from a server that has imported them.

The imports are nine tenths of what a short command or the start of a store costs. Where a test
starts a part of a stack, `python -m lokikit` itself runs.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from lokikit.cli.app import COMMANDS, GROUPS
from lokikit.store.api import running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND, STORE = "lokikit.cli.app", "lokikit.store.__main__"
"""Modules whose `main` is run: the command `lokikit`, and `python -m lokikit.store`."""
_COMMANDS = {*GROUPS, *(module for panel in COMMANDS.values() for module in panel.values())}
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        *(__name__, COMMAND, STORE, running.__name__, "lokikit.store.limits"),
        *("lokikit.page.serving", "lokikit.page.app"),
        *(f"lokikit.cli.{name}" for name in _COMMANDS),
        *(f"lokikit.store.{name}" for name in running._IMPORTED_LATER),
    ]
)


class Forked:
    """A process that runs a program, with the methods of `subprocess.Popen` that tests use.

    Args:
        module: `COMMAND` or `STORE`.
        arguments: its command line.
        environment: all of its variables.
        outputs: the files that its stdout and its stderr are appended to.
    """

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        outputs: tuple[Path, Path],
    ) -> None:
        self._process = _SERVER.Process(
            target=_run, args=(module, arguments, dict(environment), outputs), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, `None` while it runs."""
        return self._process.exitcode

    def wait(self, timeout_s: float | None = None) -> int:
        """Its exit code, once it has ended.

        Raises:
            subprocess.TimeoutExpired: it has not ended in that time.
        """
        self._process.join(timeout_s)
        code = self._process.exitcode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout_s or 0)
        return code

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """Send it SIGKILL."""
        self._process.kill()


def _run(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    outputs: tuple[Path, Path],
) -> None:
    for descriptor, path in enumerate(outputs, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["lokikit", *arguments]
    sys.exit(importlib.import_module(module).main())
