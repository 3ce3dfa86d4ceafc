"""The `data` of a query's answer: streams, vectors, matrices and scalars as Loki writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lokikit.store.api.values import write_seconds, write_value
from lokikit.store.logql.quoting import format_labels

if TYPE_CHECKING:
    from lokikit.store.logql.labels_builder import Processed
    from lokikit.store.logql.series import Series, Steps

CATEGORIZE = "categorize-labels"
_COUNTED_CACHES = (
    "chunk",
    "index",
    "result",
    "statsResult",
    "volumeResult",
    "seriesResult",
    "labelResult",
    "instantMetricResult",
)
_CACHE = dict.fromkeys(
    (
        "entriesFound",
        "entriesRequested",
        "entriesStored",
        "bytesReceived",
        "bytesSent",
        "requests",
        "downloadTime",
        "queryLengthServed",
    ),
    0,
)
_CHUNK = dict.fromkeys(
    (
        "headChunkBytes",
        "headChunkLines",
        "decompressedBytes",
        "decompressedLines",
        "compressedBytes",
        "totalDuplicates",
        "postFilterLines",
        "headChunkStructuredMetadataBytes",
        "decompressedStructuredMetadataBytes",
    ),
    0,
)
_STORE = {
    "totalChunksRef": 0,
    "totalChunksDownloaded": 0,
    "chunksDownloadTime": 0,
    "queryReferencedStructuredMetadata": False,
    "queryUsedV2Engine": False,
    "chunk": _CHUNK,
    "chunkRefsFetchTime": 0,
    "congestionControlLatency": 0,
    "pipelineWrapperFilteredLines": 0,
}
_REACHED = ("totalReached", "totalChunksMatched", "totalBatches", "totalLinesSent")


def streams_data(entries: Iterable[Processed], flags: Sequence[str]) -> dict[str, Any]:
    """Lines by stream, ordered by labels; the entries are ordered by time.

    Without the flag `categorize-labels`, metadata and parsed labels count as labels of the stream.
    """
    grouped = _categorized(entries) if CATEGORIZE in flags else _merged(entries)
    ordered = sorted(grouped, key=lambda group: format_labels(group[0]))
    streams = [{"stream": labels, "values": values} for labels, values in ordered]
    data: dict[str, Any] = {"resultType": "streams"}
    if flags:
        data["encodingFlags"] = list(flags)
    data["result"] = streams
    return data


def _categorized(entries: Iterable[Processed]) -> Iterable[tuple[dict[str, str], list[Any]]]:
    groups: dict[tuple[tuple[str, str], ...], list[Any]] = {}
    known: dict[int, tuple[Mapping[str, str], list[Any]]] = {}
    for entry in entries:
        found = known.get(id(entry.stream))
        if found is None:
            values = groups.setdefault(tuple(sorted(entry.stream.items())), [])
            found = known[id(entry.stream)] = (entry.stream, values)
        found[1].append((str(entry.timestamp_ns), entry.line, categories(entry)))
    return [(dict(labels), values) for labels, values in groups.items()]


def categories(entry: Processed) -> dict[str, dict[str, str]]:
    """The labels of a line that are not its stream's, for a client that wants them apart."""
    parts = {"structuredMetadata": entry.metadata, "parsed": entry.parsed}
    return {name: dict(sorted(labels.items())) for name, labels in parts.items() if labels}


def _merged(entries: Iterable[Processed]) -> Iterable[tuple[dict[str, str], list[Any]]]:
    groups: dict[tuple[tuple[str, str], ...], list[Any]] = {}
    for entry in entries:
        labels = tuple(sorted(entry.labels().items()))
        groups.setdefault(labels, []).append((str(entry.timestamp_ns), entry.line))
    return [(dict(labels), values) for labels, values in groups.items()]


def vector_data(series: Iterable[Series], time_ns: int) -> dict[str, Any]:
    """One value of each series."""
    seconds = write_seconds(time_ns)
    result = [
        {"metric": dict(sorted(one.labels.items())), "value": [seconds, write_value(value)]}
        for one in series
        if (value := one.values[0]) is not None
    ]
    return {"resultType": "vector", "result": result}


def matrix_data(series: Iterable[Series], steps: Steps) -> dict[str, Any]:
    """The values of each series, ordered by labels."""
    seconds = [write_seconds(time_ns) for time_ns in steps.times()]
    result = []
    for one in sorted(series, key=lambda one: format_labels(one.labels)):
        values = [
            (at, write_value(value))
            for at, value in zip(seconds, one.values, strict=True)
            if value is not None
        ]
        if values:
            result.append({"metric": dict(sorted(one.labels.items())), "values": values})
    return {"resultType": "matrix", "result": result}


def scalar_data(value: float, time_ns: int) -> dict[str, Any]:
    """A number."""
    return {"resultType": "scalar", "result": [write_seconds(time_ns), write_value(value)]}


def statistics(duration_s: float, lines: int, size_bytes: int, returned: int) -> dict[str, Any]:
    """The `stats` of an answer: the summary is true, what a Loki of many parts counts is zero.

    Args:
        duration_s: of the query.
        lines: number of lines that it read.
        size_bytes: size of these lines.
        returned: lines or series in the answer.
    """
    duration_s = max(duration_s, 1e-6)
    return {
        "summary": {
            "bytesProcessedPerSecond": int(size_bytes / duration_s),
            "linesProcessedPerSecond": int(lines / duration_s),
            "totalBytesProcessed": size_bytes,
            "totalLinesProcessed": lines,
            "execTime": round(duration_s, 6),
            "queueTime": 0,
            "subqueries": 0,
            "totalEntriesReturned": returned,
            "splits": 0,
            "shards": 0,
            "totalPostFilterLines": returned,
            "totalStructuredMetadataBytesProcessed": 0,
        },
        "querier": {"store": _STORE},
        "ingester": {**dict.fromkeys(_REACHED, 0), "store": _STORE},
        "cache": dict.fromkeys(_COUNTED_CACHES, _CACHE),
        "index": {
            "totalChunks": 0,
            "postFilterChunks": 0,
            "shardsDuration": 0,
            "usedBloomFilters": False,
            "totalStreams": 0,
        },
    }
