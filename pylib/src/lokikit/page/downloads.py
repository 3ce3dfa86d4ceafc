"""The chosen lines as a file: JSON lines in the form of `lokikit query -o jsonl`, or CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator

from lokikit.fields import EXC_MESSAGE, EXC_TYPE, LEVEL, MESSAGE, REQUEST_ID
from lokikit.page.lines import as_row
from lokikit.query.results import LogEntry, as_json
from lokikit.times import format_time

_COLUMNS = (
    "timestamp",
    LEVEL,
    "service",
    "env",
    MESSAGE,
    EXC_TYPE,
    EXC_MESSAGE,
    REQUEST_ID,
    "line",
)
_CHUNK = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of a formula for a spreadsheet; a quote in front makes it text."""


def jsonl(entries: Iterable[LogEntry]) -> Iterator[bytes]:
    """Yield a JSON object for each line."""
    return _chunks(entries, lambda entry: as_json(entry) + b"\n")


def csv_rows(entries: Iterable[LogEntry]) -> Iterator[bytes]:
    """Yield a row of names, and a row for each line."""
    yield _csv_row(_COLUMNS)
    yield from _chunks(entries, lambda entry: _csv_row(_cells(entry)))


def _cells(entry: LogEntry) -> list[str]:
    row, fields = as_row(entry), entry.fields
    return [
        format_time(entry.timestamp_ns, 9),
        row["level"],
        row["service"],
        row.get("env", ""),
        str(fields.get(MESSAGE, entry.line)),
        str(fields.get(EXC_TYPE, "")),
        str(fields.get(EXC_MESSAGE, "")),
        row.get("request", ""),
        entry.line,
    ]


def _csv_row(cells: Iterable[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells)
    return text.getvalue().encode("utf-8", "replace")


def _chunks(entries: Iterable[LogEntry], written: Callable[[LogEntry], bytes]) -> Iterator[bytes]:
    """Yield several lines at a time, because each chunk is a message between threads."""
    held: list[bytes] = []
    for entry in entries:
        held.append(written(entry))
        if len(held) == _CHUNK:
            yield b"".join(held)
            held = []
    yield b"".join(held)


FORMATS = {"jsonl": ("application/x-ndjson", jsonl), "csv": ("text/csv; charset=utf-8", csv_rows)}
