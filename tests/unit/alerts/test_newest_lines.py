from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest
from tests.unit.alerts.watching import RULE, SHOP, FakeLoki

from lokikit.alerts.newest_lines import log_query, newest_lines
from lokikit.errors import UnreachableError
from lokikit.monitoring.alert_rules import provisioned_rules
from lokikit.query.results import LogEntry
from lokikit.store.logql.parser import parse_query

if TYPE_CHECKING:
    from lokikit.monitoring.rule_definition import Rule

CASES = {
    'count_over_time({a="b"} |= `[x]` [5m])': '{service_name="shop", env="dev", a="b"} |= `[x]`',
    'sum(count_over_time({a="}[5m]"}[5m]))': '{service_name="shop", env="dev", a="}[5m]"}',
    'quantile_over_time(0.9, {a="b"} | json x | unwrap x | __error__="" [5m]) by (a)': (
        '{service_name="shop", env="dev", a="b"} | json x'
    ),
    "vector(1)": "",
}


@pytest.mark.parametrize(("query", "lines"), CASES.items())
def test_log_query_is_the_first_in_the_metric_query(query: str, lines: str) -> None:
    assert log_query(query, SHOP) == lines


def test_labels_of_no_stream_are_filters() -> None:
    counted = 'sum by (task_name) (count_over_time({a="b"} | json task_name [5m]))'
    query = log_query(counted, {"task_name": 'a"b'})
    assert query == r'{a="b"} | json task_name | task_name="a\"b"'


@pytest.mark.parametrize("rule", provisioned_rules(), ids=lambda rule: rule.uid)
def test_log_query_of_each_rule_is_logql(rule: Rule) -> None:
    labels = {**SHOP, "task_name": "import"} if rule.uid.startswith("task") else SHOP
    assert parse_query(log_query(rule.query, labels))


def test_newest_line_comes_last() -> None:
    loki = FakeLoki()
    loki.entries = [
        LogEntry(number * 10**9, f"line {number}", {}, {"detected_level": "error"})
        for number in (2, 1)
    ]
    assert newest_lines(loki, RULE, SHOP, 10**18) == (  # type: ignore[arg-type]
        "1970-01-01T00:00:01Z error line 1",
        "1970-01-01T00:00:02Z error line 2",
    )


def test_reason_stands_in_place_of_lines_that_cannot_be_had() -> None:
    class Away(FakeLoki):
        def query_range(self, *_: object) -> list[LogEntry]:
            raise UnreachableError("no answer")

    (output,) = newest_lines(Away(), RULE, SHOP, 10**18)  # type: ignore[arg-type]
    assert "no answer" in output


def test_rule_without_lines_has_none() -> None:
    rule = dataclasses.replace(RULE, query="vector(1)")
    assert newest_lines(FakeLoki(), rule, SHOP, 10**18) == ()  # type: ignore[arg-type]
