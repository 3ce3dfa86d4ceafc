"""The columns of stored rows, in memory and in Parquet, and the parts that queries read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from lokikit.fields import (
    ACTION,
    CANARY_FIELDS,
    DETECTED_LEVEL,
    DURATION_MS,
    EXC_MESSAGE,
    EXC_TYPE,
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    LOGGER,
    RUNTIME_S,
    TASK_ID,
    TASK_NAME,
)

HOT_FIELDS = (
    HTTP_METHOD,
    HTTP_ROUTE,
    HTTP_STATUS,
    DURATION_MS,
    LOGGER,
    EXC_TYPE,
    EXC_MESSAGE,
    TASK_NAME,
    ACTION,
    TASK_ID,
    RUNTIME_S,
    *CANARY_FIELDS,
)
"""Top-level fields of a line that the kit's queries compute with: each is a column."""
HOT_PREFIX = "f_"
LINE_BYTES = "line_bytes"
"""Column with the size of a line in UTF-8: counted without reading the line."""
LINE_BYTES_SQL = "strlen(line)::INTEGER"


def hot_column(name: str) -> str:
    """Name of the column that holds this hot field."""
    return f"{HOT_PREFIX}{name}"


COLUMNS = MappingProxyType(
    {
        "ts": "BIGINT",
        "stream": "INTEGER",
        "line": "VARCHAR",
        "meta": "VARCHAR",
        "level": "VARCHAR",
        "odd": "BOOLEAN",
        "bad_json": "BOOLEAN",
        **{hot_column(name): "VARCHAR" for name in HOT_FIELDS},
        LINE_BYTES: "INTEGER",
    }
)
"""Column -> its SQL type, in the order in which both the head's tables and segments have them."""
ROW_GROUP_ROWS = 20_480
"""DuckDB rounds the size of a row group up to a multiple of 2,048."""


class PushedEntry(NamedTuple):
    """One line as it is pushed: checked, and with its level.

    Args:
        labels: of its stream; the entries of one stream may share the object.
        timestamp_ns: nanoseconds since 1970.
        line: the text.
        metadata: structured metadata; a `detected_level` in it goes before `level`.
        level: that was detected; None for none.
    """

    labels: Mapping[str, str]
    timestamp_ns: int
    line: str
    metadata: Mapping[str, str] = MappingProxyType({})
    level: str | None = None

    def all_metadata(self) -> Mapping[str, str]:
        """The metadata with the level in it, as queries see it."""
        return (
            self.metadata if self.level is None else {DETECTED_LEVEL: self.level, **self.metadata}
        )


make_entry = partial(tuple.__new__, PushedEntry)
"""An entry of an iterable with all five values; `_make` would call a function of Python."""


@dataclass(frozen=True)
class Part:
    """One piece of the stored rows: a sealed segment, or the unsealed rows.

    Args:
        relation: SQL to put behind FROM; it has all of `COLUMNS`.
        min_ns: time of its oldest row.
        max_ns: time of its newest row.
        rows: how many it has.
        streams: ids of the streams that have rows in it.
        sealed: True for a segment, which never changes and is ordered by time.
        pin: keeps the file or table alive for as long as the part is referenced.
    """

    relation: str
    min_ns: int
    max_ns: int
    rows: int
    streams: frozenset[int] = field(repr=False)
    sealed: bool
    pin: object = field(default=None, repr=False, compare=False)
