"""Vector aggregations: `sum by (a) (…)`, `topk(5, …)`, `sort(…)` and their like."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from lokikit.store.errors import QueryError
from lokikit.store.logql.lexer import SORTING
from lokikit.store.logql.range_functions import largest, mean, smallest, total, vector_variance
from lokikit.store.logql.selection import BestSamples
from lokikit.store.logql.syntax import Grouping, VectorAggregation
from lokikit.store.logql.vectors import METRIC_NAME, LabelSet, Vector, group_filter, label_filter

SELECTING = frozenset({"topk", "bottomk"})
DESCENDING = frozenset({"topk", "sort_desc"})


def aggregate(expression: VectorAggregation, vectors: Iterator[Vector]) -> Iterator[Vector]:
    """The vectors of the aggregation, one for each of `vectors`.

    Raises:
        QueryError: the aggregation is not known.
    """
    return map(_step_function(expression), vectors)


def average_of_sums(
    expression: VectorAggregation, vectors: Iterator[Vector], divisor: float
) -> Iterator[Vector]:
    """The vectors of an `avg` directly above a range aggregation: sums divided by counts.

    Loki computes it so, which shows in the last digit, and in that empty labels are dropped.

    Args:
        expression: the `avg`.
        vectors: of the range aggregation; of counts where it is a rate.
        divisor: the seconds of a rate, otherwise 1.
    """
    grouping = expression.grouping or Grouping(())
    names = (*grouping.labels, METRIC_NAME) if grouping.without else grouping.labels
    group = label_filter(frozenset(names), keep=not grouping.without)
    for vector in vectors:
        yield [
            (labels, total(values) / divisor / len(values))
            for labels, values in _groups(vector, group).items()
        ]


def _step_function(expression: VectorAggregation) -> Callable[[Vector], Vector]:
    op, group = expression.op, group_filter(expression.grouping)
    descending = op in DESCENDING
    if op in SORTING:
        return lambda vector: _ordered(vector, descending=descending)
    if op in SELECTING:
        count = int(expression.parameter or 0)
        return lambda vector: _selected(vector, count, group, descending=descending)
    function = _FUNCTIONS.get(op)
    if function is None:
        raise QueryError(f"{op} is not supported by this store")
    return lambda vector: [
        (labels, function(values)) for labels, values in _groups(vector, group).items()
    ]


def _groups(vector: Vector, group: Callable[[LabelSet], LabelSet]) -> dict[LabelSet, list[float]]:
    """The values of each group, both ordered by labels: float sums depend on the order."""
    groups: dict[LabelSet, list[float]] = {}
    for labels, value in sorted(vector, key=itemgetter(0)):
        groups.setdefault(group(labels), []).append(value)
    return dict(sorted(groups.items(), key=itemgetter(0)))


def _ordered(vector: Vector, *, descending: bool) -> Vector:
    """By value, NaN last; equal values by their labels."""
    sign = -1 if descending else 1
    return sorted(vector, key=lambda sample: (math.isnan(sample[1]), sign * sample[1], sample[0]))


def _selected(
    vector: Vector, count: int, group: Callable[[LabelSet], LabelSet], *, descending: bool
) -> Vector:
    """The `count` largest or smallest samples of each group."""
    groups: dict[LabelSet, BestSamples] = {}
    for sample in sorted(vector, key=itemgetter(0)):
        key = group(sample[0])
        if key not in groups:
            groups[key] = BestSamples(count, largest=descending)
        groups[key].offer(sample)
    chosen = [sample for selection in groups.values() for sample in selection.samples]
    return _ordered(chosen, descending=descending)


_FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": total,
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "stddev": lambda values: math.sqrt(vector_variance(values)),
    "stdvar": vector_variance,
}
