"""The alert rules of Grafana's provisioning, and the series over their thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.errors import LokikitError, UnreachableError
from lokikit.monitoring.rule_definition import Rule
from lokikit.monitoring.rule_files import read_rule_file
from lokikit.stack.kit_files import rule_files

if TYPE_CHECKING:
    from lokikit.query.client import Loki

__all__ = ["Breach", "Rule", "breaches", "provisioned_rules"]


@dataclass(frozen=True)
class Breach:
    """A series over the threshold of a rule.

    Args:
        rule: the rule.
        labels: labels of the series.
        value: its value, `None` when no data is the breach.
        problem: Loki's reason, when it refuses the rule's query.
    """

    rule: Rule
    labels: Mapping[str, str]
    value: float | None
    problem: str = ""


def provisioned_rules() -> list[Rule]:
    """Return the rules of the kit that are switched on.

    Raises:
        SettingsError: a file of rules cannot be read.
    """
    return [rule for file in rule_files() for rule in read_rule_file(file) if not rule.is_paused]


def breaches(loki: Loki, rules: Iterable[Rule], now_ns: int) -> list[Breach]:
    """Return the series over their thresholds now, for any duration.

    Raises:
        UnreachableError: Loki does not answer.
    """
    return [breach for rule in rules for breach in _breaches(loki, rule, now_ns)]


def _breaches(loki: Loki, rule: Rule, now_ns: int) -> Iterator[Breach]:
    try:
        samples = loki.instant(rule.query, now_ns)
    except UnreachableError:
        raise
    except LokikitError as error:
        yield Breach(rule, {}, None, str(error))
        return
    if not samples and rule.alarms_without_data:
        yield Breach(rule, {}, None)
    for sample in samples:
        if rule.is_breached(float(sample.value)):
            yield Breach(rule, sample.labels, float(sample.value))
