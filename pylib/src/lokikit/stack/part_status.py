"""The state of the parts of a stack, and which stack is up, for both runtimes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

_TAIL_BYTES = 8192
TAIL_LINES = 8
"""Number of lines of a part that are shown when it is not healthy."""


@dataclass(frozen=True)
class Condition:
    """The state of a part.

    Args:
        name: name of the part.
        healthy: True when it works.
        pid: process id of its main process, `None` while that does not run.
        uptime_s: seconds since its start.
        where: its URL, or the place of its output.
        log: a file with its output, or a command that shows it.
        last_words: end of its output, when it is not healthy.
    """

    name: str
    healthy: bool
    pid: int | None
    uptime_s: float
    where: str
    log: str
    last_words: str = ""


@dataclass(frozen=True)
class Wanted:
    """The stack that the last `up` started.

    Args:
        demo: True with the demo.
        runtime: `docker` or `native`.
        canary: True with the canary.
        store: part that stores the lines; empty for a Loki elsewhere.
        loki_url: address of a Loki elsewhere; empty when the stack has its own.
    """

    demo: bool
    runtime: str = "native"
    canary: bool = True
    store: str = "loki"
    loki_url: str = ""


def read_wanted(state: Path) -> Wanted | None:
    """Return the stack that is up in `state`, `None` without a stack."""
    try:
        return Wanted(**json.loads(_wanted_file(state).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_wanted(state: Path, wanted: Wanted) -> None:
    """Save the stack until `forget_wanted`."""
    _wanted_file(state).write_text(json.dumps(asdict(wanted)), encoding="utf-8")


def forget_wanted(state: Path) -> None:
    """Record that no stack is up."""
    _wanted_file(state).unlink(missing_ok=True)


def tail(log: Path) -> str:
    """Return the last lines of the file `log`."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _wanted_file(state: Path) -> Path:
    return state / "wanted.json"
