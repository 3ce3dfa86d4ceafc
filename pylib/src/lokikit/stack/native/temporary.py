"""A temporary embedded store: own data, a free port, removed at the end."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lokikit.errors import PrerequisiteError
from lokikit.stack.native.store import require_store

_SERVE = """
import sys
from pathlib import Path
from lokikit.store.api.running import serve
from lokikit.store.settings import ServerSettings
serve(ServerSettings(Path(sys.argv[1]), port=0), lambda url: print(url, flush=True))
"""
"""`lokikit store` without the rest of the command line, which takes half of its start."""
_STOP_S = 20
_LOG_CHARS = 2000


@contextmanager
def temporary_store(folder: Path) -> Iterator[str]:
    """Run a store in `folder` for the block, with the kit's limits, and yield its URL.

    The store is a process of its own: tests of a service may fork, count threads or set warnings.

    Raises:
        PrerequisiteError: the store is not installed, or does not start.
    """
    require_store()
    with _started(folder) as process:
        try:
            yield _url(process, folder)
        finally:
            _end(process)


def _started(folder: Path) -> subprocess.Popen[str]:
    with _log(folder).open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-c", _SERVE, str(folder / "data")],
            # Settings of a service must not reach the store.
            env={name: value for name, value in os.environ.items() if not name.startswith("LOKI_")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def _url(process: subprocess.Popen[str], folder: Path) -> str:
    """Wait until the store prints its URL, and return it.

    Raises:
        PrerequisiteError: it ended before.
    """
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        output = _log(folder).read_text(errors="replace")[-_LOG_CHARS:]
        raise PrerequisiteError(f"no store starts in {folder}: {output or 'its log is empty'}")
    return line.strip()


def _log(folder: Path) -> Path:
    return folder / "store.log"


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)
