"""The tables of the dashboards, by those transformations of Grafana that the generator uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]
_Options = Mapping[str, Any]
VALUE = "Value"
_TIME = "Time"


@dataclass(frozen=True)
class Frame:
    """An answer, or the result of a transformation; `ref` is the letter of the query."""

    rows: list[Row]
    ref: str = ""


@dataclass(frozen=True)
class Trend:
    """The values of a series in a cell, in the order of time; `None` for a missing value."""

    values: tuple[float | None, ...]

    @property
    def newest(self) -> float | None:
        """The last value that is not missing."""
        return next((one for one in reversed(self.values) if one is not None), None)


def transformed(frames: Sequence[Frame], steps: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the rows of the table that the steps make of the answers of a panel."""
    for step in steps:
        if not step.get("disabled"):
            frames = STEPS[step["id"]](frames, step.get("options", {}))
    return merge(frames, {})[0].rows


def merge(frames: Sequence[Frame], _options: _Options) -> list[Frame]:
    """Merge rows that agree in all columns that they share."""
    found: list[Row] = []
    for frame in frames:
        for row in frame.rows:
            same = next((one for one in found if _agree(one, row)), None)
            if same is None:
                found.append(dict(row))
            else:
                same.update(row)
    return [Frame(found)]


def _agree(one: Row, other: Row) -> bool:
    shared = one.keys() & other.keys()
    return bool(shared - {_TIME}) and all(one[name] == other[name] for name in shared)


def _labels_to_fields(frames: Sequence[Frame], _options: _Options) -> list[Frame]:
    """Do nothing: the rows hold their labels already."""
    return list(frames)


def _time_series_table(frames: Sequence[Frame], _options: _Options) -> list[Frame]:
    """Return a row for each series, with its values in a cell."""
    made: dict[str, list[Row]] = {}
    for frame in frames:
        labels = {name: one for row in frame.rows[:1] for name, one in row.items()}
        labels = {name: one for name, one in labels.items() if name not in {_TIME, VALUE}}
        course = Trend(tuple(row[VALUE] for row in frame.rows))
        made.setdefault(frame.ref, []).append({**labels, f"Trend #{frame.ref}": course})
    return [Frame(rows, ref) for ref, rows in made.items()]


def _filter_fields(frames: Sequence[Frame], options: _Options) -> list[Frame]:
    wanted = options["include"]["names"]
    return [
        Frame([{name: row[name] for name in wanted if name in row} for row in frame.rows])
        for frame in frames
    ]


def _organize(frames: Sequence[Frame], options: _Options) -> list[Frame]:
    order, names = options.get("indexByName", {}), options.get("renameByName", {})
    hidden = {name for name, hide in options.get("excludeByName", {}).items() if hide}

    def organized(row: Row) -> Row:
        kept = sorted(row.keys() - hidden, key=lambda name: (order.get(name, len(order)), name))
        return {names.get(name) or name: row[name] for name in kept}

    return [Frame([organized(row) for row in frame.rows]) for frame in frames]


def _group_by(frames: Sequence[Frame], options: _Options) -> list[Frame]:
    fields = options["fields"]
    keys = [name for name, one in fields.items() if one.get("operation") == "groupby"]
    return [Frame(_grouped(frame.rows, keys, fields)) for frame in frames]


def _grouped(ungrouped: Sequence[Row], keys: Sequence[str], fields: _Options) -> list[Row]:
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in ungrouped:
        groups.setdefault(tuple(row.get(name) for name in keys), []).append(row)
    found = []
    for key, rows in groups.items():
        made: Row = dict(zip(keys, key, strict=True))
        for name, one in fields.items():
            values = [row[name] for row in rows if row.get(name) is not None]
            for how in one.get("aggregations", ()) if values else ():
                made[f"{name} ({how})"] = REDUCERS[how](values)
        found.append(made)
    return found


REDUCERS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "max": max,
    "min": min,
    "sum": sum,
    "last": lambda values: values[-1],
    "lastNotNull": lambda values: values[-1],
    "mean": lambda values: sum(values) / len(values),
    "count": len,
}
"""Grafana's name of a calculation -> function of at least one value."""


def _matrix(frames: Sequence[Frame], options: _Options) -> list[Frame]:
    across, down, value = (options[f"{name}Field"] for name in ("column", "row", "value"))
    corner, found = f"{down}\\{across}", dict[str, Row]()
    for row in frames[0].rows if frames else ():
        made = found.setdefault(row.get(down, ""), {corner: row.get(down, "")})
        made[row.get(across, "")] = row.get(value)
    return [Frame(list(found.values()))]


STEPS: dict[str, Callable[[Sequence[Frame], _Options], list[Frame]]] = {
    "merge": merge,
    "labelsToFields": _labels_to_fields,
    "timeSeriesTable": _time_series_table,
    "filterFieldsByName": _filter_fields,
    "organize": _organize,
    "groupBy": _group_by,
    "groupingToMatrix": _matrix,
}
"""Grafana's name of a transformation -> the transformation."""
