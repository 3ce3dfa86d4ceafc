"""The state of `lokikit alerts` over restarts, in one JSON file that the page reads too.

{"version": 1, "evaluated_ns": …, "problem": "",
 "rules": {uid: {"evaluated_ns": …, "error": "", "instances": [{"labels": {…}, "state": …}]}},
 "sent": {way: {service: {"sent_ns": …, "firing": {fingerprint: {…}}, "failure": ""}}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from lokikit.atomic_file import replace_file
from lokikit.monitoring.rule_states import Instance
from lokikit.stack.native.alerts import ALERTS_PART, ALIVE

VERSION = 1
_CLOSED_FOLDER = 0o700


@dataclass
class RuleRecord:
    """The last evaluation of a rule.

    Args:
        evaluated_ns: its time, nanoseconds since 1970.
        error: error of the query, empty after an answer.
        instances: series of the rule with their states, recently resolved series too.
    """

    evaluated_ns: int = 0
    error: str = ""
    instances: list[Instance] = field(default_factory=list)


@dataclass
class SentRecord:
    """The last message of a way about a group of alerts.

    Args:
        sent_ns: time of the message, 0 before the first.
        firing: alerts that the message named as firing: fingerprint -> fields of `Alert`, for the
            message about their end.
        failure: reason why the last message was not sent, empty when it was.
        failed_ns: time of the last failed try.
        failures: number of failed tries in a row.
    """

    sent_ns: int = 0
    firing: dict[str, dict[str, Any]] = field(default_factory=dict)
    failure: str = ""
    failed_ns: int = 0
    failures: int = 0


@dataclass
class AlertState:
    """The state of `lokikit alerts`.

    Args:
        evaluated_ns: time of the last evaluation of a rule, nanoseconds since 1970.
        problem: reason why Loki did not answer then, empty after an answer.
        rules: uid -> its last evaluation.
        sent: way -> service (empty for alerts without a service) -> its last message.
    """

    evaluated_ns: int = 0
    problem: str = ""
    rules: dict[str, RuleRecord] = field(default_factory=dict)
    sent: dict[str, dict[str, SentRecord]] = field(default_factory=dict)


def alerts_folder(state: Path) -> Path:
    """Return the folder of state and silences below the state folder of the stack."""
    return state / ALERTS_PART


def state_file(folder: Path) -> Path:
    """Return the state file in that folder."""
    return folder / "state.json"


def alive_file(folder: Path) -> Path:
    """Return the file in that folder that each step touches; it is old when alerts do not run."""
    return folder / ALIVE


def read_state(folder: Path) -> AlertState | None:
    """Return the state in `alerts_folder`, `None` when there is no file that can be read."""
    try:
        held = orjson.loads(state_file(folder).read_bytes())
        return _state(held) if held["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_state(folder: Path, state: AlertState) -> None:
    """Replace the state in one step that survives a power cut.

    Raises:
        OSError: the disk does not take it; the old state stays.
    """
    held = {"version": VERSION, **asdict(state)}
    replace_file(state_file(folder), orjson.dumps(held, option=orjson.OPT_INDENT_2), durable=True)


def make_folder(folder: Path) -> None:
    """Make the folder, closed to other users, because labels may hold private names."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_CLOSED_FOLDER)


def _state(held: Mapping[str, Any]) -> AlertState:
    rules = {uid: _rule(record) for uid, record in held["rules"].items()}
    sent = {
        way: {group: SentRecord(**known_fields(SentRecord, one)) for group, one in groups.items()}
        for way, groups in held["sent"].items()
    }
    return AlertState(held["evaluated_ns"], held["problem"], rules, sent)


def _rule(held: Mapping[str, Any]) -> RuleRecord:
    instances = [Instance(**known_fields(Instance, one)) for one in held["instances"]]
    return RuleRecord(held["evaluated_ns"], held["error"], instances)


def known_fields(kind: type, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items of `held` that are fields of that dataclass; later versions write more."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in held.items() if name in names}
