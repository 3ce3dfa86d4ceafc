"""Log lines as the page shows them: rows, pages of rows, the lines around one, all of one line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.errors import SettingsError
from lokikit.fields import (
    DETECTED_LEVEL,
    EXC_MESSAGE,
    EXC_TYPE,
    LABEL_ENV,
    LABEL_SERVICE,
    LEVEL,
    MESSAGE,
    REQUEST_ID,
    UNKNOWN_SERVICE,
)
from lokikit.query.line_conditions import can_ask_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lokikit.page.choice import Choice
    from lokikit.query.client import Loki
    from lokikit.query.results import LogEntry

FIRST_LINES = 100
"""Of the first page, which somebody waits for."""
PAGE_LINES = 200
NEWER_LINES = 25
"""Of the lines around one, how many are newer."""
_MAX_SHOWN = 1000
"""Characters of a message in its row; the opened line has all of it."""
_MAX_FILTERED = 1000
"""A longer value is no button to filter by."""

Row = dict[str, Any]


def as_row(entry: LogEntry) -> Row:
    """One line of the list: what a person reads first, as text."""
    told = entry.fields
    exception = [str(told[name]) for name in (EXC_TYPE, EXC_MESSAGE) if told.get(name)]
    message = told.get(MESSAGE)
    row = {
        "ts": str(entry.timestamp_ns),  # a number of JavaScript holds no nanoseconds
        "id": entry_id(entry),
        "level": entry.metadata.get(DETECTED_LEVEL) or str(told.get(LEVEL, "unknown")).lower(),
        "service": entry.labels.get(LABEL_SERVICE, UNKNOWN_SERVICE),
        "env": entry.labels.get(LABEL_ENV, ""),
        "message": _shown(entry.line if message is None else str(message)),
        "exception": _shown(": ".join(exception)),
        "request": str(entry.metadata.get(REQUEST_ID) or told.get(REQUEST_ID) or ""),
    }
    return {name: value for name, value in row.items() if value}


def entry_id(entry: LogEntry) -> str:
    """What tells a line from others of its nanosecond."""
    held = orjson.dumps((entry.line, entry.labels, entry.metadata), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(held, digest_size=8).hexdigest()


@dataclass(frozen=True)
class Page:
    """Some lines, the newest first.

    Args:
        entries: the lines.
        next_ns: where the following page ends, `None` when there is none.
    """

    entries: list[LogEntry]
    next_ns: int | None

    def as_json(self) -> dict[str, Any]:
        """As the page's own JavaScript takes it."""
        following = None if self.next_ns is None else str(self.next_ns)
        return {"rows": list(map(as_row, self.entries)), "next": following}


def page_of(loki: Loki, query: str, start_ns: int, end_ns: int, limit: int = PAGE_LINES) -> Page:
    """The newest lines in [start, end), about `limit` of them.

    A page ends between two nanoseconds, never within one, so that the next one repeats no line
    and misses none.
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
    """The lines before and after a moment; the following pages go further back."""
    newer = loki.query_range(choice.query, time_ns + 1, choice.end_ns, NEWER_LINES, "forward")
    older = page_of(loki, choice.query, choice.start_ns, time_ns + 1)
    return Page([*list(newer)[::-1], *older.entries], older.next_ns)


def whole_line(loki: Loki, query: str, time_ns: int, wanted: str) -> dict[str, Any]:
    """All of one line: its labels, its metadata, its fields in their order, and the line itself.

    Raises:
        SettingsError: it is not there any more.
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
    """Name, text and whether it can be filtered by, of each field in the order of the line.

    Numbers stand as in the line: Loki compares them as texts.
    """
    try:
        held = json.loads(line, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
    except ValueError:
        return []
    return [_field(name, value) for name, value in held.items()] if isinstance(held, dict) else []


class _Number(str):
    """A number as the line writes it."""

    __slots__ = ()


def _field(name: str, value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        text = json.dumps(value)
    else:
        text = str(value) if isinstance(value, str) else _readable(value)
    is_plain = isinstance(value, (str, bool)) and len(text) <= _MAX_FILTERED
    return [name, text, is_plain and can_ask_for(name)]


def _readable(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def _shown(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def as_rows(entries: Iterable[LogEntry]) -> list[Row]:
    """The rows of lines."""
    return list(map(as_row, entries))
