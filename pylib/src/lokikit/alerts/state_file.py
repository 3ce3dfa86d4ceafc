"""The state of `lokikit alerts` over restarts, in one JSON file that the page reads too.

{"version": 1, "evaluated_ns": …, "problem": "",
 "rules": {uid: {"evaluated_ns": …, "error": "", "instances": [{"labels": {…}, "state": …}]}},
 "sent": {way: {service: {"sent_ns": …, "firing": {fingerprint: {…}}, "failure": ""}}}}
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.atomic_file import replace_file
from lokikit.monitoring.rule_states import Instance
from lokikit.stack.native.alerts import ALERTS_PART, ALIVE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSION = 1
_CLOSED_FOLDER = 0o700


@dataclass
class RuleRecord:
    """The last evaluation of one rule.

    Args:
        evaluated_ns: time of it, nanoseconds since 1970.
        error: the reason why the query failed, empty when it did not.
        instances: the series of the rule with their states, those that resolved lately too.
    """

    evaluated_ns: int = 0
    error: str = ""
    instances: list[Instance] = field(default_factory=list)


@dataclass
class SentRecord:
    """The last message of one way about one group of alerts.

    Args:
        sent_ns: time of the message, 0 while there was none.
        firing: the alerts that the message named as firing: fingerprint -> rule's uid, summary,
            labels and start, from which the message of their end is written.
        failure: the reason why the newest message did not go out, empty when it did.
        failed_ns: time of the last try that failed.
        failures: tries in a row that failed.
    """

    sent_ns: int = 0
    firing: dict[str, dict[str, Any]] = field(default_factory=dict)
    failure: str = ""
    failed_ns: int = 0
    failures: int = 0


@dataclass
class AlertState:
    """All that `lokikit alerts` knows.

    Args:
        evaluated_ns: time of the last look at the rules, nanoseconds since 1970; a page can see
            by it whether the process runs.
        problem: the reason why Loki did not answer then, empty when it did.
        rules: uid -> its last evaluation.
        sent: way -> group (the service, empty for alerts of none) -> its last message.
    """

    evaluated_ns: int = 0
    problem: str = ""
    rules: dict[str, RuleRecord] = field(default_factory=dict)
    sent: dict[str, dict[str, SentRecord]] = field(default_factory=dict)


def alerts_folder(state: Path) -> Path:
    """The folder of state and silences below the state folder of the stack."""
    return state / ALERTS_PART


def state_file(folder: Path) -> Path:
    """The state file in that folder."""
    return folder / "state.json"


def alive_file(folder: Path) -> Path:
    """The file in that folder that is touched at each step: its age says whether alerts run."""
    return folder / ALIVE


def read_state(folder: Path) -> AlertState | None:
    """The state in `alerts_folder`; `None` when there is none, or none that can be read."""
    try:
        held = orjson.loads(state_file(folder).read_bytes())
        return _state(held) if held["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_state(folder: Path, state: AlertState) -> None:
    """Replace the state, whole, so that it survives a power cut.

    Raises:
        OSError: the disk does not take it; the old state still stands.
    """
    held = {"version": VERSION, **asdict(state)}
    replace_file(state_file(folder), orjson.dumps(held, option=orjson.OPT_INDENT_2), durable=True)


def make_folder(folder: Path) -> None:
    """Make the folder, which nobody else can look into: labels may name what is private."""
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
    """What of `held` are fields of that dataclass; a later version may write more."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in held.items() if name in names}
