"""One alert rule, of Grafana or of Loki's ruler, as whoever evaluates it needs it."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
"""What Grafana calls a side of the threshold -> its sign, and whether a value is there.

`any` stands for rules of Loki's ruler, whose query leaves only the series that are a breach.
"""

SIDES = frozenset(_BEYOND) - {"any"}
"""The sides of a threshold that Grafana names."""
RANGES = frozenset(name for name in SIDES if "range" in name)
"""Those of them that have two bounds."""


@dataclass(frozen=True)
class Range:
    """The span of a query that asks for a value each step, and what is made of the values.

    Args:
        from_ns: how long before the evaluation the span begins.
        to_ns: how long before the evaluation it ends.
        step_ns: between two values.
        reducer: `last`, `mean`, `min`, `max`, `sum`, `count` or `median`.
    """

    from_ns: int
    to_ns: int
    step_ns: int
    reducer: str


@dataclass(frozen=True)
class Rule:
    """One alert rule.

    Args:
        uid: what Grafana knows it by; of Loki's ruler the alert's name.
        title: what people know it by.
        severity: `critical` or `warning`, as its label says.
        query: a metric query; each series of its answer is judged by itself.
        beyond: `gt`, `lt` …: on which side of the threshold a breach is.
        threshold: the number, or the lower of two.
        no_data: what an empty answer is taken for; `OK` for rules of Loki's ruler.
        upper: the upper of two bounds.
        on_error: what a query that fails is taken for.
        engine: `loki` for a rule of Loki's ruler: series that are absent are not breached.
        span: of a range query, `None` for an instant query.
        folder: of Grafana, a label of its alerts.
        group: the group that it is evaluated with.
        interval_ns: between two evaluations.
        for_ns: how long a breach lasts before the rule fires.
        keep_firing_for_ns: how long it fires on after the breach.
        missing_evaluations: after so many without its series a Grafana-managed alert resolves.
        labels: added to those of each series.
        annotations: name -> template.
        is_paused: whether it is switched off.
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
        """Whether that value is over the threshold, or under it where that is the breach."""
        return _BEYOND[self.beyond][1](value, self.threshold, self.upper)

    @property
    def alarms_without_data(self) -> bool:
        """Whether an empty answer is a breach too."""
        return self.no_data == "Alerting"

    @property
    def limit(self) -> str:
        """The breach in signs: `> 0.05`."""
        if self.engine == "loki":
            return _BEYOND[self.beyond][0]
        bounds = f"{self.threshold:g}"
        if self.beyond in RANGES:
            bounds += f" and {self.upper:g}"
        return f"{_BEYOND[self.beyond][0]} {bounds}"

    def alert_labels(self, series: Mapping[str, str]) -> dict[str, str]:
        """Labels of the alert of a series: its own, the rule's, and those that name the rule."""
        names = {"alertname": self.title}
        if self.folder:
            names["grafana_folder"] = self.folder
        return {**series, **self.labels, **names}
