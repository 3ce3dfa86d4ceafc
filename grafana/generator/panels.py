"""Panels as this kit draws them: one look, a description each, a hint where data is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from grafana.generator.targets import LOKI, SHARED, Shared, lettered
from grafana_foundation_sdk.builders import common, dashboard, logs, stat, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

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

Panel: TypeAlias = timeseries.Panel | table.Panel | stat.Panel | logs.Panel


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
) -> timeseries.Panel:
    """Values over time: lines, or bars that add up."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(LOKI)
        .targets(list(lettered(targets)))
        .unit(unit)
        .min(0)
        .no_value(empty)
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


def rows(  # noqa: PLR0913 - all but the first three by keyword
    title: str,
    description: str,
    targets: Sequence[Dataquery],
    *,
    names: Mapping[str, str],
    units: Mapping[str, str] | None = None,
    links: Mapping[str, Sequence[dashboard.DashboardLink]] | None = None,
    steps: Sequence[DataTransformerConfig] | None = None,
    empty: str = NO_LINES,
) -> table.Panel:
    """A table of what a query gives at once, the greatest value first.

    Args:
        title: of the panel.
        description: of the panel.
        targets: metrics queries, asked at once.
        names: column -> what it is called; the last one sorts. Others are hidden.
        units: column -> its unit.
        links: column -> where its values lead.
        steps: in place of `merged`, what makes rows of the answers.
        empty: what is said without data.
    """
    *_, last = names.values()
    panel = _table(title, description, empty).targets(list(lettered(targets)))
    panel.datasource(LOKI).transformations(list(merged(names) if steps is None else steps))
    panel.sort_by([_by(last)])
    return _dressed(panel, names, units or {}, links or {})


def shared_rows(  # noqa: PLR0913 - as of `rows`
    title: str,
    description: str,
    panel_id: int,
    *,
    names: Mapping[str, str],
    steps: Sequence[DataTransformerConfig],
    units: Mapping[str, str] | None = None,
    links: Mapping[str, Sequence[dashboard.DashboardLink]] | None = None,
) -> table.Panel:
    """A table of what another panel has asked already."""
    panel = _table(title, description, NO_LINES).targets([Shared(panel_id)])
    panel.datasource(SHARED).transformations(list(steps))
    *_, last = names.values()
    panel.sort_by([_by(last)])
    return _dressed(panel, names, units or {}, links or {})


def _table(title: str, description: str, empty: str) -> table.Panel:
    return table.Panel().title(title).description(description).no_value(empty)


def _by(name: str) -> common.TableSortByFieldState:
    return common.TableSortByFieldState().display_name(name).desc(desc=True)


def _dressed(
    panel: table.Panel,
    names: Mapping[str, str],
    units: Mapping[str, str],
    links: Mapping[str, Sequence[dashboard.DashboardLink]],
) -> table.Panel:
    for column, name in names.items():
        values = [DynamicConfigValue("displayName", name)]
        if column in units:
            values.append(DynamicConfigValue("unit", units[column]))
        if column in links:
            values.append(DynamicConfigValue("links", [one.build() for one in links[column]]))
        panel.override_by_name(column, values)
    return panel


def merged(names: Mapping[str, str]) -> list[DataTransformerConfig]:
    """The answers side by side, in that order of columns, without the others."""
    order = {name: number for number, name in enumerate(names)}
    chosen = {"include": {"names": list(names)}}
    return [
        step("merge"),
        step("filterFieldsByName", **chosen),
        step("organize", indexByName=order, excludeByName={}, renameByName={}),
    ]


def step(name: str, **options: Any) -> DataTransformerConfig:
    """One of Grafana's transformations."""
    return DataTransformerConfig(name, options=options)


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
