"""Chunks of Fluent Bit on disk: the time of their beginning, and the entries in them.

The layout is that of its Chunk I/O library (lib/chunkio/README.md there): a header of 24 bytes
whose last two give the length of the metadata behind it, then the events in MessagePack, each
`[[time, {…}], record]`; a time is an extension of seconds and nanoseconds, four bytes each.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack

from lokikit import fields as f
from lokikit.delivery.entry import Entry
from lokikit.times import NS_PER_S

REJECTED = "rejected"
"""Folder in the agent's storage for chunks that Loki refused; `storage.rejected.path` there."""
_MAGIC = b"\xc1\x00"
_META_LENGTH = struct.Struct(">H")
_META_LENGTH_AT = 22
_EVENT_TIME = struct.Struct(">II")
_EVENT_TIME_TYPE = 0
_LINE, _METADATA = "log", "metadata"
"""Fields of a line's record beside its labels; see fluentbit/contract.lua."""
_POSTED_LABELS = {**f.LABEL_FIELDS, **{name: name for name in f.CLUSTER_LABELS}}
_ADDED = {name: f"_lokikit_{name}" for name in (*_POSTED_LABELS.values(), *f.METADATA_FIELDS)}
"""Copies of fields that fluentbit/http.yaml adds to a posted event."""
_HTTP = re.compile(r"_loki_http_[^_]*$")
"""End of the name of a refused chunk of posted events: their output. The tag before it may be the
name of any file that the agent follows."""


def chunk_paths(storage: Path) -> list[Path]:
    """Return the chunks that wait in an agent's storage, without the refused chunks."""
    return [path for path in storage.glob("*/*.flb") if path.parent.name != REJECTED]


def rejected_paths(storage: Path) -> list[Path]:
    """Return the chunks that Loki refused, oldest first."""
    found = [(path.stat().st_mtime_ns, path) for path in (storage / REJECTED).glob("*.flb")]
    return [path for _, path in sorted(found)]


def begun_s(path: Path) -> float:
    """Return when a waiting chunk was begun, in seconds since 1970, from its name.

    Raises:
        ValueError: the name is not `PID-SECONDS.NANOS.flb`.
    """
    return float(path.stem.partition("-")[2])


def is_posted(path: Path) -> bool:
    """Return True when a refused chunk holds events of `POST /logs`."""
    return _HTTP.search(path.name) is not None


def read_chunk(data: bytes, host: str, *, posted: bool = False) -> Iterator[Entry | None]:
    """Yield the entries of a chunk up to a tear, and `None` for each event that is no line.

    Args:
        data: content of the file.
        host: host that the agent adds to each line as structured metadata.
        posted: True for events of `POST /logs`, whose JSON of any form is the line.
    """
    read = _posted_entry if posted else _entry
    for time, record in _events(data):
        yield read(time, record, host)


def _events(data: bytes) -> Iterator[tuple[int, Any]]:
    """Nanoseconds since the epoch, and the record."""
    if data[:2] != _MAGIC or len(data) < _META_LENGTH_AT + 2:
        return
    (length,) = _META_LENGTH.unpack_from(data, _META_LENGTH_AT)
    unpacker = msgpack.Unpacker(
        raw=False, unicode_errors="replace", strict_map_key=False, ext_hook=_event_time
    )
    unpacker.feed(data[_META_LENGTH_AT + 2 + length :])
    try:
        for event in unpacker:
            head, record = event
            yield (head[0] if isinstance(head, list) else head), record
    except (ValueError, TypeError, msgpack.UnpackException):
        return


def _event_time(kind: int, data: bytes) -> Any:
    if kind != _EVENT_TIME_TYPE or len(data) != _EVENT_TIME.size:
        return msgpack.ExtType(kind, data)
    seconds, nanoseconds = _EVENT_TIME.unpack(data)
    return seconds * NS_PER_S + nanoseconds


def _entry(time_ns: Any, record: Any, host: str) -> Entry | None:
    if not isinstance(time_ns, int) or not isinstance(record, dict):
        return None
    line = record.pop(_LINE, None)
    metadata = record.pop(_METADATA, None) or {}
    if not isinstance(line, str) or not isinstance(metadata, dict):
        return None
    labels = {str(name): value for name, value in record.items() if isinstance(value, str)}
    return Entry(time_ns, line, labels, {f.HOST: host, **metadata})


def _posted_entry(time_ns: Any, record: Any, host: str) -> Entry | None:
    if not isinstance(time_ns, int):
        return None
    fields = record if isinstance(record, dict) else {}
    posted = {name: value for name, value in fields.items() if name not in _ADDED.values()}
    added = {name: fields[own] for name, own in _ADDED.items() if isinstance(fields.get(own), str)}
    labels = {label: added[field] for label, field in _POSTED_LABELS.items() if added.get(field)}
    metadata = {name: added[name] for name in f.METADATA_FIELDS if name in added}
    line = json.dumps(posted if isinstance(record, dict) else record, ensure_ascii=False)
    return Entry(
        time_ns, line, {f.LABEL_SERVICE: f.UNKNOWN_SERVICE, **labels}, {f.HOST: host, **metadata}
    )
