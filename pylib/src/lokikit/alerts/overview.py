"""All rules with their states: a row for each active series, or for the rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lokikit.alerts.alert import ACTIVE
from lokikit.alerts.state_file import AlertState, alive_file
from lokikit.monitoring.rule_states import Instance
from lokikit.stack.native.alerts import is_fresh

if TYPE_CHECKING:
    from lokikit.alerts.silences import Silence
    from lokikit.monitoring.alert_rules import Breach
    from lokikit.monitoring.rule_definition import Rule


@dataclass(frozen=True)
class AlertRow:
    """A series of a rule; the rule as a whole when none of its series is active.

    Args:
        rule: the rule.
        labels: labels of the series; none for the rule as a whole.
        state: `inactive`, `pending`, `firing`, `recovering`, `nodata`, `error`; `over` for a breach
            without a known start.
        since_ns: start of the state, 0 when unknown.
        value: last value, `None` without a value.
        silenced: True while no message is sent about it.
        problem: error of the last query, or the reason of a state without a value.
    """

    rule: Rule
    labels: Mapping[str, str]
    state: str
    since_ns: int
    value: float | None
    silenced: bool
    problem: str = ""

    @property
    def of(self) -> str:
        """Values of its labels as text."""
        return " ".join(self.labels.values())

    @property
    def is_active(self) -> bool:
        """True when messages are sent about it, unless it is silenced."""
        return self.state in ACTIVE


def alert_rows(
    rules: Iterable[Rule], state: AlertState, silences: Sequence[Silence], now_ns: int
) -> list[AlertRow]:
    """Return the rows: active, pending, then inactive, each in the order of the rules."""
    order = {"pending": 1, "inactive": 2}
    rows = [row for rule in rules for row in _rows(rule, state, silences, now_ns)]
    return sorted(rows, key=lambda row: order.get(row.state, 0))


def breach_rows(
    breaches: Iterable[Breach], silences: Sequence[Silence], now_ns: int
) -> list[AlertRow]:
    """Return the rows of series over their thresholds, where no process keeps states."""
    rows = []
    for breach in breaches:
        rule, labels = breach.rule, breach.labels
        silenced = _is_silenced(rule, rule.alert_labels(labels), silences, now_ns)
        state = "error" if breach.problem else "over"
        rows.append(AlertRow(rule, labels, state, 0, breach.value, silenced, breach.problem))
    return rows


def is_running(folder: Path) -> bool:
    """Return True when a `lokikit alerts` works in that folder."""
    return is_fresh(alive_file(folder))


def _rows(
    rule: Rule, state: AlertState, silences: Sequence[Silence], now_ns: int
) -> Iterator[AlertRow]:
    record = state.rules.get(rule.uid)
    error = record.error if record else ""
    instances = record.instances if record else []
    active = [one for one in instances if one.state != "inactive"]
    for one in active:
        silenced = _is_silenced(rule, one.alert_labels(rule), silences, now_ns)
        problem = error or one.reason
        yield AlertRow(rule, one.labels, one.state, one.since_ns, one.value, silenced, problem)
    if not active:
        nearest = max(instances, key=_value, default=Instance({}))
        silenced = _is_silenced(rule, {}, silences, now_ns)
        yield AlertRow(rule, {}, nearest.state, nearest.since_ns, nearest.value, silenced, error)


def _is_silenced(
    rule: Rule, labels: Mapping[str, str], silences: Iterable[Silence], now_ns: int
) -> bool:
    return any(silence.covers(rule.uid, labels, now_ns) for silence in silences)


def _value(instance: Instance) -> float:
    return float("-inf") if instance.value is None else instance.value
