"""Columns of rows as an Arrow table, which DuckDB reads without a file and without a parser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arro3.core import Array, DataType, Table

from lokikit.store.segments.schema import COLUMNS

_TYPES = {
    "BIGINT": DataType.int64(),
    "INTEGER": DataType.int32(),
    "VARCHAR": DataType.utf8(),
    "BOOLEAN": DataType.bool(),
}


def arrow_table(columns: Mapping[str, Sequence[Any]]) -> Table:
    """The table of these columns, each of the type that `COLUMNS` says.

    Args:
        columns: name -> values, all of one length.
    """
    arrays = [Array(values, _TYPES[COLUMNS[name]]) for name, values in columns.items()]
    return Table.from_arrays(arrays, names=list(columns))
