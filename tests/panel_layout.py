"""Tables as Grafana lays them out: frames of real answers, transformations, the text of each cell.

What each transformation does is read from its documentation:
https://grafana.com/docs/grafana/latest/panels-visualizations/query-transform-data/transform-data/
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lokikit.query.results import LogEntry, Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

LAPTOP_PX = 1366
"""The width of a small laptop's screen."""
_COLUMNS, _EDGES_PX = 24, 40

Row = dict[str, Any]


@dataclass
class Frame:
    """Rows of named columns.

    Args:
        columns: in their order.
        rows: column -> value; a column that a row lacks is empty there.
        ref: the letter of the query.
        labels: of the one series that the frame is, `None` for a table.
    """

    columns: list[str]
    rows: list[Row]
    ref: str = "A"
    labels: Mapping[str, str] | None = field(default=None)


def panel_px(panel: Mapping[str, Any]) -> float:
    """How wide the inside of a panel is on a laptop."""
    return float(panel["gridPos"]["w"]) / _COLUMNS * LAPTOP_PX - _EDGES_PX


def frames_of(found: Sequence[Sample | LogEntry], kind: str, ref: str) -> list[Frame]:
    """The frames that Grafana's data source for Loki makes of an answer.

    Args:
        found: the answer.
        kind: `instant` for one table, `range` for one frame a series or one of lines.
        ref: the letter of the query.
    """
    if any(isinstance(one, LogEntry) for one in found):
        rows = [{"Time": one.timestamp_ns, "Line": one.line} for one in found]  # type: ignore[union-attr]
        return [Frame(["labels", "Time", "Line", "tsNs", "labelTypes", "id"], rows, ref)]
    samples = [one for one in found if isinstance(one, Sample)]
    if kind == "instant":
        names = sorted({name for one in samples for name in one.labels})
        value = f"Value #{ref}"
        rows = [
            {"Time": one.timestamp_ns, **one.labels, value: float(one.value)} for one in samples
        ]
        return [Frame(["Time", *names, value], rows, ref)]
    series: dict[tuple[tuple[str, str], ...], Frame] = {}
    for one in samples:
        key = tuple(sorted(one.labels.items()))
        frame = series.setdefault(key, Frame(["Time", "Value"], [], ref, dict(one.labels)))
        frame.rows.append({"Time": one.timestamp_ns, "Value": float(one.value)})
    return list(series.values())


def laid_out(panel: Mapping[str, Any], frames: Iterable[Frame]) -> Frame:
    """The table that a panel shows."""
    shown = list(frames)
    for one in panel.get("transformations", ()):
        shown = _STEPS[one["id"]](shown, one["options"])
    (table,) = shown or [Frame([], [])]
    return table


def cell_text(panel: Mapping[str, Any], column: str, value: Any) -> str:
    """What stands in a cell: the value, or what the panel says of one that is missing."""
    if value is not None:
        return str(value)
    text = panel["fieldConfig"]["defaults"].get("noValue", "")
    for override in panel["fieldConfig"]["overrides"]:
        if _matches(override["matcher"], column):
            for one in override["properties"]:
                text = one["value"] if one["id"] == "noValue" else text
    return str(text)


def column_px(panel: Mapping[str, Any], column: str) -> float:
    """The least width of a column: Grafana cuts off what does not fit beside the others."""
    defaults = panel["fieldConfig"]["defaults"].get("custom", {})
    width = float(defaults.get("minWidth", 150))
    for override in panel["fieldConfig"]["overrides"]:
        if _matches(override["matcher"], column):
            for one in override["properties"]:
                width = one["value"] if one["id"] == "custom.width" else width
    return width


def _matches(matcher: Mapping[str, Any], column: str) -> bool:
    if matcher["id"] == "byName":
        return bool(matcher["options"] == column)
    if matcher["id"] == "byRegexp":
        return re.search(matcher["options"].strip("/"), column) is not None
    return False


def _merge(frames: list[Frame], _: Any) -> list[Frame]:
    """Rows whose shared columns are equal are one row."""
    columns = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    shared = [name for name in columns if all(name in frame.columns for frame in frames)]
    keys = [name for name in shared if not name.startswith(("Value", "Time"))]
    rows: list[Row] = []
    for frame in frames:
        for row in frame.rows:
            alike = [
                one
                for one in rows
                if all(one.get(key) == row.get(key) for key in keys)
                and not {name for name in one.keys() & row.keys() if name not in shared}
                and one.keys() != row.keys()
            ]
            if alike:
                alike[0].update(row)
            else:
                rows.append(dict(row))
    return [Frame(columns, rows)] if frames else []


def _filter(frames: list[Frame], options: Any) -> list[Frame]:
    names = options["include"]["names"]
    return [
        Frame([name for name in one.columns if name in names], one.rows, one.ref) for one in frames
    ]


def _organize(frames: list[Frame], options: Any) -> list[Frame]:
    order = options["indexByName"]
    for one in frames:
        one.columns.sort(key=lambda name: order.get(name, len(order)))
    return frames


def _labels_to_fields(frames: list[Frame], _: Any) -> list[Frame]:
    return [
        Frame(
            ["Time", *(one.labels or {}), "Value"],
            [{**row, **(one.labels or {})} for row in one.rows],
            one.ref,
        )
        for one in frames
    ]


def _group_by(frames: list[Frame], options: Any) -> list[Frame]:
    chosen = options["fields"]
    keys = [name for name, one in chosen.items() if one["operation"] == "groupby"]
    made: dict[tuple[Any, ...], Row] = {}
    calculations: dict[str, Callable[[Any, Any], Any]] = {
        "sum": lambda before, now: (before or 0) + now,
        "max": lambda before, now: now if before is None else max(before, now),
    }
    columns = list(keys)
    for name, one in chosen.items():
        columns += [f"{name} ({how})" for how in one["aggregations"]]
    for frame in frames:
        for row in frame.rows:
            group = made.setdefault(
                tuple(row.get(key) for key in keys),
                {key: row[key] for key in keys if key in row},
            )
            for name, one in chosen.items():
                for how in one["aggregations"]:
                    column = f"{name} ({how})"
                    group[column] = calculations[how](group.get(column), row[name])
    return [Frame(columns, list(made.values()))]


def _matrix(frames: list[Frame], options: Any) -> list[Frame]:
    across, down, value = (options[f"{name}Field"] for name in ("column", "row", "value"))
    corner = f"{down}\\{across}"
    columns: list[str] = [corner]
    made: dict[Any, Row] = {}
    for frame in frames:
        for row in frame.rows:
            if row[across] not in columns:
                columns.append(row[across])
            made.setdefault(row[down], {corner: row[down]})[row[across]] = row[value]
    return [Frame(columns, list(made.values()))]


def _trends(frames: list[Frame], _: Any) -> list[Frame]:
    by_ref: dict[str, Frame] = {}
    for one in frames:
        column, labels = f"Trend #{one.ref}", one.labels or {}
        table = by_ref.setdefault(one.ref, Frame([*labels, column], [], one.ref))
        table.rows.append({**labels, column: [row["Value"] for row in one.rows]})
    return list(by_ref.values())


_STEPS: Mapping[str, Callable[[list[Frame], Any], list[Frame]]] = {
    "merge": _merge,
    "filterFieldsByName": _filter,
    "organize": _organize,
    "labelsToFields": _labels_to_fields,
    "groupBy": _group_by,
    "groupingToMatrix": _matrix,
    "timeSeriesTable": _trends,
}
