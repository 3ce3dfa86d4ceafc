"""A raw line of any program, read by the log contract into an entry of Loki."""

from __future__ import annotations

import json
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from lokikit import fields as f
from lokikit.delivery.equal_lines import EqualLines, open_ns
from lokikit.times import parse_epoch_ns, parse_timestamp_ns

MAX_VALUE_BYTES = 1024
"""Longer labels and metadata are cut: Loki would refuse the line over them."""

_NUL = b"\0"
"""Before a line: see `lokikit.ship.lines`."""
_BYTES_PER_CHARACTER = 4
_LABEL_SOURCES = tuple(f.LABEL_FIELDS.values())


class Entry(NamedTuple):
    """An event as Loki stores it; a tuple, because creating it must be cheap.

    Args:
        timestamp_ns: nanoseconds since the epoch.
        line: the untouched line, without a byte order mark or NUL bytes before it.
        labels: labels of the stream.
        metadata: structured metadata of this line.
    """

    timestamp_ns: int
    line: str
    labels: Mapping[str, str]
    metadata: Mapping[str, str]


def read_entry(
    raw: bytes,
    *,
    default_service: str | None,
    platform: Mapping[str, str],
    now_ns: Callable[[], int],
) -> Entry:
    """Return the entry for a line.

    Args:
        raw: the line without its line end.
        default_service: service of lines that name no service.
        platform: structured metadata that only the carrier knows.
        now_ns: clock for the arrival time, called only when the line has no time.
    """
    text = raw.lstrip(_NUL).removeprefix(BOM_UTF8).decode("utf-8", "replace")
    fields = json_object(text)
    line = fit(text, f.MAX_LINE_BYTES)
    stamp_ns = parse_timestamp_ns(fields.get(f.TIMESTAMP))
    if stamp_ns is None and fields:
        stamp_ns = _foreign_time_ns(fields, text)
    metadata = dict(platform)
    for name in f.METADATA_FIELDS:
        if value := _word(fields.get(name), name, text):
            metadata[name] = value
    if fields and (level := _untold_level(fields)):
        metadata[f.DETECTED_LEVEL] = level
    if line is not text:
        metadata[f.TRUNCATED] = "true"
    words = tuple([_word(fields.get(name), name, text) for name in _LABEL_SOURCES])
    return Entry(
        now_ns() if stamp_ns is None else stamp_ns, line, _labels(default_service, words), metadata
    )


def _foreign_time_ns(fields: Mapping[str, Any], text: str) -> int | None:
    """Return the time in a line of another program, from the first field that holds a time."""
    for name in f.TIME_FIELDS:
        value = fields.get(name)
        if isinstance(value, float):
            value = _as_written(text, name)
        elif value.__class__ is int:
            value = str(value)
        if not isinstance(value, str):
            continue
        for parse in (parse_timestamp_ns, parse_epoch_ns):
            if (time_ns := parse(value)) is not None:
                return time_ns
    return None


def _untold_level(fields: Mapping[str, Any]) -> str | None:
    """Return Loki's name of a level that Loki does not read from the line itself."""
    level = fields.get(f.LEVEL)
    if level.__class__ is int:
        return f.NUMBERED_LEVELS.get(level)
    if level.__class__ is not str:
        level = next(
            (word for name in f.LEVEL_FIELDS if (word := fields.get(name)) is not None), None
        )
    return f.OTHER_LEVELS.get(level.lower()) if isinstance(level, str) else None


class ArrivalClock:
    """Arrival times, each greater than the one before, so that Loki merges no equal lines."""

    def __init__(self, time_ns: Callable[[], int] = time.time_ns) -> None:
        self._time_ns = time_ns
        self._last_ns = 0

    def __call__(self) -> int:
        """Return the time now in nanoseconds, at least one more than the last time."""
        self._last_ns = max(self._last_ns + 1, self._time_ns())
        return self._last_ns


class EntryReader:
    """Reads the lines of one source as entries, and keeps equal lines apart.

    Loki stores equal lines of one timestamp once. Programs that stamp seconds or milliseconds write
    them, so each repetition counts up the nanoseconds that its stamp leaves open; the digits of the
    stamp stay exact.

    Args:
        default_service: service of lines that name no service.
        platform: structured metadata that only the carrier knows.
        now_ns: clock for the arrival time.
        sent: recently sent lines, shared by the readers of one carrier; by default its own.
    """

    def __init__(
        self,
        default_service: str | None,
        platform: Mapping[str, str],
        now_ns: Callable[[], int],
        sent: EqualLines | None = None,
    ) -> None:
        self._sent = sent or EqualLines()
        self._default_service = default_service
        self._platform = platform
        self._now_ns = now_ns
        self._last_ns = 0
        self._repeats = 0

    def read(self, raw: bytes, arrived_ns: int | None = None) -> Entry:
        """Return the entry of the next line, which arrived at `arrived_ns`, or now."""
        entry = read_entry(
            raw,
            default_service=self._default_service,
            platform=self._platform,
            now_ns=self._now_ns if arrived_ns is None else lambda: arrived_ns,
        )
        if entry.timestamp_ns != self._last_ns:
            self._last_ns, self._repeats = entry.timestamp_ns, 0
        else:
            self._repeats += 1
        room_ns = open_ns(entry.timestamp_ns)
        return entry if room_ns == 1 else self._apart(entry, room_ns)

    def _apart(self, entry: Entry, room_ns: int) -> Entry:
        repeats = self._repeats % room_ns
        stamp_ns = self._sent.next_free(
            entry.timestamp_ns + repeats, room_ns - repeats, entry.labels, entry.line
        )
        return entry if stamp_ns == entry.timestamp_ns else entry._replace(timestamp_ns=stamp_ns)


def json_object(text: str) -> Mapping[str, Any]:
    """Return the fields of a line that is a JSON object, otherwise none."""
    if text[:1] != "{" and text.lstrip()[:1] != "{":
        return {}
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        fields = _lenient_json(text)
    return fields if isinstance(fields, dict) else {}


def _lenient_json(text: str) -> Any:
    """Parse with the standard library, which reads NaN and lone surrogates; orjson does not."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _word(value: object, name: str = "", text: str = "") -> str | None:
    """Return a label or metadata value; `None` for null, arrays and objects.

    Args:
        value: the parsed value.
        name: name of the field.
        text: the line, from which a number is read as written: an id of 20 digits is not rounded.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        if not isinstance(value, (bool, int, float)):
            return None
        value = json.dumps(value) if isinstance(value, bool) else _as_written(text, name)
    if not value.isascii():  # the lenient reader lets lone surrogates through
        value = value.encode("utf-8", "replace").decode()
    return fit(value, MAX_VALUE_BYTES)


def _as_written(text: str, name: str) -> str:
    """Return the number of a field in the characters of the line."""
    fields = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    return str(fields[name])


def fit(text: str, max_bytes: int) -> str:
    """Return `text`, or as many of its first characters as fit."""
    if len(text) * _BYTES_PER_CHARACTER <= max_bytes:
        return text
    data = text.encode("utf-8")
    return text if len(data) <= max_bytes else data[:max_bytes].decode("utf-8", "ignore")


def read_kept_entry(stamp: str, line: Any, labels: Any, metadata: Any) -> Entry:
    """Return an entry that was written to disk.

    Raises:
        ValueError: the time is no number.
        TypeError: another part is of another type than in an entry.
    """
    if not (isinstance(line, str) and isinstance(labels, dict) and isinstance(metadata, dict)):
        raise TypeError(line)
    return Entry(int(stamp), line, labels, metadata)


def valid_json(value: Any) -> Any:
    """Return a body that JSON can hold: keys and values as text, "?" for lone surrogates."""
    if isinstance(value, Mapping):
        return {str(valid_json(key)): valid_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [valid_json(item) for item in value]
    return str(value).encode("utf-8", "replace").decode()


def label_value(value: str) -> str:
    """Return `value` without U+FFFD, which Loki refuses in a label as broken UTF-8."""
    return value.replace("\N{REPLACEMENT CHARACTER}", "?")


@lru_cache(maxsize=1024)
def _labels(default_service: str | None, values: tuple[str | None, ...]) -> Mapping[str, str]:
    found = {label: value for label, value in zip(f.LABEL_FIELDS, values, strict=True) if value}
    labels = {f.LABEL_SERVICE: _word(default_service) or f.UNKNOWN_SERVICE, **found}
    return {label: label_value(value) for label, value in labels.items()}
