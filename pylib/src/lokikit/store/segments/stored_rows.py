"""Rows on their way to the disk: as tuples, as payloads of log records, as columns."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import orjson

from lokikit.fields import DETECTED_LEVEL
from lokikit.store.logql.json_parser import has_json_error, is_plain_json, label_text
from lokikit.store.segments.schema import HOT_FIELDS, hot_column

_HOT_COLUMNS = {name: hot_column(name) for name in HOT_FIELDS}
_EXPONENT = re.compile(r"[0-9][eE][-+]?[0-9]+[,}\]]")
_HOT_NAMES = frozenset(HOT_FIELDS)


class StoredRow(NamedTuple):
    """One row of the tables, without the columns that are computed from its line."""

    ts: int
    stream: int
    line: str
    meta: str | None
    level: str | None


make_row = partial(tuple.__new__, StoredRow)
"""A row of an iterable with all five values; `_make` would call a function of Python."""


def split_metadata(
    metadata: Sequence[Mapping[str, str]], levels: Sequence[str | None]
) -> tuple[list[str | None], Sequence[str | None]]:
    """The columns `meta` and `level`, of the metadata and the levels of entries."""
    if any(DETECTED_LEVEL in one for one in metadata):
        pairs = zip(metadata, levels, strict=True)
        levels = [one.get(DETECTED_LEVEL, level) for one, level in pairs]
        metadata = [{k: v for k, v in one.items() if k != DETECTED_LEVEL} for one in metadata]
    sort = orjson.OPT_SORT_KEYS
    return [orjson.dumps(one, option=sort).decode() if one else None for one in metadata], levels


def joined_metadata(meta: str | None, level: str | None) -> dict[str, str]:
    """The structured metadata of a row, `detected_level` included."""
    metadata: dict[str, str] = orjson.loads(meta) if meta else {}
    if level is not None:
        metadata[DETECTED_LEVEL] = level
    return metadata


def clean_text(text: str) -> str:
    """The text with halves of surrogate pairs, which are no characters, replaced."""
    return text.encode("utf-8", "replace").decode()


def encode_rows(rows: Sequence[StoredRow]) -> bytes:
    """The payload of a log record: the columns as JSON arrays."""
    return orjson.dumps(list(zip(*rows, strict=True)))


def decode_rows(payload: bytes) -> list[StoredRow]:
    """The rows of a payload."""
    return list(map(make_row, zip(*orjson.loads(payload), strict=True)))


def table_columns_of(rows: Sequence[StoredRow]) -> dict[str, Sequence[Any]]:
    """Column -> its values, those that are computed from the lines included.

    Columns of hot fields that no line has are left out: most lines have few of them.
    """
    times, streams, lines, metas, levels = zip(*rows, strict=True)
    odd, bad_json, hot = _read_lines(lines)
    return {
        "ts": times,
        "stream": streams,
        "line": lines,
        "meta": metas,
        "level": levels,
        "odd": odd,
        "bad_json": bad_json,
        **{_HOT_COLUMNS[name]: values for name, values in hot.items()},
    }


def _read_lines(
    lines: Sequence[str],
) -> tuple[list[bool], list[bool], dict[str, list[str | None]]]:
    """The columns `odd` and `bad_json`, and those of the hot fields that a line has."""
    odd, bad_json = [False] * len(lines), [False] * len(lines)
    hot: defaultdict[str, list[str | None]] = defaultdict(lambda: [None] * len(lines))
    for i, line in enumerate(lines):
        value = is_plain_json(line, _HOT_NAMES)
        if value is None:
            value = _spaced_value(line)
        if value is None:
            odd[i], bad_json[i] = True, has_json_error(line)
            continue
        for name in filter(_HOT_NAMES.__contains__, value):
            text = value[name]
            if type(text) is not str and text is not None:
                text = label_text(text)
                odd[i] |= text is None  # `| json name` gives the text of an array or an object
            hot[name][i] = text
    return odd, bad_json, hot


def _spaced_value(line: str) -> dict[str, Any] | None:
    """The object of a line that is plain but for the spaces that Python's `json` writes."""
    if '": ' not in line or not line.startswith("{"):
        return None
    try:
        value = orjson.loads(line)
        if json.dumps(value, ensure_ascii=line.isascii()) != line:
            return None
        compact = orjson.dumps(value).decode()
    except (ValueError, TypeError, RecursionError):
        return None
    # Of floats with an exponent, orjson and `json` write different texts.
    return None if _EXPONENT.search(compact) else is_plain_json(compact, _HOT_NAMES)
