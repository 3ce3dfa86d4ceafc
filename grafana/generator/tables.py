"""Tables: columns with names, rows from answers, and cells that stay empty where nothing is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grafana.generator.panels import NO_LINES
from grafana.generator.targets import LOKI, SHARED, Shared, lettered
from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from grafana_foundation_sdk.builders import dashboard
    from grafana_foundation_sdk.builders.loki import Dataquery

_MIN_COLUMN_PX = 60
_EMPTY_CELL = DynamicConfigValue("noValue", " ")
_SPARKLINE = {"type": "sparkline", "hideValue": False, "spanNulls": True}


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


def trends(  # noqa: PLR0913 - all but the first three by keyword
    title: str,
    description: str,
    targets: Mapping[str, Dataquery],
    *,
    names: Mapping[str, str],
    unit: str,
    empty: str = NO_LINES,
) -> table.Panel:
    """A table with one row for each series: its newest value, and its course as a sparkline.

    Args:
        title: of the panel.
        description: of the panel.
        targets: what a column is called -> a metrics query with a value for each point.
        names: label -> what its column is called.
        unit: of the values.
        empty: what is said without data.
    """
    columns = {f"Trend #{chr(ord('A') + number)}": name for number, name in enumerate(targets)}
    newest = {one.removeprefix("Trend #"): {"stat": "lastNotNull"} for one in columns}
    steps = [step("timeSeriesTable", **newest), *merged({**names, **columns})]
    panel = rows(
        title,
        description,
        list(targets.values()),
        names={**names, **columns},
        units=dict.fromkeys(columns, unit),
        steps=steps,
        empty=empty,
    )
    for column in columns:
        panel.override_by_name(column, [DynamicConfigValue("custom.cellOptions", _SPARKLINE)])
    return panel.interval("30s")


def reports(title: str, description: str, target: Dataquery, *, empty: str) -> table.Panel:
    """A table of log lines: unlike the panel for lines, it can say what it means to have none."""
    names = {"Time": "Time", "Line": "Line"}
    panel = rows(title, description, [target], names=names, steps=merged(names), empty=empty)
    wrapped = DynamicConfigValue("custom.cellOptions", {"type": "auto", "wrapText": True})
    panel.override_by_name("Line", [wrapped, DynamicConfigValue("custom.inspect", True)])
    panel.override_by_name("Time", [DynamicConfigValue("custom.width", 170)])
    return panel.sort_by([_by("Time")])


def _table(title: str, description: str, empty: str) -> table.Panel:
    """A table without rows yet.

    `no_value` is what the empty panel says; Grafana would show it in each empty cell too, so the
    cells have a value of their own for that.
    """
    panel = table.Panel().title(title).description(description).no_value(empty)
    # Of columns that are narrower than this Grafana cuts the last ones off.
    return panel.min_width(_MIN_COLUMN_PX).override_by_regexp("/.*/", [_EMPTY_CELL])


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
