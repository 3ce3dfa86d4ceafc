"""The numbers of the dashboard *Services*, from the same queries, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lokikit.fields import EXC_TYPE, LABEL_SERVICE
from lokikit.query import logql as queries
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.query.client import Loki
    from lokikit.query.logql import Selection
    from lokikit.query.results import LogEntry, Sample

POINTS = 30
"""Number of counts of lines side by side."""
TOP_EXCEPTIONS = 10
NEWEST_ERRORS = 20

Key = tuple[str, ...]


@dataclass(frozen=True)
class Questions:
    """The queries over a span.

    Args:
        lines: number of lines of each service, in each step.
        error_ratio: share of errors of each service; no series for a service without errors.
        exceptions: types that are logged most.
        errors: lines that are errors.
    """

    lines: str
    error_ratio: str
    exceptions: str
    errors: str


def questions(selected: Selection, step: str, span: str) -> Questions:
    """Return the queries over the selected lines: counts per step, other numbers over the span."""
    return Questions(
        lines=queries.lines(selected, step),
        error_ratio=queries.error_ratio(selected, span),
        exceptions=f"topk({TOP_EXCEPTIONS}, {queries.exception_types(selected, span)})",
        errors=queries.error_lines(selected),
    )


@dataclass(frozen=True)
class ServiceOverview:
    """The numbers of a service.

    Args:
        key: its name and environment, in the order of `queries.SERVICE`.
        counts: number of lines in each step, oldest first.
        error_ratio: share of lines that are errors.
        last_seen_s: seconds within which it has written.
    """

    key: Key
    counts: tuple[int, ...]
    error_ratio: float
    last_seen_s: int

    @property
    def lines(self) -> int:
        """Number of all lines."""
        return sum(self.counts)


@dataclass(frozen=True)
class Overview:
    """All services at a moment.

    Args:
        services: the services, those that write most first.
        exceptions: service, type and count, most frequent first.
        errors: lines that are errors, newest first.
    """

    services: tuple[ServiceOverview, ...]
    exceptions: tuple[tuple[str, str, int], ...]
    errors: tuple[LogEntry, ...]


def covered_s(since_s: int) -> int:
    """Return `since_s` or a little more: whole steps for all points."""
    return max(1, -(-since_s // POINTS)) * POINTS


def take_overview(loki: Loki, since_s: int, now_ns: int) -> Overview:
    """Return the overview of the last `covered_s(since_s)` seconds.

    Raises:
        LokikitError: Loki does not answer, or refuses a query.
    """
    span_s = covered_s(since_s)
    step_s = span_s // POINTS
    asked = questions(queries.ALL, f"{step_s}s", f"{span_s}s")
    # Loki moves the ends of a range to whole steps: the last step must not end before now.
    end_ns = -(-now_ns // (step_s * NS_PER_S)) * step_s * NS_PER_S
    start_ns = end_ns - (POINTS - 1) * step_s * NS_PER_S
    ratios = {
        _key(sample): float(sample.value) for sample in loki.instant(asked.error_ratio, now_ns)
    }
    counted = loki.range_samples(asked.lines, start_ns, end_ns, step_s)
    since_ns = now_ns - span_s * NS_PER_S
    return Overview(
        _services(counted, ratios, start_ns, step_s),
        _exceptions(loki.instant(asked.exceptions, now_ns)),
        tuple(loki.query_range(asked.errors, since_ns, now_ns, NEWEST_ERRORS, "backward")),
    )


def _services(
    samples: Iterable[Sample], ratios: Mapping[Key, float], start_ns: int, step_s: int
) -> tuple[ServiceOverview, ...]:
    counts: dict[Key, list[int]] = {}
    for sample in samples:
        point = round(((sample.timestamp_ns or 0) - start_ns) / (step_s * NS_PER_S))
        if 0 <= point < POINTS:
            counts.setdefault(_key(sample), [0] * POINTS)[point] += int(float(sample.value))
    services = [
        ServiceOverview(key, tuple(own), ratios.get(key, 0.0), _last_seen_s(own, step_s))
        for key, own in counts.items()
        if any(own)
    ]
    return tuple(sorted(services, key=lambda service: (-service.lines, service.key)))


def _last_seen_s(counts: list[int], step_s: int) -> int:
    """To the width of one step, as the dashboard has it."""
    quiet = next(number for number, count in enumerate(reversed(counts)) if count)
    return (quiet + 1) * step_s


def _exceptions(samples: Iterable[Sample]) -> tuple[tuple[str, str, int], ...]:
    found = [
        (
            sample.labels.get(LABEL_SERVICE, ""),
            sample.labels.get(EXC_TYPE, ""),
            int(float(sample.value)),
        )
        for sample in samples
    ]
    return tuple(sorted(found, key=lambda exception: (-exception[2], exception)))


def _key(sample: Sample) -> Key:
    return tuple(sample.labels.get(name, "") for name in queries.SERVICE)
