"""Entries as a table: a row for each line, a column for each label and field."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry

TIME_COLUMN, LINE_COLUMN = "timestamp", "line"

Columns = dict[str, list[Any]]


def columns(entries: Iterable[LogEntry]) -> Columns:
    """Return column name -> value in each row, `None` where a row lacks it.

    `timestamp` holds nanoseconds since 1970 and `line` the text. The others are the labels, the
    structured metadata and the top-level fields of lines that are JSON objects; where two of these
    share a name, the label wins over metadata, and metadata over the field. A mapping or list is
    JSON text.
    """
    rows = [_row(entry) for entry in entries]
    names = dict.fromkeys((TIME_COLUMN, LINE_COLUMN))
    for row in rows:
        names.update(dict.fromkeys(row))
    return {name: _of_one_type([row.get(name) for row in rows]) for name in names}


def to_arrow(entries: Iterable[LogEntry]) -> Any:
    """Return the columns as a `pyarrow.Table`, `timestamp` with nanoseconds in UTC.

    Raises:
        PrerequisiteError: pyarrow is not installed.
    """
    arrow = _library("pyarrow")
    table = arrow.table(columns(entries))
    times = table.column(TIME_COLUMN).cast(arrow.int64()).cast(arrow.timestamp("ns", tz="UTC"))
    return table.set_column(0, TIME_COLUMN, times)


def to_pandas(entries: Iterable[LogEntry]) -> Any:
    """Return the columns as a `pandas.DataFrame`, `timestamp` with nanoseconds in UTC.

    Raises:
        PrerequisiteError: pandas is not installed.
    """
    pandas = _library("pandas")
    frame = pandas.DataFrame(columns(entries))
    times = frame[TIME_COLUMN].astype("int64")
    frame[TIME_COLUMN] = pandas.to_datetime(times, unit="ns", utc=True)
    return frame


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise PrerequisiteError(f"a table needs {name} ({error}): pip install {name}") from error


def _row(entry: LogEntry) -> Mapping[str, Any]:
    fields = {name: _cell(value) for name, value in entry.fields.items()}
    own = {TIME_COLUMN: entry.timestamp_ns, LINE_COLUMN: entry.line}
    return {**fields, **entry.metadata, **entry.labels, **own}


def _cell(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, (dict, list)) else value


def _of_one_type(values: Sequence[Any]) -> list[Any]:
    """Return the values, as text when a column cannot hold all their types."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        return list(values)
    if kinds == {int, float}:
        return [value if value is None else float(value) for value in values]
    return [
        value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
        for value in values
    ]
