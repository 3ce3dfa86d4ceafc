"""Reads a push, of JSON or protobuf, into streams of entries that are not checked yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import orjson

from lokikit.store.api.http import TOO_LARGE
from lokikit.store.api.label_text import check_labels, parse_labels
from lokikit.store.api.metadata_names import normalize_all
from lokikit.store.api.protobuf import Entry, decode_push, read_text
from lokikit.store.api.push_bodies import unpack_json, unpack_protobuf
from lokikit.store.errors import PushError
from lokikit.store.integers import read_decimal

MAX_LINES = 500_000
"""Of one push: each costs a kilobyte of memory until it is stored, however short it is."""
_MAX_ARRAYS = 2_000_000
UNPROCESSABLE = 422
_NO_LABELS = "error at least one label pair is required per stream"
_NO_STREAMS = "error at least one valid stream is required for ingestion"
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1
_ENTRY_PARTS = 3
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_NO_TIME_NS = -62_135_596_800_000_000_000
"""The year 1, which is what Loki makes of an entry without a timestamp."""
_NO_TIME = object()


@dataclass(frozen=True)
class PushedStream:
    """One stream of a push.

    Args:
        labels: at least one.
        entries: timestamps, lines and structured metadata, its names normalized.
    """

    labels: Mapping[str, str]
    entries: list[Entry]


def unpack_push(body: bytes, content_type: str, encoding: str, max_bytes: int) -> bytes:
    """The JSON or the protobuf message of a push.

    Args:
        body: of the request.
        content_type: JSON, or protobuf for any other type.
        encoding: its `Content-Encoding`.
        max_bytes: that the body may unpack to.

    Raises:
        PushError: the encoding is unknown, the bytes are not of it, or they are too many.
    """
    if is_json(content_type):
        return unpack_json(body, encoding, max_bytes)
    return unpack_protobuf(body, encoding, max_bytes)


def read_push(content: bytes, content_type: str) -> list[PushedStream]:
    """The streams of a push whose body `unpack_push` has unpacked.

    Raises:
        PushError: with Loki's status and, where it has words for people, its text.
    """
    streams = _of_json(content) if is_json(content_type) else _of_protobuf(content)
    found = []
    lines = 0
    for stream in streams:
        found.append(stream)
        lines += len(stream.entries)
        if lines > MAX_LINES:
            raise PushError(f"a push has more than {MAX_LINES} lines", TOO_LARGE)
    if not found:
        raise PushError(_NO_STREAMS, UNPROCESSABLE)
    return found


def is_json(content_type: str) -> bool:
    """True when a request with this `Content-Type` holds JSON.

    Raises:
        PushError: it is no type.
    """
    return _media_type(content_type) == "application/json"


def _media_type(content_type: str) -> str:
    name, _, parameters = content_type.partition(";")
    if not name.strip():
        raise PushError("mime: no media type")
    if any(part.strip() and "=" not in part for part in parameters.split(";")):
        raise PushError("mime: invalid media parameter")
    return name.strip().lower()


def _of_protobuf(message: bytes) -> Iterable[PushedStream]:
    for text, entries in decode_push(message):
        labels = {name: value for name, value in parse_labels(text or "{}").items() if value}
        if entries and not labels:
            raise PushError(_NO_LABELS)
        metadata = normalize_all([metadata for _, _, metadata in entries])
        normal = [(*entry[:2], one) for entry, one in zip(entries, metadata, strict=True)]
        yield PushedStream(labels, normal)


def _of_json(body: bytes) -> Iterable[PushedStream]:
    if len(body) > _MAX_ARRAYS and body.count(b"[") > _MAX_ARRAYS:
        raise PushError(f"a push has more than {_MAX_ARRAYS} arrays", TOO_LARGE)
    content = _load(body)
    if content is None:
        return
    if not isinstance(content, dict):
        raise _refuse("the body is no object")
    streams = content.get("streams")
    if not isinstance(streams, list | None):
        raise _refuse('"streams" is no array')
    for stream in streams or ():
        if not isinstance(stream, dict):
            raise _refuse("a stream is no object")
        yield _stream(stream)


def _load(body: bytes) -> Any:
    """The first JSON value of the body, as Loki reads it: bytes behind it do not count."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _load_leniently(body)


def _load_leniently(body: bytes) -> Any:
    text = read_text(body).lstrip(" \t\r\n")
    if not text:
        raise PushError("EOF")
    try:
        content, _ = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode(text)
        orjson.dumps(content)  # refuses halves of surrogate pairs
    except (ValueError, TypeError, RecursionError) as error:
        raise _refuse(str(error)) from error
    return content


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _refuse(problem: str) -> PushError:
    return PushError(f"the push is no JSON that can be read: {problem}")


def _stream(stream: dict[str, Any]) -> PushedStream:
    labels = _labels(stream.get("stream", {}))
    values = stream.get("values")
    if not isinstance(values, list | None):
        raise _refuse('"values" is no array')
    if values and not labels:
        raise PushError(_NO_LABELS)
    if values and len(values) > MAX_LINES:
        raise PushError(f"a push has more than {MAX_LINES} lines", TOO_LARGE)
    return PushedStream(labels, _entries([value for value in values or () if value is not None]))


def _labels(labels: Any) -> dict[str, str]:
    if not isinstance(labels, dict):
        raise _refuse('"stream" is no object of labels')
    texts = {
        name: value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in labels.items()
    }
    check_labels(texts)
    return {name: value for name, value in texts.items() if value}


def _entries(values: list[Any]) -> list[Entry]:
    """The entries, read by columns: a check of each entry would cost more than all else here."""
    if not values:
        return []
    whole = [v if type(v) is list and len(v) == _ENTRY_PARTS else _whole(v) for v in values]
    times, lines, metadata = zip(*whole, strict=True)
    if set(map(type, lines)) != {str}:
        raise _refuse("a line is no string")
    return list(zip(_times_ns(times), lines, _metadata(metadata), strict=True))


def _whole(value: Any) -> list[Any]:
    """An entry with all of its parts; Loki takes a missing line for an empty one."""
    if not isinstance(value, list):
        raise _refuse("an entry is no array of a timestamp and a line")
    return [*value[:_ENTRY_PARTS], *(_NO_TIME, "", {})[len(value) :]]


def _times_ns(texts: Sequence[Any]) -> list[int]:
    """The times, read by one call: texts that are written back unchanged hold one number each."""
    try:
        joined = f"[{','.join(texts)}]".encode()
        times: list[int] = orjson.loads(joined)
        is_plain = len(times) == len(texts) and set(map(type, times)) == {int}
        if is_plain and max(times) <= _INT64_MAX and orjson.dumps(times) == joined:
            return times
    except (TypeError, ValueError):  # no string, or no number
        pass
    return list(map(_time_ns, texts))


def _time_ns(text: Any) -> int:
    if text is _NO_TIME:
        return _NO_TIME_NS
    if type(text) is str and _NUMBER.fullmatch(text):
        time_ns = read_decimal(text)
        if _INT64_MIN <= time_ns <= _INT64_MAX:
            return time_ns
    shown = str(text)[:40]
    raise _refuse(f"the timestamp {shown!r} is no string of nanoseconds since 1970")


def _metadata(metadata: Sequence[Any]) -> Sequence[dict[str, str]]:
    if set(map(type, metadata)) != {dict}:
        raise _refuse("the structured metadata of an entry is no object")
    if not set(map(type, chain.from_iterable(map(dict.values, metadata)))) <= {str}:
        raise _refuse("a value of structured metadata is no string")
    return normalize_all(metadata)
