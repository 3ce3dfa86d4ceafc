"""All rules with their states, as a table shows them: a row for each series, or for the rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.alerts.alert import ACTIVE
from lokikit.alerts.state_file import alive_file
from lokikit.stack.native.alerts import is_fresh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lokikit.alerts.silences import Silence
    from lokikit.alerts.state_file import AlertState
    from lokikit.monitoring.rule_definition import Rule
    from lokikit.monitoring.rule_states import Instance


@dataclass(frozen=True)
class AlertRow:
    """One row.

    Args:
        rule: the uid.
        title: of the rule.
        of: the labels of the series in words; empty for the rule as a whole.
        state: `inactive`, `pending`, `firing`, `recovering`, `nodata`, `error`.
        since_ns: when the state began, 0 when it is not known.
        value: the last one, `None` without one.
        limit: the breach in signs: `> 0.05`.
        silenced: True while no message is about it.
        error: why the query failed at last.
    """

    rule: str
    title: str
    of: str
    state: str
    since_ns: int
    value: float | None
    limit: str
    silenced: bool
    error: str = ""

    @property
    def is_active(self) -> bool:
        """True when messages are about it, unless it is silenced."""
        return self.state in ACTIVE


def alert_rows(
    rules: Iterable[Rule], state: AlertState, silences: Sequence[Silence], now_ns: int
) -> list[AlertRow]:
    """The rows, those that fire first, then those that wait, then the rules in their order."""
    order = {"pending": 1, "inactive": 2}
    rows = [row for rule in rules for row in _rows(rule, state, silences, now_ns)]
    return sorted(rows, key=lambda one: order.get(one.state, 0))


def is_running(folder: Path) -> bool:
    """Whether a `lokikit alerts` works in that folder."""
    return is_fresh(alive_file(folder))


def _rows(
    rule: Rule, state: AlertState, silences: Sequence[Silence], now_ns: int
) -> Iterator[AlertRow]:
    record = state.rules.get(rule.uid)
    error = record.error if record else ""
    instances = record.instances if record else []
    lively = [one for one in instances if one.state != "inactive"]
    for one in lively:
        labels = {**rule.alert_labels(one.labels), **one.own_labels}
        silenced = any(silence.covers(rule.uid, labels, now_ns) for silence in silences)
        yield _row(rule, one, _in_words(one.labels), silenced=silenced, error=error)
    if not lively:
        silenced = any(one.covers(rule.uid, {}, now_ns) for one in silences)
        nearest = max(instances, key=_value, default=None)
        yield _row(rule, nearest, "", silenced=silenced, error=error)


def _row(rule: Rule, instance: Instance | None, of: str, *, silenced: bool, error: str) -> AlertRow:
    state, since_ns = (instance.state, instance.since_ns) if instance else ("inactive", 0)
    value = instance.value if instance else None
    return AlertRow(rule.uid, rule.title, of, state, since_ns, value, rule.limit, silenced, error)


def _value(instance: Instance) -> float:
    return float("-inf") if instance.value is None else instance.value


def _in_words(labels: Mapping[str, str]) -> str:
    return " ".join(labels.values())
