"""`index/volume` and `index/volume_range`: how many bytes each group of streams holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lokikit.store.api.parameters import (
    DEFAULT_LIMIT,
    QUERY_SINCE_NS,
    Span,
    parse_time,
    read_direction,
    read_interval,
    read_limit,
    read_span,
    read_step,
)
from lokikit.store.api.values import write_seconds
from lokikit.store.errors import QueryError
from lokikit.store.logql.parser import parse_selector
from lokikit.store.logql.quoting import format_labels
from lokikit.store.segments.schema import LINE_BYTES
from lokikit.times import NS_PER_MS

if TYPE_CHECKING:
    from lokikit.store.api.http import Form
    from lokikit.store.logql.pipeline_syntax import Matcher
    from lokikit.store.segments.store import Store

Metric = tuple[tuple[str, str], ...]
_SERIES, _LABELS = "series", "labels"
_MAX_LIMIT = (1 << 31) - 1


@dataclass(frozen=True)
class VolumeGrouping:
    """How streams are put together.

    Args:
        names: the labels that count; empty for all.
        by_label: True makes each label a group of its own, for all its values.
    """

    names: frozenset[str]
    by_label: bool

    def metrics(self, labels: Mapping[str, str]) -> list[Metric]:
        """The groups that a stream belongs to."""
        chosen = [name for name in sorted(labels) if not self.names or name in self.names]
        if self.by_label:
            return [((name, ""),) for name in chosen]
        return [tuple((name, labels[name]) for name in chosen)] if chosen else []


@dataclass(frozen=True)
class VolumeRequest:
    """The parameters of a request.

    Args:
        matchers: select streams.
        span: the time.
        grouping: of the streams.
        limit: groups at most, the largest.
        step_ns: between two values; the whole span for one.
    """

    matchers: tuple[Matcher, ...]
    span: Span
    grouping: VolumeGrouping
    limit: int
    step_ns: int


def read_volume(form: Form, now_ns: int, *, max_points: int, ranged: bool) -> VolumeRequest:
    """The request of `index/volume`, or with `ranged` of `index/volume_range`.

    Raises:
        QueryError: a parameter is wrong.
    """
    matchers = parse_selector(form.get("query"), allows_all=True)
    span = read_span(form, now_ns, QUERY_SINCE_NS)
    aggregate_by = form.get("aggregateBy") or _SERIES
    if aggregate_by not in {_SERIES, _LABELS}:
        raise QueryError("invalid aggregation option")
    targets = frozenset(filter(None, form.get("targetLabels").split(",")))
    is_by_label = aggregate_by == _LABELS
    names = targets or (frozenset() if is_by_label else frozenset(one.name for one in matchers))
    limit = read_limit(form)
    if not 0 <= limit <= _MAX_LIMIT:
        raise QueryError("limit must be a positive value")
    read_direction(form)
    step_ns = 0
    if ranged:
        step_ns = read_step(form, span, max_points)
        read_interval(form)
    elif time_text := form.get("time"):
        parse_time(time_text)
    return VolumeRequest(
        matchers,
        span,
        VolumeGrouping(names, is_by_label),
        limit or DEFAULT_LIMIT,
        step_ns,
    )


def volume_data(store: Store, request: VolumeRequest) -> dict[str, Any]:
    """One value for each group, the largest first."""
    span, totals = request.span, Counter[Metric]()
    for labels, (size, _) in store.volume(request.matchers, span.start_ns, span.behind_ns).items():
        for metric in request.grouping.metrics(dict(labels)):
            totals[metric] += size
    seconds = write_seconds(span.end_ns)
    result = [
        {"metric": dict(metric), "value": [seconds, str(size)]}
        for metric, size in _largest(totals, request.limit)
    ]
    return {"resultType": "vector", "result": result}


def volume_range_data(
    store: Store, request: VolumeRequest, check: Callable[[], None]
) -> dict[str, Any]:
    """One value for each group and step, at the last millisecond of the step."""
    groups: dict[Metric, Counter[int]] = {}
    for labels, bucket, size in _buckets(store, request, check):
        for metric in request.grouping.metrics(labels):
            groups.setdefault(metric, Counter())[bucket] += size
    totals = Counter({metric: sizes.total() for metric, sizes in groups.items()})
    largest = (dict(metric) for metric, _ in _largest(totals, request.limit))
    result = [
        {"metric": metric, "values": _values(groups[tuple(metric.items())], request.step_ns)}
        for metric in sorted(largest, key=format_labels)
    ]
    return {"resultType": "matrix" if result else "vector", "result": result}


def _values(sizes: Mapping[int, int], step_ns: int) -> list[tuple[int | float, str]]:
    return [
        (write_seconds((bucket + 1) * step_ns - NS_PER_MS), str(size))
        for bucket, size in sorted(sizes.items())
    ]


def _largest(totals: Mapping[Metric, int], limit: int) -> Sequence[tuple[Metric, int]]:
    ordered = sorted(totals.items(), key=lambda item: (-item[1], format_labels(dict(item[0]))))
    return ordered[:limit]


def _buckets(
    store: Store, request: VolumeRequest, check: Callable[[], None]
) -> Iterator[tuple[Mapping[str, str], int, int]]:
    """Labels of a stream, number of the step, bytes."""
    labels = store.stream_numbers(request.matchers)
    start_ns = max(request.span.start_ns, store.oldest_kept_ns())
    end_ns = request.span.behind_ns
    cursor = store.cursor()
    try:
        for part in store.relations(start_ns, end_ns):
            check()
            select = f"SELECT stream, ts // ? AS bucket, sum({LINE_BYTES})::BIGINT"
            rows = f"FROM {part.relation} WHERE ts >= ? AND ts < ? GROUP BY ALL"
            parameters = [request.step_ns, start_ns, end_ns]
            found = cursor.execute(f"{select} {rows}", parameters).fetchall()
            yield from ((labels[one], bucket, size) for one, bucket, size in found if one in labels)
    finally:
        cursor.close()
