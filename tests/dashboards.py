"""The generated dashboards and alert rules as Grafana reads them, and asks Loki by them.

Nothing of `grafana/generator` is imported: what is tested are the files.
"""

from __future__ import annotations

import json
import operator
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lokikit.query.client import Loki
    from lokikit.query.results import LogEntry, Sample

GRAFANA = Path(__file__).parents[1] / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
RULES = GRAFANA / "provisioning/alerting/rules.yaml"
ALL = ["$__all"]
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::(\w+))?\}|(\w+))")
_SPECIAL = re.compile(r"[\\^$*+?.()|[\]{}/]")


@cache
def load(path: Path) -> dict[str, Any]:
    """One dashboard."""
    held: dict[str, Any] = json.loads(path.read_bytes())
    return held


@dataclass(frozen=True)
class Target:
    """One query of one panel.

    Args:
        dashboard: its uid.
        panel: its title.
        expr: the query, with Grafana's variables in it.
        kind: `instant`, or `range` for graphs and lines.
        max_lines: of a query for lines, 0 of one for numbers.
    """

    dashboard: str
    panel: str
    expr: str
    kind: str
    max_lines: int

    def __str__(self) -> str:
        return f"{self.dashboard.removeprefix('lokikit-')}: {self.panel}"


def targets(path: Path) -> Iterator[Target]:
    """The queries of a dashboard that go to Loki."""
    held = load(path)
    for panel in held["panels"]:
        for one in panel.get("targets", ()):
            if "expr" in one:
                limit = one.get("maxLines", 0)
                yield Target(held["uid"], panel["title"], one["expr"], one["queryType"], limit)


@dataclass(frozen=True)
class Chosen:
    """What somebody has chosen on a dashboard: values of its variables, and the time.

    Args:
        values: variable -> what is chosen, several values in a list; what is not here is "All".
        range_s: how much of the time is shown.
        step_s: the span of one point of a graph.
    """

    values: Mapping[str, str | list[str]] = field(default_factory=dict)
    range_s: int = 3600
    step_s: int = 60

    def fill(self, expr: str, path: Path) -> str:
        """The query that Loki gets, as Grafana's data source for Loki writes it."""
        variables = {one["name"]: one for one in load(path)["templating"]["list"]}

        def value(found: re.Match[str]) -> str:
            name, form = found[1] or found[3], found[2]
            times = {"__auto": self.step_s, "__interval": self.step_s, "__range": self.range_s}
            if name in times:
                return f"{times[name]}s"
            chosen = self.values.get(name, variables[name]["current"]["value"])
            if chosen == ALL:
                return str(variables[name]["allValue"])
            if form == "raw":
                return str(chosen)
            several = chosen if isinstance(chosen, list) else [chosen]
            # What stands in a quoted string needs its backslashes twice.
            escaped = [_SPECIAL.sub(r"\\\\\g<0>", one) for one in several]
            return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

        return _VARIABLE.sub(value, expr)

    def ask(self, loki: Loki, target: Target, path: Path, end_ns: int) -> list[Sample | LogEntry]:
        """What Loki answers."""
        query = self.fill(target.expr, path)
        start_ns = end_ns - self.range_s * 1_000_000_000
        if target.kind == "instant":
            return list(loki.instant(query, end_ns))
        if target.max_lines:
            found = loki.query_range(query, start_ns, end_ns, target.max_lines, "backward")
            return list(found)
        return list(loki.range_samples(query, start_ns, end_ns, self.step_s))


@cache
def rules() -> dict[str, dict[str, Any]]:
    """Uid -> rule of the provisioning file."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["uid"]: rule for group in groups for rule in group["rules"]}


def evaluate(loki: Loki, rule: Mapping[str, Any], time_ns: int) -> dict[tuple[str, ...], bool]:
    """Labels of each series of a rule's own query -> whether its own threshold is crossed.

    Grafana takes `$$` in provisioning files for `$`.
    """
    nodes = {node["refId"]: node["model"] for node in rule["data"]}
    breach = nodes[rule["condition"]]
    reduced = nodes[breach["expression"]]
    asked = nodes[reduced["expression"]]
    (condition,) = breach["conditions"]
    (limit,) = condition["evaluator"]["params"]
    crossed = {"gt": operator.gt, "lt": operator.lt}[condition["evaluator"]["type"]]
    answers = loki.instant(asked["expr"], time_ns)
    return {tuple(sorted(one.labels.values())): crossed(float(one.value), limit) for one in answers}
