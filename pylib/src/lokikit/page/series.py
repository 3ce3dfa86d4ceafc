"""Numbers over time: the histogram of lines, and metric queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lokikit.fields import DETECTED_LEVEL
from lokikit.query import logql as queries
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki
    from lokikit.query.results import Sample

HISTOGRAM_BARS = 80
GRAPH_POINTS = 150
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY_S = 86400
_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def step_s(range_s: int, points: int, least_s: int = 1) -> int:
    """Return the step of at most `points` points: a round number of seconds, or whole days."""
    wanted = max(least_s, -(-range_s // points))
    return next((one for one in _STEPS_S if one >= wanted), -(-wanted // _DAY_S) * _DAY_S)


@dataclass(frozen=True)
class Grid:
    """The moments that all series of a graph share, each the end of a span of `step_s` seconds."""

    times_s: range
    step_s: int

    @classmethod
    def of(cls, choice: Choice, points: int, least_s: int = 1) -> Grid:
        """Return whole steps that cover the span of the choice."""
        step = step_s(choice.range_s, points, least_s)
        first = choice.start_ns // NS_PER_S // step * step + step
        last = -(-choice.end_ns // (NS_PER_S * step)) * step
        return cls(range(first, max(first, last) + 1, step), step)

    def ask(self, loki: Loki, query: str) -> list[tuple[Mapping[str, str], list[float | None]]]:
        """Return labels and values of each series of a query, `None` for a missing value."""
        first, last = (moment * NS_PER_S for moment in (self.times_s[0], self.times_s[-1]))
        return self._spread(loki.range_samples(query, first, last, self.step_s))

    def _spread(
        self, samples: Iterable[Sample]
    ) -> list[tuple[Mapping[str, str], list[float | None]]]:
        found: dict[tuple[tuple[str, str], ...], list[float | None]] = {}
        for one in samples:
            key = tuple(sorted(one.labels.items()))
            values = found.setdefault(key, [None] * len(self.times_s))
            number = ((one.timestamp_ns or 0) // NS_PER_S - self.times_s[0]) // self.step_s
            if 0 <= number < len(values):
                values[number] = float(one.value)
        return [(dict(key), values) for key, values in found.items()]

    def as_json(self, series: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the form for the page's JavaScript: each span by its start."""
        starts = [moment - self.step_s for moment in self.times_s]
        return {"times": starts, "step": self.step_s, "series": series}


def histogram(loki: Loki, choice: Choice) -> dict[str, Any]:
    """Return the number of chosen lines in each span, by level."""
    grid = Grid.of(choice, HISTOGRAM_BARS)
    query = queries.count(choice.query, f"{grid.step_s}s", (DETECTED_LEVEL,))
    answers = grid.ask(loki, query)
    series = [
        {"name": labels.get(DETECTED_LEVEL, "unknown"), "values": values}
        for labels, values in answers
    ]
    return grid.as_json(series)


def metric_graph(loki: Loki, choice: Choice) -> dict[str, Any]:
    """Return the series of a metric query that the user typed."""
    grid = Grid.of(choice, GRAPH_POINTS)
    answers = grid.ask(loki, choice.query)
    return grid.as_json(
        [{"name": legend("__auto", labels), "values": values} for labels, values in answers]
    )


def legend(form: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series, by Grafana's templates with `{{label}}`."""
    if form == "__auto" or not form:
        named = [f"{name}={value}" for name, value in sorted(labels.items())]
        return ", ".join(named) or "value"
    return _LABEL.sub(lambda found: labels.get(found[1], ""), form).strip()
