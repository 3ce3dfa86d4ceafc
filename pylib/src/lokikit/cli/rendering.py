"""Entries and samples rendered as text, JSON, raw lines or a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
import typer
from rich.table import Table

from lokikit import fields as f
from lokikit.output.terminal_text import escape_controls, escape_to_one_line, word_or_json
from lokikit.times import format_time

if TYPE_CHECKING:
    from lokikit.query.results import LogEntry, Sample

_IN_FRONT = frozenset({f.TIMESTAMP, f.LEVEL, f.SERVICE, f.MESSAGE})
_WHERE_IT_RAN = frozenset({f.ENV, f.VERSION, f.HOST, f.PID, f.THREAD, f.LOGGER, f.CALLER})
_BELOW = (f.STACKTRACE, f.STACK)
_LEVEL_WIDTH = 8
_LEVEL_COLOURS = {
    "debug": "bright_black",
    "info": "green",
    "warning": "yellow",
    "error": "red",
    "critical": "magenta",
}
_NO_LEVEL = "-"


def as_raw(entry: LogEntry) -> bytes:
    """Return the bytes of the line."""
    return entry.line.encode("utf-8", "surrogatepass")


def as_text(entry: LogEntry, *, colour: bool = False) -> bytes:
    """Return `2026-11-21T10:00:00.123456Z LEVEL service message key=value`, a traceback below.

    A line of another program than the kit's takes the place of the message.
    """
    fields = _fields(entry)
    level = str(fields.get(f.LEVEL) or entry.metadata.get(f.DETECTED_LEVEL, "")).lower()
    service = fields.get(f.SERVICE) or entry.labels.get(f.LABEL_SERVICE) or f.UNKNOWN_SERVICE
    name = (_NO_LEVEL if level in ("", "unknown") else level).upper().ljust(_LEVEL_WIDTH)
    parts = [
        _painted(format_time(entry.timestamp_ns), "bright_black", colour),
        _painted(escape_to_one_line(name), _LEVEL_COLOURS.get(level), colour),
        _painted(escape_to_one_line(str(service)), "cyan", colour),
        escape_controls(str(fields.get(f.MESSAGE, entry.line))),
        *(
            f"{_painted(word_or_json(key), 'blue', colour)}={word_or_json(fields[key])}"
            for key in _rest(fields)
        ),
    ]
    below = [escape_controls(str(fields[key])).rstrip("\n") for key in _BELOW if key in fields]
    return "\n".join([" ".join(parts), *below]).encode("utf-8", "replace")


def sample_as_json(sample: Sample) -> bytes:
    """Return the sample as a JSON object; `timestamp` is null for a scalar."""
    stamp = None if sample.timestamp_ns is None else format_time(sample.timestamp_ns, 3)
    return orjson.dumps({"timestamp": stamp, "labels": sample.labels, "value": sample.value})


def samples_table(samples: Sequence[Sample]) -> Table:
    """Return a row for each sample: its time if times differ, its labels, its value."""
    names = sorted({name for sample in samples for name in sample.labels})
    timed = len({sample.timestamp_ns for sample in samples}) > 1
    table = Table(box=None, pad_edge=False)
    for header in [*(["time"] if timed else []), *names]:
        table.add_column(escape_to_one_line(header), overflow="fold")
    table.add_column("value", justify="right", overflow="fold")
    for sample in samples:
        time = [format_time(sample.timestamp_ns or 0)] if timed else []
        labels = [escape_to_one_line(sample.labels.get(name, "")) for name in names]
        table.add_row(*time, *labels, sample.value)
    return table


def as_headline(entry: LogEntry) -> str:
    """Return the message of an entry, or the type and message of its exception."""
    fields = _fields(entry)
    parts = [fields.get(f.EXC_TYPE), fields.get(f.EXC_MESSAGE) if f.EXC_TYPE in fields else None]
    text = ": ".join(str(one) for one in parts if one) or str(fields.get(f.MESSAGE, entry.line))
    return escape_controls(" ".join(text.split()))


def _fields(entry: LogEntry) -> Mapping[str, Any]:
    """Return the fields of a line of the contract, no fields for other lines."""
    return entry.fields if f.MESSAGE in entry.fields else {}


def _rest(fields: Mapping[str, Any]) -> list[str]:
    hidden = _IN_FRONT | _WHERE_IT_RAN | frozenset(_BELOW)
    # The last line of a traceback holds both.
    repeated = frozenset({f.EXC_TYPE, f.EXC_MESSAGE}) if f.STACKTRACE in fields else frozenset()
    return [key for key in fields if key not in hidden | repeated]


def _painted(text: str, foreground: str | None, colour: bool) -> str:  # noqa: FBT001 - internal
    return typer.style(text, fg=foreground) if colour and foreground else text
