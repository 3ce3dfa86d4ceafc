"""Panels of graphs and lines: one look, a description each, a hint where data is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from grafana.generator.targets import LOKI, lettered
from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    logs,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grafana_foundation_sdk.builders.loki import Dataquery

LEVEL_COLOURS = {
    "debug": "blue",
    "info": "green",
    "warn": "yellow",
    "error": "red",
    "critical": "purple",
    "fatal": "purple",
}
"""As Explore has them; names of Grafana's palette, readable on light and on dark."""
NO_LINES = "No lines in this time and choice. Try a longer time, or All."

Panel: TypeAlias = (
    timeseries.Panel | table.Panel | stat.Panel | logs.Panel | text.Panel | dashboard.Panel
)


def link(title: str, uid: str, **variables: str) -> dashboard.DashboardLink:
    """A link of a value to another dashboard, with the time that is shown."""
    chosen = "&".join(f"var-{name}={value}" for name, value in variables.items())
    return dashboard.DashboardLink(title).url(f"/d/{uid}?{chosen}&${{__url_time_range}}")


def graph(  # noqa: PLR0913 - all but the first three by keyword
    title: str,
    description: str,
    targets: Sequence[Dataquery],
    *,
    unit: str = "short",
    bars: bool = False,
    links: Sequence[dashboard.DashboardLink] = (),
    colours: Mapping[str, str] | None = None,
    empty: str = NO_LINES,
    least_step: str = "30s",
    joined_s: int = 0,
) -> timeseries.Panel:
    """Values over time: lines, or bars that add up.

    Args:
        title: of the panel.
        description: of the panel.
        targets: metrics queries with a value for each point.
        unit: of the values.
        bars: bars that add up in place of lines.
        links: where a point leads.
        colours: series, or a regular expression in slashes -> its colour.
        empty: what is said without data.
        least_step: the span of one point at the least, however short the time shown is.
        joined_s: a line goes on over a gap that is shorter, in seconds.
    """
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered(targets)))
        .unit(unit)
        .min(0)
        .no_value(empty)
        .interval(least_step)
        .span_nulls(joined_s * 1000 or False)
        .show_points(VisibilityMode.AUTO)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .legend(_legend())
        .data_links(list(links))
    )
    if bars:
        panel.draw_style(GraphDrawStyle.BARS).fill_opacity(80).line_width(0)
        panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    for name, colour in (colours or {}).items():
        chosen = panel.override_by_regexp if name.startswith("/") else panel.override_by_name
        chosen(name, [_fixed(colour)])
    return panel


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(show_legend=True)
    return legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)


def _fixed(colour: str) -> DynamicConfigValue:
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colour})


def lines(
    title: str, description: str, target: Dataquery, *, oldest_first: bool = False
) -> logs.Panel:
    """The log lines themselves, each to be opened for its fields."""
    order = LogsSortOrder.ASCENDING if oldest_first else LogsSortOrder.DESCENDING
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered([target])))
        .no_value(NO_LINES)
        .show_time(show_time=True)
        .wrap_log_message(wrap_log_message=True)
        .enable_log_details(enable_log_details=True)
        .sort_order(order)
    )
