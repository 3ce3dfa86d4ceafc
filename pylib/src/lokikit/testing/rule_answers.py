"""The answers of rules' queries, from lines in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lokikit.monitoring.rule_reduction import reduce_values
from lokikit.monitoring.rule_states import Reading, RuleAnswer
from lokikit.store.errors import QueryError
from lokikit.store.logql.evaluator import Evaluator
from lokikit.store.logql.memory_source import MemorySource
from lokikit.store.logql.parser import parse_query
from lokikit.store.logql.series import Series, Steps
from lokikit.store.logql.syntax import LogExpression, SampleExpression

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Range, Rule
    from lokikit.store.rows import Row


class MemoryAnswers:
    """Evaluates rules' queries over rows in any order."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._evaluator = Evaluator(MemorySource(rows))

    def outcomes(self, rule: Rule, times_ns: Sequence[int]) -> list[RuleAnswer]:
        """Return the answers of a rule's query at each time; the times have equal distances."""
        try:
            expression = parse_query(rule.query)
        except QueryError as error:
            return [RuleAnswer(error=str(error))] * len(times_ns)
        if isinstance(expression, LogExpression):
            return [RuleAnswer(error="the query answers lines, not numbers")] * len(times_ns)
        if rule.span:
            return [self._reduced(expression, rule.span, time_ns) for time_ns in times_ns]
        return self._instants(expression, times_ns)

    def _instants(self, expression: SampleExpression, times_ns: Sequence[int]) -> list[RuleAnswer]:
        """Return all evaluations at once, or each by itself when an evaluation fails."""
        step_ns = times_ns[1] - times_ns[0] if len(times_ns) > 1 else 0
        try:
            series = self._evaluator.samples(expression, Steps(times_ns[0], times_ns[-1], step_ns))
        except QueryError as error:
            if len(times_ns) == 1:
                return [RuleAnswer(error=str(error))]
            return [self._instants(expression, [time_ns])[0] for time_ns in times_ns]
        return [_at(series, index) for index in range(len(times_ns))]

    def _reduced(self, expression: SampleExpression, span: Range, time_ns: int) -> RuleAnswer:
        steps = Steps(time_ns - span.from_ns, time_ns - span.to_ns, span.step_ns)
        try:
            series = self._evaluator.samples(expression, steps)
        except QueryError as error:
            return RuleAnswer(error=str(error))
        return RuleAnswer(tuple(_reductions(series, span.reducer)))


def _at(series: Iterable[Series], index: int) -> RuleAnswer:
    return RuleAnswer(
        tuple(
            Reading(answer.labels, value)
            for answer in series
            if (value := answer.values[index]) is not None
        )
    )


def _reductions(series: Iterable[Series], reducer: str) -> Iterable[Reading]:
    for answer in series:
        values = [value for value in answer.values if value is not None]
        if values:
            yield Reading(answer.labels, reduce_values(values, reducer))
