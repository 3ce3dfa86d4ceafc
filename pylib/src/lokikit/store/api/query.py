"""`query` and `query_range`: from parameters to data, in the thread of a query."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any

from lokikit.store.api import parameters
from lokikit.store.api.results import (
    matrix_data,
    scalar_data,
    statistics,
    streams_data,
    vector_data,
)
from lokikit.store.errors import LimitError, QueryError
from lokikit.store.logql.binary_operation import scalar_value
from lokikit.store.logql.limits import check_entries
from lokikit.store.logql.parser import parse_runnable
from lokikit.store.logql.series import Steps, align
from lokikit.store.logql.syntax import LogExpression, LogRange, SampleExpression

if TYPE_CHECKING:
    from lokikit.store.api.engine import Engine
    from lokikit.store.api.http import Form
    from lokikit.store.api.parameters import Span
    from lokikit.store.limits import StoreLimits
    from lokikit.store.logql.evaluator import Evaluator
    from lokikit.store.logql.labels_builder import Processed
    from lokikit.store.rows import Direction

    Check = Callable[[], None]

_NO_INSTANT = (
    "log queries are not supported as an instant query type, please change your query to a "
    "range query type"
)


@dataclass(frozen=True)
class LineRequest:
    """A log query over a span; two lines of its answer lie `interval_ns` apart or more."""

    query: LogExpression
    span: Span
    limit: int
    direction: Direction
    interval_ns: int


@dataclass(frozen=True)
class SampleQuery:
    """A metric query."""

    expression: SampleExpression
    steps: Steps


def read_instant(form: Form, now_ns: int) -> SampleQuery:
    """The request of `query`.

    Raises:
        QueryError: a parameter or the query is wrong.
    """
    expression = parse_runnable(form.get("query"))
    time_text = form.get("time")
    time_ns = parameters.parse_time(time_text) if time_text else now_ns
    parameters.read_positive_limit(form)
    parameters.read_direction(form)
    if isinstance(expression, LogExpression):
        raise QueryError(_NO_INSTANT)
    return SampleQuery(expression, Steps.instant(time_ns))


def read_range(form: Form, limits: StoreLimits, now_ns: int) -> LineRequest | SampleQuery:
    """The request of `query_range`.

    Raises:
        QueryError: a parameter or the query is wrong.
        LimitError: it goes beyond a limit.
    """
    expression = parse_runnable(form.get("query"))
    span = parameters.read_span(form, now_ns, parameters.QUERY_SINCE_NS)
    limit = parameters.read_positive_limit(form)
    direction = parameters.read_direction(form)
    step_ns = parameters.read_step(form, span, limits.query.max_points)
    interval_ns = parameters.read_interval(form)
    parameters.check_length(span.length_ns, limits.max_query_length_ns)
    if isinstance(expression, LogExpression):
        check_entries(limit, limits.max_entries)
        return LineRequest(expression, span, limit, direction, interval_ns)
    steps = align(span.start_ns, span.end_ns, step_ns)
    length_ns = steps.end_ns - steps.start_ns + longest_range_ns(expression)
    parameters.check_length(length_ns, limits.max_query_length_ns)
    return SampleQuery(expression, steps)


def longest_range_ns(node: Any) -> int:
    """The longest `[range]` in a metric query."""
    if isinstance(node, LogRange):
        return node.range_ns
    parts = vars(node).values() if is_dataclass(node) else ()
    return max(map(longest_range_ns, parts), default=0)


def answer(
    engine: Engine, request: LineRequest | SampleQuery, flags: Sequence[str], check: Check
) -> dict[str, Any]:
    """The `data` of an answer.

    Raises:
        QueryError: the query cannot be answered.
        StoppedError: it had to stop.
    """
    began_s = time.perf_counter()
    evaluator = engine.evaluator(check)
    if isinstance(request, LineRequest):
        data = streams_data(_lines(evaluator, request, engine.limits.max_answer_bytes), flags)
    else:
        data = _samples(evaluator, request)
    data["stats"] = _statistics(data, time.perf_counter() - began_s)
    return data


def _lines(evaluator: Evaluator, request: LineRequest, max_bytes: int) -> Iterator[Processed]:
    query, span = request.query, request.span
    entries = evaluator.stream_entries(query, span.start_ns, span.behind_ns, request.direction)
    size = 0
    for entry in _spaced(entries, request.interval_ns, request.limit):
        size += len(entry.line)
        if size > max_bytes:
            raise LimitError(
                f"the lines of the answer have more than {max_bytes} characters; "
                "ask for fewer with limit, or for a shorter time"
            )
        yield entry


def _spaced(entries: Iterable[Processed], interval_ns: int, limit: int) -> Iterator[Processed]:
    last_ns: int | None = None
    for entry in entries:
        if last_ns is None or abs(entry.timestamp_ns - last_ns) >= interval_ns:
            last_ns = entry.timestamp_ns
            yield entry
            limit -= 1
            if not limit:
                return


def _samples(evaluator: Evaluator, request: SampleQuery) -> dict[str, Any]:
    series = evaluator.samples(request.expression, request.steps)
    if not request.steps.is_instant:
        return matrix_data(series, request.steps)
    time_ns = request.steps.start_ns
    scalar = scalar_value(request.expression)
    return vector_data(series, time_ns) if scalar is None else scalar_data(scalar, time_ns)


def _statistics(data: dict[str, Any], duration_s: float) -> dict[str, Any]:
    if data["resultType"] != "streams":
        return statistics(duration_s, 0, 0, len(data["result"]))
    lines = [value[1] for stream in data["result"] for value in stream["values"]]
    return statistics(duration_s, len(lines), sum(map(len, lines)), len(lines))
