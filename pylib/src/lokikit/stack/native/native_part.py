"""A program of the native stack, with a check of its health."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


def always() -> bool:
    """Health check of a part that has none."""
    return True


@dataclass(frozen=True)
class NativePart:
    """A program of the stack.

    Args:
        name: its name.
        command: its command line.
        log: file of its output.
        where: its URL, or the place of its output, for the user.
        cwd: its working folder.
        variables: variables of its environment, beside those of the caller.
        ports: key of `.env` -> port that it listens on.
        healthy: returns True when it works; called while it runs.
        reads: files whose content is a setting of it; they may be missing.
        stale: files of an earlier run that would mislead `healthy`.
        max_log_bytes: a larger log is put aside at its start; 0 for a log for each run.
        within_s: seconds in which it should get healthy.
        settles_s: seconds that it must run before it counts as healthy, without a health check.
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
        """Digest of its settings; a part whose digest has changed must be restarted."""
        content = [
            file.read_text(encoding="utf-8") if file.exists() else None for file in self.reads
        ]
        settings = json.dumps([self.command, sorted(self.variables.items()), content])
        return hashlib.sha256(settings.encode()).hexdigest()[:16]
