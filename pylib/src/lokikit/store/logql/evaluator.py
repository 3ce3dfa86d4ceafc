"""The evaluator: what each expression of LogQL means, over the rows of any source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, repeat
from typing import TYPE_CHECKING

from lokikit.store.errors import LimitError, QueryError
from lokikit.store.logql.binary_operation import operate_on_scalar, operate_on_vectors, scalar_value
from lokikit.store.logql.label_replacement import replace_labels
from lokikit.store.logql.labels_builder import Processed
from lokikit.store.logql.lexer import SORTING
from lokikit.store.logql.limits import DEFAULT, Limits, check_entries, check_points
from lokikit.store.logql.pipeline import compile_pipeline
from lokikit.store.logql.range_aggregation import RangeReader
from lokikit.store.logql.sample_extraction import hides_empty_labels
from lokikit.store.logql.series import Sampler, SampleRequest, Series, Steps
from lokikit.store.logql.series_collection import collect_series, series_vectors
from lokikit.store.logql.syntax import (
    SUMMABLE,
    BinaryOperation,
    Grouping,
    LabelReplace,
    LogExpression,
    RangeAggregation,
    SampleExpression,
    VectorAggregation,
    VectorFunction,
)
from lokikit.store.logql.vector_aggregation import SELECTING, aggregate, average_of_sums
from lokikit.store.logql.vectors import without_empty_labels
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.store.logql.vectors import LabelSet, Vector
    from lokikit.store.rows import Direction, RowSource

Entry = Processed
"""A line of the answer to a log query, with its labels by category."""


class Evaluator:
    """Evaluates queries over the rows of a source.

    Args:
        source: holds the rows.
        samplers: fast paths for range aggregations, tried in this order before rows are read.
        limits: bounds of a query.
        check: raises when the query has to stop; called every few hundred rows and each step.
    """

    def __init__(
        self,
        source: RowSource,
        samplers: Sequence[Sampler] = (),
        limits: Limits = DEFAULT,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._source, self._samplers = source, samplers
        self._limits, self._check = limits, check

    def entries(
        self, query: LogExpression, start_ns: int, end_ns: int, limit: int, direction: Direction
    ) -> list[Entry]:
        """The first `limit` lines of a log query from `start_ns` up to, not including, `end_ns`.

        Raises:
            LimitError: `limit` is above the limit of lines.
        """
        check_entries(limit, self._limits.max_entries)
        return list(islice(self.stream_entries(query, start_ns, end_ns, direction), limit))

    def stream_entries(
        self, query: LogExpression, start_ns: int, end_ns: int, direction: Direction = "forward"
    ) -> Iterator[Entry]:
        """The lines of a log query, read as they are taken."""
        pipeline = compile_pipeline(query.stages)
        rows = self._source.rows(
            query.matchers,
            start_ns,
            end_ns,
            direction=direction,
            prefilter=query.stages,
            check=self._check,
        )
        for row in rows:
            entry = pipeline.process(row)
            if entry is not None:
                yield entry

    def samples(self, expression: SampleExpression, steps: Steps) -> list[Series]:
        """The series of a metric query, ordered by labels.

        An instant query with `sort` or `sort_desc` outside keeps that order. A scalar is a series
        without labels; `scalar_value` knows an expression that is a scalar.

        Raises:
            QueryError: the query cannot be answered; the text names why.
            LimitError: too many points or series.
        """
        check_points(steps.count - 1, self._limits.max_points)
        series = collect_series(self._limited(self._vectors(expression, steps)), steps)
        if hides_empty_labels(expression):
            series = [Series(_without_empty(one.labels), one.values) for one in series]
        if not (steps.is_instant and _is_sorted(expression)):
            series.sort(key=lambda one: tuple(one.labels.items()))
        return series

    def _vectors(self, expression: SampleExpression, steps: Steps) -> Iterator[Vector]:
        """One vector for each step."""
        scalar = scalar_value(expression)
        if scalar is not None:
            return repeat([((), scalar)], steps.count)
        if isinstance(expression, VectorFunction):
            return repeat([((), expression.value)], steps.count)
        if isinstance(expression, RangeAggregation):
            return self._leaf(expression, steps)
        if isinstance(expression, VectorAggregation):
            return self._aggregated(expression, steps)
        if isinstance(expression, LabelReplace):
            return replace_labels(expression, self._operand(expression.operand, steps))
        if isinstance(expression, BinaryOperation):
            return self._operation(expression, steps)
        raise QueryError(f"{type(expression).__name__} is not supported by this store")

    def _operand(self, expression: SampleExpression, steps: Steps) -> Iterator[Vector]:
        """The vectors of a part of a query, with the labels that its own answer would show."""
        return _shown(expression, self._vectors(expression, steps))

    def _operation(self, expression: BinaryOperation, steps: Steps) -> Iterator[Vector]:
        left, right = scalar_value(expression.left), scalar_value(expression.right)
        if left is not None:
            vectors = self._operand(expression.right, steps)
            return operate_on_scalar(expression, vectors, left, scalar_left=True)
        if right is not None:
            vectors = self._operand(expression.left, steps)
            return operate_on_scalar(expression, vectors, right, scalar_left=False)
        return operate_on_vectors(
            expression,
            self._operand(expression.left, steps),
            self._operand(expression.right, steps),
        )

    def _aggregated(self, expression: VectorAggregation, steps: Steps) -> Iterator[Vector]:
        operand = expression.operand
        if not isinstance(operand, RangeAggregation) or expression.op in SORTING | SELECTING:
            return aggregate(expression, self._operand(operand, steps))
        sampled = self._sampled(SampleRequest(operand, expression, steps))
        if sampled is not None:
            return self._limited(sampled)
        if operand.op in SUMMABLE and expression.op == "sum":
            return self._limited(self._read(operand, steps, expression.grouping or Grouping(())))
        if expression.op == "avg":
            return self._limited(self._averaged(expression, operand, steps))
        vectors = _shown(operand, self._leaf(operand, steps, is_limited=False))
        return self._limited(aggregate(expression, vectors))

    def _averaged(
        self, expression: VectorAggregation, operand: RangeAggregation, steps: Steps
    ) -> Iterator[Vector]:
        op = operand.op
        if op == "rate":
            op = "count_over_time" if operand.log_range.unwrap is None else "sum_over_time"
        elif op == "bytes_rate":
            op = "bytes_over_time"
        divisor = operand.log_range.range_ns / NS_PER_S if op != operand.op else 1.0
        vectors = self._leaf(replace(operand, op=op), steps, is_limited=False)
        return average_of_sums(expression, vectors, divisor)

    def _leaf(
        self, aggregation: RangeAggregation, steps: Steps, *, is_limited: bool = True
    ) -> Iterator[Vector]:
        sampled = self._sampled(SampleRequest(aggregation, None, steps))
        vectors = self._read(aggregation, steps) if sampled is None else sampled
        return self._limited(vectors) if is_limited else vectors

    def _sampled(self, request: SampleRequest) -> Iterator[Vector] | None:
        for sampler in self._samplers:
            series = sampler.sample(request)
            if series is not None:
                return series_vectors(series, request.steps)
        return None

    def _read(
        self, aggregation: RangeAggregation, steps: Steps, summed_by: Grouping | None = None
    ) -> Iterator[Vector]:
        return RangeReader(
            self._source, aggregation, steps, summed_by=summed_by, check=self._check
        ).vectors()

    def _limited(self, vectors: Iterator[Vector]) -> Iterator[Vector]:
        """The same vectors; too many label sets among all of them are an error."""
        seen: set[LabelSet] = set()
        for vector in vectors:
            seen.update([labels for labels, _value in vector])
            if len(seen) > self._limits.max_series:
                raise _too_many_series(self._limits.max_series)
            yield vector


def _shown(expression: SampleExpression, vectors: Iterator[Vector]) -> Iterator[Vector]:
    return without_empty_labels(vectors) if hides_empty_labels(expression) else vectors


def _without_empty(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if value}


def _is_sorted(expression: SampleExpression) -> bool:
    return isinstance(expression, VectorAggregation) and expression.op in SORTING


def _too_many_series(max_series: int) -> LimitError:
    return LimitError(
        f"maximum number of series ({max_series}) reached for a single query; consider reducing "
        "query cardinality by adding more specific stream selectors, reducing the time range, or "
        "aggregating results with functions like sum(), count() or topk()"
    )
