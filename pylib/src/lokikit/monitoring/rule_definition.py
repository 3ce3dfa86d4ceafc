"""An alert rule of Grafana or of Loki's ruler, in the form for its evaluation."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lokikit.times import NS_PER_S

OnNoData = Literal["NoData", "OK", "Alerting", "KeepLast"]
OnError = Literal["Error", "OK", "Alerting", "KeepLast"]

_BEYOND: Mapping[str, tuple[str, Callable[[float, float, float], bool]]] = {
    "gt": (">", lambda value, low, _: value > low),
    "lt": ("<", lambda value, low, _: value < low),
    "gte": (">=", lambda value, low, _: value >= low),
    "lte": ("<=", lambda value, low, _: value <= low),
    "eq": ("==", lambda value, low, _: operator.eq(value, low)),
    "ne": ("!=", lambda value, low, _: operator.ne(value, low)),
    "within_range": ("within", lambda value, low, high: low < value < high),
    "outside_range": ("outside", lambda value, low, high: value < low or value > high),
    "within_range_included": ("within", lambda value, low, high: low <= value <= high),
    "outside_range_included": ("outside", lambda value, low, high: value <= low or value >= high),
    "any": ("any series", lambda *_: True),
}
"""Grafana's name of a side of the threshold -> its sign, and the test of a value.

`any` is for rules of Loki's ruler, whose query returns breaches only.
"""

SIDES = frozenset(_BEYOND) - {"any"}
"""The sides of a threshold in Grafana."""
RANGES = frozenset(name for name in SIDES if "range" in name)
"""The sides that have two bounds."""


@dataclass(frozen=True)
class Range:
    """The span of a range query, and the reduction of its values.

    Args:
        from_ns: time from the beginning of the span to the evaluation.
        to_ns: time from its end to the evaluation.
        step_ns: time between two values.
        reducer: `last`, `mean`, `min`, `max`, `sum`, `count` or `median`.
    """

    from_ns: int
    to_ns: int
    step_ns: int
    reducer: str


@dataclass(frozen=True)
class Rule:
    """An alert rule.

    Args:
        uid: Grafana's id; for Loki's ruler the alert's name.
        title: name for people.
        severity: its label, `critical` or `warning`.
        query: a metric query; each series of its answer is evaluated by itself.
        beyond: side of the threshold that is a breach: `gt`, `lt` and so on.
        threshold: the threshold, or the lower of two bounds.
        no_data: state for an empty answer; `OK` for rules of Loki's ruler.
        upper: the upper of two bounds.
        on_error: state for a query that fails.
        engine: `loki` for a rule of Loki's ruler: absent series are no breach.
        span: span of a range query, `None` for an instant query.
        folder: folder in Grafana, a label of its alerts.
        group: group that it is evaluated with.
        interval_ns: time between two evaluations.
        for_ns: duration of a breach before the rule fires.
        keep_firing_for_ns: time for which it fires on after the breach.
        missing_evaluations: evaluations without its series after which a Grafana-managed alert
            resolves.
        labels: labels added to the labels of each series.
        annotations: name -> template.
        is_paused: True when it is switched off.
    """

    uid: str
    title: str
    severity: str
    query: str
    beyond: str
    threshold: float
    no_data: OnNoData = "NoData"
    upper: float = float("inf")
    on_error: OnError = "Error"
    engine: Literal["grafana", "loki"] = "grafana"
    span: Range | None = None
    folder: str = ""
    group: str = ""
    interval_ns: int = 60 * NS_PER_S
    for_ns: int = 0
    keep_firing_for_ns: int = 0
    missing_evaluations: int = 2
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    is_paused: bool = False

    def is_breached(self, value: float) -> bool:
        """Return True when the value is on the side of the threshold that is a breach."""
        return _BEYOND[self.beyond][1](value, self.threshold, self.upper)

    @property
    def alarms_without_data(self) -> bool:
        """True when an empty answer is a breach too."""
        return self.no_data == "Alerting"

    @property
    def limit(self) -> str:
        """The breach as text: `> 0.05`."""
        if self.engine == "loki":
            return _BEYOND[self.beyond][0]
        bounds = f"{self.threshold:g}"
        if self.beyond in RANGES:
            bounds += f" and {self.upper:g}"
        return f"{_BEYOND[self.beyond][0]} {bounds}"

    def alert_labels(self, series: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of an alert: the series', the rule's, and those that name the rule."""
        names = {"alertname": self.title}
        if self.folder:
            names["grafana_folder"] = self.folder
        return {**series, **self.labels, **names}
