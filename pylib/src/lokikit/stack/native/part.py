"""One program of the native stack, and how to ask whether it is well."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def always() -> bool:
    """The health of what cannot be asked."""
    return True


@dataclass(frozen=True)
class NativePart:
    """One program of the stack.

    Args:
        name: what it is called.
        command: its command line.
        log: gets what it prints.
        where: what to show: its URL, or where its output goes.
        cwd: the folder that it runs in.
        variables: what its environment has beside that of the caller.
        ports: `.env` key -> port that it listens on.
        healthy: whether it works, asked while it runs.
        reads: files whose content counts as a setting of it; one may be missing.
        stale: files of an earlier run that would mislead `healthy`.
        max_log_bytes: a log above this is put aside when it starts; 0 for one log a run.
        within_s: how long it may take to get healthy.
        settles_s: how long it must have run before that counts, for one that cannot be asked.
        needs: parts that must be healthy before it starts.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    where: str
    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, int] = field(default_factory=dict)
    healthy: Callable[[], bool] = always
    reads: tuple[Path, ...] = ()
    stale: tuple[Path, ...] = ()
    max_log_bytes: int = 0
    within_s: float = 60
    settles_s: float = 0
    needs: tuple[str, ...] = ()

    @property
    def settings(self) -> str:
        """A digest of what it is started with: another one means that it must be restarted."""
        content = [one.read_text() if one.exists() else None for one in self.reads]
        told = json.dumps([self.command, sorted(self.variables.items()), content])
        return hashlib.sha256(told.encode()).hexdigest()[:16]
