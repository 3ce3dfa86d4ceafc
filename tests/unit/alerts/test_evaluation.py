from __future__ import annotations

import dataclasses

import pytest
from tests.unit.alerts.watching import RULE, SHOP, START_NS, FakeLoki

from lokikit.alerts.evaluation import LiveAnswers
from lokikit.monitoring.rule_definition import Range
from lokikit.query.results import Sample
from lokikit.times import NS_PER_S


class Loki(FakeLoki):
    """Answers a range query with three values of the shop."""

    def range_samples(self, _query: str, start: int, end: int, step_s: float) -> list[Sample]:
        """The values."""
        assert (end - start, step_s) == (600 * NS_PER_S, 60)
        return [Sample(SHOP, start + number, value) for number, value in enumerate("194")]


@pytest.mark.parametrize(("reducer", "value"), [("last", 4), ("max", 9), ("sum", 14), ("count", 3)])
def test_range_query_is_reduced(reducer: str, value: float) -> None:
    span = Range(600 * NS_PER_S, 0, 60 * NS_PER_S, reducer)
    rule = dataclasses.replace(RULE, span=span)
    answer = LiveAnswers(Loki()).outcome(rule, START_NS)  # type: ignore[arg-type]
    (reading,) = answer.readings
    assert (reading.labels, reading.value) == (SHOP, value)


def test_answer_of_what_is_no_loki_is_an_error_of_its_rule() -> None:
    loki = FakeLoki()
    loki.values = [(SHOP, "no number")]  # type: ignore[list-item]
    answer = LiveAnswers(loki).outcome(RULE, START_NS)  # type: ignore[arg-type]
    assert "cannot be read" in answer.error
