"""The alert rules as Grafana is provisioned with them, and which are over their threshold."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from lokikit.errors import LokikitError, UnreachableError
from lokikit.kit import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lokikit.client import Loki

_BEYOND: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "gt": (">", operator.gt),
    "lt": ("<", operator.lt),
}
"""What Grafana calls a side of the threshold -> its sign, and whether a value is there."""


@dataclass(frozen=True)
class Rule:
    """One alert rule.

    Args:
        uid: what Grafana knows it by.
        title: what people know it by.
        severity: `critical` or `warning`.
        query: a metrics query; each series of its answer is judged by itself.
        beyond: `gt` or `lt`, on which side of the threshold a breach is.
        threshold: the number.
        alarms_without_data: whether an empty answer is a breach too.
    """

    uid: str
    title: str
    severity: str
    query: str
    beyond: str
    threshold: float
    alarms_without_data: bool

    def is_breached(self, value: float) -> bool:
        """Whether that value is over the threshold, or under it where that is the breach."""
        return _BEYOND[self.beyond][1](value, self.threshold)

    @property
    def limit(self) -> str:
        """The breach in signs: `> 0.05`."""
        return f"{_BEYOND[self.beyond][0]} {self.threshold:g}"


@dataclass(frozen=True)
class Breach:
    """One series over the threshold of a rule.

    Args:
        rule: which.
        labels: of the series.
        value: of it, `None` for the breach that no data is.
        problem: why it is not known, when Loki refuses the rule's query.
    """

    rule: Rule
    labels: Mapping[str, str]
    value: float | None
    problem: str = ""


def provisioned_rules() -> list[Rule]:
    """The rules of the kit that are switched on."""
    folder = kit_root() / "grafana/provisioning/alerting"
    return [rule for file in sorted(folder.glob("*.yaml")) for rule in read_rules(file.read_text())]


def read_rules(text: str) -> Iterator[Rule]:
    """The rules of a provisioning file that are switched on."""
    for group in yaml.safe_load(text).get("groups") or ():
        for held in group["rules"]:
            if not held.get("isPaused"):
                yield _rule(held)


def _rule(held: Mapping[str, Any]) -> Rule:
    models = [one["model"] for one in held["data"]]
    (query,) = (one["expr"] for one in models if "expr" in one)
    (condition,) = (one["conditions"][0] for one in models if one.get("type") == "threshold")
    evaluator = condition["evaluator"]
    return Rule(
        held["uid"],
        held["title"],
        held.get("labels", {}).get("severity", ""),
        query,
        evaluator["type"],
        float(evaluator["params"][0]),
        held.get("noDataState") == "Alerting",
    )


def breaches(loki: Loki, rules: Iterable[Rule], now_ns: int) -> list[Breach]:
    """What is over its threshold now; how long it has been is not looked at.

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
