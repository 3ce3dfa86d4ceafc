"""Loki's answers as typed values: entries of streams, samples of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from lokikit.delivery.entry import json_object
from lokikit.errors import RefusedError
from lokikit.times import NS_PER_S, format_time, utc_time

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line as Loki returns it.

    Args:
        timestamp_ns: nanoseconds since 1970, UTC.
        line: text, after a `line_format` of the query.
        labels: labels of its stream.
        metadata: its structured metadata, with Loki's `detected_level`.
        parsed: labels that the query read from the line (by `| json`, `| regexp` and so on).
    """

    timestamp_ns: int
    line: str
    labels: Mapping[str, str]
    metadata: Mapping[str, str]
    parsed: Mapping[str, str] = field(default_factory=dict)
    _fields: Mapping[str, Any] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def timestamp(self) -> datetime:
        """The time in UTC, to the microsecond."""
        return utc_time(self.timestamp_ns)

    @property
    def fields(self) -> Mapping[str, Any]:
        """Fields of a line that is a JSON object, otherwise empty; parsed at the first use."""
        if self._fields is None:
            object.__setattr__(self, "_fields", json_object(self.line))
        return self._fields or {}


def as_json(entry: LogEntry) -> bytes:
    """Return an entry as a JSON object; `parsed` only when the query read labels from the line."""
    document: dict[str, Any] = {
        "timestamp": format_time(entry.timestamp_ns, 9),
        "labels": entry.labels,
        "metadata": entry.metadata,
        "line": entry.line,
    }
    return orjson.dumps({**document, "parsed": entry.parsed} if entry.parsed else document)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a series; `timestamp_ns` is `None` for a scalar, which has no time."""

    labels: Mapping[str, str]
    timestamp_ns: int | None
    value: str


@dataclass(frozen=True, slots=True)
class Volume:
    """Bytes of lines, before compression, of the streams with these labels."""

    labels: Mapping[str, str]
    size_bytes: int


def read_streams(streams: Sequence[Any] | None) -> Iterator[LogEntry]:
    """Yield the entries of an answer, stream by stream."""
    for stream in streams or ():
        labels = stream["stream"]
        for timestamp, line, *kinds in stream["values"]:
            kind = kinds[0] if kinds else {}
            yield LogEntry(
                int(timestamp),
                line,
                labels,
                kind.get("structuredMetadata", {}),
                kind.get("parsed", {}),
            )


def read_samples(data: Mapping[str, Any]) -> list[Sample]:
    """Return the values of the answer to a metric query: a scalar, a vector or a matrix.

    Raises:
        RefusedError: the answer is of another kind.
    """
    kind, result = data["resultType"], data["result"] or []
    if kind == "scalar":
        return [Sample({}, None, result[1])]
    if kind == "vector":
        return [_sample(series["metric"], series["value"]) for series in result]
    if kind == "matrix":
        return [_sample(series["metric"], value) for series in result for value in series["values"]]
    raise RefusedError(f"Loki answered a metrics query with {kind!r}.", status=200)


def read_volumes(data: Mapping[str, Any]) -> list[Volume]:
    """Return the volumes of an answer, largest first."""
    found = [Volume(series["metric"], int(series["value"][1])) for series in data["result"] or ()]
    return sorted(found, key=lambda volume: -volume.size_bytes)


def _sample(labels: Mapping[str, str], point: Sequence[Any]) -> Sample:
    seconds, value = point
    return Sample(labels, round(seconds * 1000) * (NS_PER_S // 1000), value)
