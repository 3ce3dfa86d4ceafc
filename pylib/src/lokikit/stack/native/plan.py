"""The parts that `up` has started, and the number of their restarts: files in the state folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lokikit.atomic_file import new_name, replace_file
from lokikit.stack.native.native_part import NativePart

_PLAN, _RESTARTS = "plan.json", "restarts.json"
_SAVED = ("name", "command", "log", "where", "cwd", "variables", "reads", "stale", "max_log_bytes")
"""Fields of a part that its start needs."""


@dataclass(frozen=True)
class Restarts:
    """The restarts of a part since `up`.

    Args:
        count: number of restarts.
        in_a_row: number of restarts without a longer time of running in between.
        started_s: time of the last restart, in seconds since 1970.
        died_s: time at which its end was noticed; `None` while it runs.
    """

    count: int = 0
    in_a_row: int = 0
    started_s: float = 0.0
    died_s: float | None = None

    def while_it_runs(self, now_s: float, steady_s: float) -> Restarts:
        """Return the restarts, with none in a row after `steady_s` seconds of running."""
        in_a_row = 0 if now_s - self.started_s >= steady_s else self.in_a_row
        return replace(self, in_a_row=in_a_row, died_s=None)

    def when_it_died(self, now_s: float) -> Restarts:
        """Return the restarts of a part that waits for its next start."""
        return replace(self, died_s=now_s)

    def gives_up(self, limit: int) -> bool:
        """Return True when it has died more often in a row than it may be restarted."""
        return self.in_a_row >= limit and self.died_s is not None

    def when_started(self, now_s: float) -> Restarts:
        """Return the restarts with one more."""
        return Restarts(self.count + 1, self.in_a_row + 1, now_s)


def write_plan(parts: Sequence[NativePart], state: Path) -> None:
    """Save how each part is started, readable by this user alone: it may hold credentials."""
    _write(state / _PLAN, [{name: getattr(part, name) for name in _SAVED} for part in parts])


def read_plan(state: Path) -> list[NativePart]:
    """Return the parts with all that a start needs; none without a plan."""
    return [_part(saved) for saved in _read(state / _PLAN, [])]


def _part(saved: dict[str, Any]) -> NativePart:
    paths = {name: Path(saved[name]) for name in ("log", "cwd")}
    files = {name: tuple(map(Path, saved[name])) for name in ("reads", "stale")}
    return NativePart(**{**saved, **paths, **files, "command": tuple(saved["command"])})


def write_restarts(restarts: Mapping[str, Restarts], state: Path) -> None:
    """Save the restarts by part."""
    _write(state / _RESTARTS, {name: asdict(one) for name, one in restarts.items()})


def read_restarts(state: Path) -> dict[str, Restarts]:
    """Return part -> its restarts."""
    return {name: Restarts(**one) for name, one in _read(state / _RESTARTS, {}).items()}


def forget_plan(state: Path) -> None:
    """Remove the plan, so that no part is restarted."""
    for name in (_PLAN, _RESTARTS):
        (state / name).unlink(missing_ok=True)


def _write(file: Path, content: Any) -> None:
    new_name(file).touch(mode=0o600)
    replace_file(file, json.dumps(content, default=str).encode(), durable=False)


def _read(file: Path, otherwise: Any) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError):
        return otherwise
