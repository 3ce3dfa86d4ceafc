"""Log lines for the page: rows, pages of rows, the neighbours of a line, all parts of a line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from lokikit import fields as f
from lokikit.errors import SettingsError
from lokikit.query.line_conditions import can_ask_for

if TYPE_CHECKING:
    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki
    from lokikit.query.results import LogEntry

FIRST_LINES = 100
"""Lines of the first page; fewer, because the user waits for it."""
PAGE_LINES = 200
NEWER_LINES = 25
"""Number of newer lines among the lines around a moment."""
_MAX_SHOWN = 1000
"""Characters of a message in its row; the opened line has all of it."""
_MAX_FILTERED = 1000
"""Characters of a value; a longer value gets no button for a filter."""

Row = dict[str, Any]


def as_row(entry: LogEntry) -> Row:
    """Return the row of a line in the list: its main fields as text."""
    fields = entry.fields
    exception = [str(fields[name]) for name in (f.EXC_TYPE, f.EXC_MESSAGE) if fields.get(name)]
    message, level = fields.get(f.MESSAGE), entry.metadata.get(f.DETECTED_LEVEL)
    row = {
        "ts": str(entry.timestamp_ns),  # a number of JavaScript holds no nanoseconds
        "id": entry_id(entry),
        "level": level or str(fields.get(f.LEVEL, "unknown")).lower(),
        "service": entry.labels.get(f.LABEL_SERVICE, f.UNKNOWN_SERVICE),
        "env": entry.labels.get(f.LABEL_ENV, ""),
        "message": _shown(entry.line if message is None else str(message)),
        "exception": _shown(": ".join(exception)),
        "request": str(entry.metadata.get(f.REQUEST_ID) or fields.get(f.REQUEST_ID) or ""),
    }
    return {name: value for name, value in row.items() if value}


def entry_id(entry: LogEntry) -> str:
    """Return an id that is unique among the lines of the same nanosecond."""
    held = orjson.dumps((entry.line, entry.labels, entry.metadata), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(held, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Page:
    """Some lines, the newest first.

    Args:
        entries: the lines.
        next_ns: end of the following page, `None` for the last page.
    """

    entries: list[LogEntry]
    next_ns: int | None

    def as_json(self) -> dict[str, Any]:
        """Return the form for the page's JavaScript."""
        following = None if self.next_ns is None else str(self.next_ns)
        return {"rows": list(map(as_row, self.entries)), "next": following}


def page_of(loki: Loki, query: str, start_ns: int, end_ns: int, limit: int = PAGE_LINES) -> Page:
    """Return the newest lines in [start, end), about `limit` of them.

    A page ends between two nanoseconds, never within a nanosecond, so that the next page repeats
    no line and misses no line.
    """
    found = list(loki.query_range(query, start_ns, end_ns, limit + 1, "backward"))
    if len(found) <= limit:
        return Page(found, None)
    edge_ns = found[-1].timestamp_ns
    whole = [entry for entry in found if entry.timestamp_ns != edge_ns]
    if whole:
        return Page(whole, edge_ns + 1)
    tied = list(loki.query_range(query, edge_ns, edge_ns + 1))
    return Page(tied[::-1], edge_ns)


def around(loki: Loki, choice: Choice, time_ns: int) -> Page:
    """Return the lines before and after a moment; the following pages hold older lines."""
    newer = loki.query_range(choice.query, time_ns + 1, choice.end_ns, NEWER_LINES, "forward")
    older = page_of(loki, choice.query, choice.start_ns, time_ns + 1)
    return Page([*list(newer)[::-1], *older.entries], older.next_ns)


def whole_line(loki: Loki, query: str, time_ns: int, wanted: str) -> dict[str, Any]:
    """Return all parts of a line: labels, metadata, its fields in their order, and the text.

    Raises:
        SettingsError: the store has deleted it.
    """
    for entry in loki.query_range(query, time_ns, time_ns + 1):
        if entry_id(entry) == wanted:
            return {
                "label": _named(entry.labels),
                "metadata": _named(entry.metadata),
                "parsed": _named(entry.parsed),
                "field": _fields(entry.line),
                "line": entry.line,
            }
    raise SettingsError("this line is not there any more: it was older than the store keeps lines.")


def _named(values: Mapping[str, str]) -> list[list[Any]]:
    return [[name, text, len(text) <= _MAX_FILTERED] for name, text in sorted(values.items())]


def _fields(line: str) -> list[list[Any]]:
    """Return name, text and True for a filterable field, of each field in the order of the line.

    Numbers keep their text, because Loki compares them as texts.
    """
    try:
        held = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except ValueError:
        return []
    return [_field(name, value) for name, value in held.items()] if isinstance(held, dict) else []


class _Number(str):
    """The text of a number in the line."""

    __slots__ = ()


def _field(name: str, value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        text = json.dumps(value)
    else:
        plain = isinstance(value, str)
        text = str(value) if plain else json.dumps(value, ensure_ascii=False, indent=1)
    is_plain = isinstance(value, (str, bool)) and len(text) <= _MAX_FILTERED
    return [name, text, is_plain and can_ask_for(name)]


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"
