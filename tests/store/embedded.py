"""The embedded store as a process of its own, for the tests."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.forked import STORE, Forked
from tests.stack.conftest import free_ports
from tests.store.running_loki import is_ready
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def running_store(folder: Path) -> Iterator[int]:
    """The port of a store that keeps its data in that folder."""
    (port,) = free_ports(1)
    log = folder / "store.log"
    where = ["--data", str(folder), "--port", str(port)]
    process = Forked(STORE, where, os.environ, (log, log))
    try:
        eventually(lambda: is_ready(port))
        yield port
    finally:
        process.terminate()
        process.wait()
