"""The answers of a Loki to the queries of rules."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from lokikit.errors import LokikitError, UnreachableError
from lokikit.monitoring.rule_reduction import reduce_values
from lokikit.monitoring.rule_states import Reading, RuleAnswer
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Range, Rule
    from lokikit.query.client import Loki
    from lokikit.query.results import Sample


class LiveAnswers:
    """Evaluates queries on a Loki.

    Args:
        loki: a client; its time limit applies to each evaluation.
    """

    def __init__(self, loki: Loki) -> None:
        self._loki = loki
        self.problem = ""
        """The reason why Loki did not answer since `begin`, empty while it does."""

    def begin(self) -> None:
        """Begin a round, in which Loki is queried again."""
        self.problem = ""

    def outcome(self, rule: Rule, time_ns: int) -> RuleAnswer:
        """Return the answer to the rule's query at that time.

        Once Loki has not answered, the rest of the round gets the same error without another wait.
        """
        if self.problem:
            return RuleAnswer(error=self.problem)
        try:
            return RuleAnswer(tuple(self._readings(rule, time_ns)))
        except UnreachableError as error:
            self.problem = str(error)
            return RuleAnswer(error=self.problem)
        except LokikitError as error:
            return RuleAnswer(error=str(error))
        except Exception as error:  # noqa: BLE001 - a server that is no Loki must not stop other rules
            return RuleAnswer(error=f"Loki's answer cannot be read: {error!r}")

    def _readings(self, rule: Rule, time_ns: int) -> list[Reading]:
        if rule.span:
            return self._reduced(rule.query, rule.span, time_ns)
        return [
            Reading(one.labels, float(one.value)) for one in self._loki.instant(rule.query, time_ns)
        ]

    def _reduced(self, query: str, span: Range, time_ns: int) -> list[Reading]:
        edges = time_ns - span.from_ns, time_ns - span.to_ns
        samples = self._loki.range_samples(query, *edges, span.step_ns / NS_PER_S)
        series: dict[tuple[tuple[str, str], ...], list[Sample]] = defaultdict(list)
        for sample in samples:
            series[tuple(sorted(sample.labels.items()))].append(sample)
        return [
            Reading(
                found[0].labels, reduce_values([float(one.value) for one in found], span.reducer)
            )
            for found in series.values()
        ]
