"""How the parts of a stack are, and which stack is up: the same for every runtime."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TAIL_BYTES = 8192
TAIL_LINES = 8
"""How much of what a part printed is shown when it is not healthy."""


@dataclass(frozen=True)
class Condition:
    """How one part is.

    Args:
        name: of the part.
        healthy: whether it works.
        pid: of its main process, `None` when that is not running.
        uptime_s: since it started.
        where: its URL, or where its output goes.
        log: what shows all that it printed: a file, or a command.
        last_words: the end of that, when it is not healthy.
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
    """What the last `up` brought.

    Args:
        demo: whether the demo was part of it.
        runtime: `docker` or `native`.
        canary: whether the canary was.
        store: the part that stores the lines; empty when a Loki elsewhere does.
        loki_url: that Loki; empty when the stack has its own.
    """

    demo: bool
    runtime: str = "native"
    canary: bool = True
    store: str = "loki"
    loki_url: str = ""


def read_wanted(state: Path) -> Wanted | None:
    """What is up in `state`, `None` when nothing is."""
    try:
        return Wanted(**json.loads(_wanted_file(state).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write_wanted(state: Path, wanted: Wanted) -> None:
    """Remember it until `forget_wanted`."""
    _wanted_file(state).write_text(json.dumps(asdict(wanted)))


def forget_wanted(state: Path) -> None:
    """Nothing is up any more."""
    _wanted_file(state).unlink(missing_ok=True)


def tail(log: Path) -> str:
    """The last lines of the file `log`."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def _wanted_file(state: Path) -> Path:
    return state / "wanted.json"
