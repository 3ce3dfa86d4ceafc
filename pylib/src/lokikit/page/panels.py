"""The kinds of panels of a dashboard, as content for the page's JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lokikit.page.lines import as_row
from lokikit.page.series import GRAPH_POINTS, Grid, legend
from lokikit.page.tables import REDUCERS, VALUE, Frame, Trend, transformed
from lokikit.page.variables import fill, row_link, series_link
from lokikit.query.readable_logql import readable
from lokikit.times import NS_PER_S, parse_duration_ns

if TYPE_CHECKING:
    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki

Panel = dict[str, Any]
MAX_LOG_LINES = 100
_MARKS = re.compile(r"[`*]")
_PRESENTATION = readable("")
"""Stages that render a line for Grafana; the page makes rows of the lines themselves."""


@dataclass(frozen=True)
class PanelQueries:
    """Runs the queries of panels for a choice; `find_panel` is for the same dashboard."""

    loki: Loki
    choice: Choice
    find_panel: Callable[[int], Panel]

    def grid(self, panel: Panel) -> Grid:
        """Return the moments of a panel's graph, by the number of points and step in its file."""
        points = min(panel.get("maxDataPoints") or GRAPH_POINTS, GRAPH_POINTS)
        least = panel.get("interval")
        least_s = parse_duration_ns(least, "interval") // NS_PER_S if least else 1
        return Grid.of(self.choice, points, least_s)

    def frames(self, panel: Panel) -> Iterator[Frame]:
        """Yield the answers of a panel's queries; a frame for each series of a range query."""
        for target in panel["targets"]:
            ref = target["refId"]
            if "expr" not in target:
                yield from self.frames(self.find_panel(target["panelId"]))
            elif target["queryType"] == "instant":
                query = fill(target["expr"], self.choice, self.choice.range_s)
                found = self.loki.instant(query, self.choice.end_ns)
                rows = [{**one.labels, f"{VALUE} #{ref}": float(one.value)} for one in found]
                yield Frame(rows, ref)
            else:
                yield from self._courses(panel, target)

    def _courses(self, panel: Panel, target: Mapping[str, Any]) -> Iterator[Frame]:
        grid = self.grid(panel)
        for labels, values in grid.ask(self.loki, fill(target["expr"], self.choice, grid.step_s)):
            points = zip(grid.times_s, values, strict=True)
            rows = [{**labels, "Time": time * 1000, VALUE: value} for time, value in points]
            yield Frame(rows, target["refId"])


def graph(queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return values over time."""
    grid, series = queries.grid(panel), []
    defaults = panel["fieldConfig"]["defaults"]
    links = defaults.get("links") or ()
    for target in panel["targets"]:
        query = fill(target["expr"], queries.choice, grid.step_s)
        for labels, values in grid.ask(queries.loki, query):
            name = legend(target.get("legendFormat", ""), labels)
            one = {"name": name, "values": values, "colour": _colour(panel, name)}
            if links:
                one["link"] = series_link(links[0]["url"], labels)
            series.append(one)
    custom = defaults.get("custom", {})
    return {
        **grid.as_json(series),
        "unit": defaults.get("unit", "short"),
        "bars": custom.get("drawStyle") == "bars",
        "stacked": custom.get("stacking", {}).get("mode") == "normal",
        "connected": bool(custom.get("spanNulls")),
    }


def _colour(panel: Panel, name: str) -> str:
    """Return Grafana's name of the colour that the panel fixes for a series; empty without."""
    colour = _properties(panel, "byName", name).get("color")
    for override in panel["fieldConfig"].get("overrides", ()):
        matcher = override["matcher"]
        if matcher["id"] == "byRegexp" and re.search(matcher["options"].strip("/"), name):
            found = {one["id"]: one["value"] for one in override["properties"]}
            colour = colour or found.get("color")
    return str(colour["fixedColor"]) if colour else ""


def _properties(panel: Panel, kind: str, name: str) -> dict[str, Any]:
    """Return the properties that a panel overrides for a column, series or query."""
    return {
        one["id"]: one["value"]
        for override in panel["fieldConfig"].get("overrides", ())
        if override["matcher"] == {"id": kind, "options": name}
        for one in override["properties"]
    }


def table(queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return rows of instant answers; a panel with log lines returns lines."""
    if any(target.get("maxLines") for target in panel["targets"]):
        return logs(queries, panel)
    rows = transformed(list(queries.frames(panel)), panel.get("transformations") or ())
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: _column(panel, name) for name in names}
    titles = {column["title"]: name for name, column in columns.items()}
    for by in panel["options"].get("sortBy", ()):
        rows = sorted(rows, key=_by(titles.get(by["displayName"], "")), reverse=by.get("desc"))
    return {
        "columns": list(columns.values()),
        "rows": [[_cell(column, name, row) for name, column in columns.items()] for row in rows],
    }


def _by(name: str) -> Callable[[Mapping[str, Any]], tuple[bool, float, str]]:
    """Return the sort key for a column: empty cells first, then numbers, then texts."""

    def key(row: Mapping[str, Any]) -> tuple[bool, float, str]:
        value = row.get(name)
        if isinstance(value, Trend):
            value = value.newest
        if isinstance(value, (int, float)):
            return True, float(value), ""
        return value is not None, 0.0, str(value)

    return key


def _column(panel: Panel, name: str) -> dict[str, str]:
    own = _properties(panel, "byName", name)
    links = own.get("links") or [{"url": ""}]
    return {
        "title": own.get("displayName", name),
        "unit": own.get("unit", ""),
        "link": links[0]["url"],
    }


def _cell(column: Mapping[str, str], name: str, row: Mapping[str, Any]) -> Any:
    """Return a value, a value with its link, or the last value of a trend with all values."""
    value = row.get(name)
    if isinstance(value, Trend):
        return {"value": value.newest, "trend": value.values}
    if not column["link"] or value in (None, ""):
        return value
    return {"value": value, "link": row_link(column["link"], row)}


def stat(queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return a number for each query, in the colour of the highest threshold that it reaches."""
    legends = {target["refId"]: target.get("legendFormat", "") for target in panel["targets"]}
    (how,) = panel["options"]["reduceOptions"]["calcs"]
    numbers = []
    for frame in queries.frames(panel):
        own = _properties(panel, "byFrameRefID", frame.ref)
        values = [
            value
            for row in frame.rows
            for name, value in row.items()
            if name.startswith(VALUE) and value is not None
        ]
        if values:
            value = REDUCERS[how](values)
            name = own.get("displayName", legends[frame.ref])
            numbers.append({"name": name, "value": value, **_text_and_colour(panel, own, value)})
    defaults = panel["fieldConfig"]["defaults"]
    is_named = "name" in panel["options"].get("textMode", "")
    return {"numbers": numbers, "unit": defaults.get("unit", ""), "named": is_named}


def _text_and_colour(panel: Panel, own: Mapping[str, Any], value: float) -> dict[str, str]:
    """Return the text in place of a number, empty without a text, and the colour."""
    defaults = panel["fieldConfig"]["defaults"]
    steps = own.get("thresholds", defaults.get("thresholds", {})).get("steps", ())
    reached = [one["color"] for one in steps if one["value"] is None or value >= one["value"]]
    texts = {
        key: one["text"]
        for mapping in defaults.get("mappings", ())
        if mapping["type"] == "value"
        for key, one in mapping["options"].items()
    }
    return {"text": texts.get(f"{value:g}", ""), "colour": reached[-1] if reached else ""}


def logs(queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return the lines of a log query."""
    (target,) = panel["targets"]
    oldest_first = panel.get("options", {}).get("sortOrder") == "Ascending"
    expr = target["expr"].removesuffix(_PRESENTATION)
    query = fill(expr, queries.choice, queries.choice.range_s)
    found = queries.loki.query_range(
        query,
        queries.choice.start_ns,
        queries.choice.end_ns,
        min(target.get("maxLines") or MAX_LOG_LINES, MAX_LOG_LINES),
        "forward" if oldest_first else "backward",
    )
    return {"kind": "logs", "rows": list(map(as_row, found)), "query": query}


def text(_queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return a note."""
    return {"text": _MARKS.sub("", panel["options"]["content"])}


def alert_list(_queries: PanelQueries, panel: Panel) -> dict[str, Any]:
    """Return the form of the list; the page requests the alerts, which depend on no choice."""
    return {"is_count": panel["options"].get("viewMode") == "stat"}


KINDS: dict[str, Callable[[PanelQueries, Panel], dict[str, Any]]] = {
    "timeseries": graph,
    "table": table,
    "stat": stat,
    "logs": logs,
    "text": text,
    "alertlist": alert_list,
}
"""Grafana's name of a kind of panel -> function that returns its content."""
