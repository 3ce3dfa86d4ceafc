from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lokikit.errors import SettingsError
from lokikit.monitoring.rule_files import parse_rules, read_rule_file
from lokikit.stack.kit_files import kit_root
from lokikit.times import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
RULER = """
groups:
  - name: shop
    interval: 30s
    rules:
      - alert: ManyErrors
        expr: sum by (app) (count_over_time({app="shop"} |= "error" [5m])) > 5
        for: 2m
        keep_firing_for: 1h
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.app }}"}
"""
GRAFANA: dict[str, Any] = {
    "uid": "many",
    "title": "Many errors",
    "condition": "C",
    "for": "5m",
    "keepFiringFor": "10m",
    "data": [
        {
            "refId": "A",
            "relativeTimeRange": {"from": 600, "to": 0},
            "model": {"expr": 'rate({a="$$b"}[5m])', "queryType": "range", "intervalMs": 15000},
        },
        {"refId": "B", "model": {"type": "reduce", "expression": "A", "reducer": "max"}},
        {
            "refId": "C",
            "model": {
                "type": "threshold",
                "expression": "B",
                "conditions": [{"evaluator": {"type": "outside_range", "params": [1, 2]}}],
            },
        },
    ],
}


def grafana(**changes: Any) -> str:
    """A provisioning file of one rule."""
    rule = {**copy.deepcopy(GRAFANA), **changes}
    return yaml.safe_dump(
        {"groups": [{"name": "g", "folder": "f", "interval": "1m", "rules": [rule]}]}
    )


def test_rule_of_loki() -> None:
    (rule,) = parse_rules(RULER, "rules.yaml")
    assert (rule.title, rule.engine, rule.severity) == ("ManyErrors", "loki", "critical")
    assert (rule.interval_ns, rule.for_ns) == (30 * NS_PER_S, 2 * MINUTE_NS)
    assert rule.keep_firing_for_ns == 60 * MINUTE_NS
    assert rule.is_breached(0)


def test_rule_of_grafana() -> None:
    (rule,) = parse_rules(grafana(), "rules.yaml")
    assert rule.query == 'rate({a="$b"}[5m])'
    assert (rule.for_ns, rule.keep_firing_for_ns) == (5 * MINUTE_NS, 10 * MINUTE_NS)
    assert (rule.no_data, rule.on_error) == ("NoData", "Error")
    assert [rule.is_breached(value) for value in (0.5, 1, 2, 2.5)] == [True, False, False, True]
    assert rule.limit == "outside 1 and 2"


def test_range_query_is_reduced() -> None:
    (rule,) = parse_rules(grafana(), "rules.yaml")
    assert rule.span
    assert (rule.span.from_ns, rule.span.to_ns) == (10 * MINUTE_NS, 0)
    assert (rule.span.step_ns, rule.span.reducer) == (15 * NS_PER_S, "max")


def test_alert_carries_the_labels_of_its_rule() -> None:
    (rule,) = parse_rules(grafana(labels={"team": "a"}), "rules.yaml")
    assert rule.alert_labels({"app": "shop"}) == {
        "app": "shop",
        "team": "a",
        "alertname": "Many errors",
        "grafana_folder": "f",
    }


def test_kit_has_twelve_rules() -> None:
    rules = read_rule_file(kit_root() / "grafana/provisioning/alerting/rules.yaml")
    assert len({rule.uid for rule in rules}) == 12
    assert {rule.interval_ns for rule in rules} == {MINUTE_NS, 5 * MINUTE_NS}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("groups: [", "no YAML"),
        (RULER.replace("alert:", "record:"), "recording rules are not evaluated"),
        (RULER.replace("expr:", "query:"), "'expr' is missing"),
        (RULER.replace("2m", "soon"), "'soon' is no duration"),
        (grafana(noDataState="Perhaps"), "noDataState 'Perhaps' is unknown"),
        (grafana(condition="X"), "refId 'X'"),
        (
            grafana(data=[{"refId": "C", "model": {"type": "math", "expression": "$A > 1"}}]),
            "'math'",
        ),
        (
            grafana(data=[{"refId": "C", "model": {"type": "reduce", "expression": "C"}}]),
            "circle",
        ),
    ],
)
def test_refusal_names_what_is_wrong(text: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        list(parse_rules(text, "rules.yaml"))


def test_refusal_names_file_group_and_rule() -> None:
    with pytest.raises(SettingsError, match=r"rules.yaml, group 'g', rule 1 \(Many errors\): "):
        list(parse_rules(grafana(condition="X"), "rules.yaml"))


def test_missing_file_is_named() -> None:
    with pytest.raises(SettingsError, match=r"nowhere.yaml: No such file"):
        read_rule_file(Path("nowhere.yaml"))
