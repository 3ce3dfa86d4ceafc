from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from lokikit.monitoring.rule_definition import Rule
from lokikit.monitoring.rule_states import Reading, RuleAnswer, RuleStates
from lokikit.times import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
SHOP = {"service": "shop"}
GRAFANA = Rule("u", "Many", "critical", "q", "gt", 5, no_data="OK")
RULER = Rule("Many", "Many", "critical", "q", "any", 0, no_data="OK", engine="loki")


def states(rule: Rule, values: list[Any], **settings: Any) -> list[str]:
    """The state of a series at one evaluation a minute.

    A value is a number, `None` for an empty answer, `"error"`, or `"missing"` for an answer that
    holds another series only.
    """
    machine = RuleStates(dataclasses.replace(rule, **settings))
    found = []
    for number, value in enumerate(values):
        machine.update(number * MINUTE_NS, outcome(value))
        found.append(" ".join(one.state for one in machine.instances if "other" not in one.labels))
    return found


def outcome(value: Any) -> RuleAnswer:
    """What the query answers."""
    if value == "error":
        return RuleAnswer(error="no answer")
    if value == "missing":
        return RuleAnswer((Reading({"other": "x"}, 0),))
    return RuleAnswer(() if value is None else (Reading(SHOP, value),))


def test_breach_fires_at_once_without_for() -> None:
    assert states(GRAFANA, [5, 6, 5]) == ["inactive", "firing", "inactive"]


def test_breach_is_pending_until_for_has_passed() -> None:
    found = states(GRAFANA, [6, 6, 6, 6], for_ns=2 * MINUTE_NS)
    assert found == ["pending", "pending", "firing", "firing"]


def test_interrupted_breach_begins_anew() -> None:
    found = states(GRAFANA, [6, 5, 6, 6], for_ns=MINUTE_NS)
    assert found == ["pending", "inactive", "pending", "firing"]


def test_grafana_keeps_a_recovering_alert() -> None:
    found = states(GRAFANA, [6, 5, 5, 5], keep_firing_for_ns=2 * MINUTE_NS)
    assert found == ["firing", "recovering", "recovering", "inactive"]


def test_recovering_alert_fires_again_without_waiting() -> None:
    settings = {"for_ns": MINUTE_NS, "keep_firing_for_ns": 5 * MINUTE_NS}
    assert states(GRAFANA, [6, 6, 5, 6], **settings)[2:] == ["recovering", "firing"]


def test_pending_alert_does_not_recover_slowly() -> None:
    settings = {"for_ns": 5 * MINUTE_NS, "keep_firing_for_ns": 5 * MINUTE_NS}
    assert states(GRAFANA, [6, 5], **settings) == ["pending", "inactive"]


def test_loki_keeps_an_alert_firing() -> None:
    found = states(RULER, [6, None, None, None], keep_firing_for_ns=2 * MINUTE_NS)
    assert found == ["firing", "firing", "firing", "inactive"]


def test_absence_ends_an_alert_of_loki() -> None:
    assert states(RULER, [6, None, 6], for_ns=0) == ["firing", "inactive", "firing"]


def test_error_leaves_alerts_of_loki_as_they_are() -> None:
    assert states(RULER, [6, "error", 6], on_error="KeepLast") == ["firing"] * 3


def test_missing_series_of_grafana_resolves_at_the_second_evaluation() -> None:
    """As Grafana's page on stale alert instances has it."""
    assert states(GRAFANA, [6, "missing", "missing"]) == ["firing", "firing", "inactive"]


@pytest.mark.parametrize(
    ("setting", "expected"), [("OK", "inactive"), ("KeepLast", "firing"), ("Alerting", "firing")]
)
def test_empty_answer_applies_to_known_series(setting: Any, expected: str) -> None:
    assert states(GRAFANA, [6, None], no_data=setting)[1] == expected


def test_empty_answer_waits_for_the_pending_period() -> None:
    found = states(GRAFANA, [None, None, None], no_data="Alerting", for_ns=2 * MINUTE_NS)
    assert found == ["pending", "pending", "firing"]


def test_empty_answer_is_an_alert_of_its_own() -> None:
    machine = RuleStates(dataclasses.replace(GRAFANA, no_data="NoData"))
    machine.update(0, outcome(6))
    machine.update(MINUTE_NS, outcome(None))
    (own,) = (one for one in machine.instances if one.own_labels)
    assert (own.state, own.own_labels["alertname"]) == ("nodata", "DatasourceNoData")


def test_error_is_an_alert_of_its_own() -> None:
    machine = RuleStates(GRAFANA)
    machine.update(0, outcome("error"))
    (own,) = machine.instances
    assert (own.state, own.own_labels["alertname"]) == ("error", "DatasourceError")
    assert machine.last_error == "no answer"


@pytest.mark.parametrize(
    ("setting", "expected"), [("OK", "inactive"), ("KeepLast", "firing"), ("Alerting", "firing")]
)
def test_error_applies_to_known_series(setting: Any, expected: str) -> None:
    assert states(GRAFANA, [6, "error"], on_error=setting)[1] == expected


def test_fired_instance_is_known_as_resolved() -> None:
    machine = RuleStates(GRAFANA)
    machine.update(0, outcome(6))
    machine.update(MINUTE_NS, outcome(1))
    (instance,) = machine.instances
    assert (instance.state, instance.has_fired) == ("inactive", True)


def test_state_knows_since_when() -> None:
    machine = RuleStates(GRAFANA)
    for minute in range(3):
        machine.update(minute * MINUTE_NS, outcome(6))
    assert machine.instances[0].since_ns == 0
