"""Tiles: a number at a glance, the alerts that fire, and a note in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana.generator.panels import NO_LINES
from grafana.generator.targets import LOKI, RANGE, at_once, lettered
from grafana_foundation_sdk.builders import common, dashboard, stat, text
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.text import TextMode

from lokikit.query import logql as queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grafana_foundation_sdk.builders.loki import Dataquery

_FIRING = {
    **dict.fromkeys(("firing", "error", "noData", "recovering"), True),
    **dict.fromkeys(("pending", "normal"), False),
}


def number(  # noqa: PLR0913 - all but the first three by keyword
    title: str,
    description: str,
    target: Dataquery,
    *,
    limits: Mapping[float, str],
    texts: Mapping[str, str] | None = None,
    empty: str = NO_LINES,
) -> stat.Panel:
    """One number, in the colour of the greatest limit that it reaches.

    Args:
        title: of the panel.
        description: of the panel.
        target: a metrics query, asked at once.
        limits: from which value on -> colour; below the first it is green.
        texts: value -> what is shown in its place.
        empty: what is said without data.
    """
    colours = [Threshold(None, "green"), *(Threshold(*one) for one in limits.items())]
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(colours)
    said = {value: ValueMappingResult(text) for value, text in (texts or {}).items()}
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered([target])))
        .thresholds(thresholds)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .mappings([ValueMap(said)])
        .no_value(empty)
    )


def against_before(title: str, description: str, now: str, *, unit: str = "short") -> stat.Panel:
    """One number of the time shown, and beside it the same number of an equal time before.

    Args:
        title: of the panel.
        description: of the panel.
        now: a metrics query over all of the time shown, asked at once.
        unit: of the number.
    """
    asked = {"now": now, "before": queries.before(now, RANGE)}
    targets = [at_once(one).legend_format(name) for name, one in asked.items()]
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered(targets)))
        .unit(unit)
        .decimals(1 if unit == "percentunit" else 0)
        .color_mode(BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value(NO_LINES)
    )
    for name, letter in zip(asked, "AB", strict=True):
        panel.override_by_query(letter, [DynamicConfigValue("displayName", name)])
    return panel


def totals(
    title: str,
    description: str,
    targets: Mapping[str, Dataquery],
    *,
    colours: Mapping[str, str],
    empty: str,
) -> stat.Panel:
    """Sums over the time shown, each with its course: `none`, or a number in its colour.

    Args:
        title: of the panel.
        description: of the panel.
        targets: name -> a metrics query with a value for each point.
        colours: name -> its colour once it is more than 0.
        empty: what is said without data.
    """
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered(list(targets.values()))))
        .interval("1m")
        .graph_mode(BigValueGraphMode.AREA)
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(common.ReduceDataOptions().calcs(["sum"]))
        .mappings([ValueMap({"0": ValueMappingResult("none")})])
        .no_value(empty)
    )
    for name, letter in zip(targets, "ABCDEFGH", strict=False):
        found = [DynamicConfigValue("thresholds", _steps({1: colours[name]}))]
        panel.override_by_query(letter, [DynamicConfigValue("displayName", name), *found])
    return panel


def _steps(limits: Mapping[float, str]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"value": None, "color": "green"}]
    steps += [{"value": value, "color": colour} for value, colour in limits.items()]
    return {"mode": "absolute", "steps": steps}


def firing_count(title: str, description: str) -> dashboard.Panel:
    """How many alerts fire now, as Grafana itself knows it."""
    return _alerts(title, description, "stat")


def alert_list(title: str, description: str) -> dashboard.Panel:
    """The alerts that fire, the most important first."""
    return _alerts(title, description, "list")


def _alerts(title: str, description: str, view: str) -> dashboard.Panel:
    options = {
        "viewMode": view,
        "groupMode": "default",
        "groupBy": [],
        "maxItems": 20,
        "sortOrder": 3,
        "dashboardAlerts": False,
        "alertName": "",
        "alertInstanceLabelFilter": "",
        "stateFilter": _FIRING,
    }
    return (
        dashboard.Panel().type("alertlist").title(title).description(description).options(options)
    )


def note(title: str, description: str, words: str) -> text.Panel:
    """A sentence that always stands there, in Markdown."""
    panel = text.Panel().title(title).description(description)
    return panel.mode(TextMode.MARKDOWN).content(words)
