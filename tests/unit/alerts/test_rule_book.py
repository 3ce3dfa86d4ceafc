from __future__ import annotations

import dataclasses

from tests.unit.alerts.watching import MINUTE_NS, RULE, START_NS, FakeLoki

from lokikit.alerts.evaluation import LiveAnswers
from lokikit.alerts.rule_book import RuleBook, distinct

EVERY_5_MIN = dataclasses.replace(RULE, interval_ns=5 * MINUTE_NS)


def book(*rules: object) -> RuleBook:
    return RuleBook(rules, LiveAnswers(FakeLoki()), {})  # type: ignore[arg-type]


def test_rules_of_one_name_are_told_apart() -> None:
    made = distinct([RULE, RULE, dataclasses.replace(RULE, uid="other"), RULE])
    assert [rule.uid for rule in made] == ["many", "many-2", "other", "many-3"]


def test_first_look_is_of_now_and_the_next_at_a_multiple_of_the_interval() -> None:
    rules = book(EVERY_5_MIN)
    start_ns = START_NS + 2 * MINUTE_NS
    assert rules.look(start_ns)
    assert rules.records()["many"].evaluated_ns == start_ns
    assert not rules.look(START_NS + 4 * MINUTE_NS)
    assert rules.look(START_NS + 5 * MINUTE_NS + 7)
    assert rules.records()["many"].evaluated_ns == START_NS + 5 * MINUTE_NS


def test_look_after_a_pause_is_of_now() -> None:
    rules = book(EVERY_5_MIN)
    rules.look(START_NS)
    rules.look(START_NS + 63 * MINUTE_NS)
    assert rules.records()["many"].evaluated_ns == START_NS + 63 * MINUTE_NS


def test_next_look_is_that_of_the_rule_that_is_due_first() -> None:
    rules = book(EVERY_5_MIN, dataclasses.replace(RULE, uid="other"))
    assert rules.next_ns(START_NS + 1) == START_NS + MINUTE_NS
