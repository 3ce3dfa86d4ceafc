from __future__ import annotations

import dataclasses

import pytest
from tests.unit.alerts.watching import RULE, SHOP, START_NS

from lokikit.alerts.alert import alert_of, fingerprint
from lokikit.monitoring.rule_states import Instance

PAGE = "http://page:3300"
LINKED = {**RULE.annotations, "__dashboardUid__": "lokikit-service", "runbook": "r.md#many"}


def instance(**fields: object) -> Instance:
    """A series of the shop that fires."""
    return dataclasses.replace(Instance(SHOP, "firing", 9.5, START_NS), **fields)


def test_summary_has_the_labels_and_the_value() -> None:
    assert alert_of(RULE, instance()).summary == "shop has 9.5"


def test_value_stands_beside_its_threshold() -> None:
    assert alert_of(RULE, instance()).value == "9.5; a breach is > 5"


def test_links_lead_to_dashboard_and_runbook_of_the_page() -> None:
    alert = alert_of(dataclasses.replace(RULE, annotations=LINKED), instance(), PAGE)
    assert alert.page == f"{PAGE}/d/lokikit-service?var-service=shop&from=now-1h&to=now"
    assert alert.runbook == f"{PAGE}/runbook#many"


def test_service_with_any_name_is_one_value_of_the_link() -> None:
    rule = dataclasses.replace(RULE, annotations=LINKED)
    alert = alert_of(rule, instance(labels={"service_name": "a&b=c d/#?"}), PAGE)
    assert "var-service=a%26b%3Dc%20d%2F%23%3F&" in alert.page


@pytest.mark.parametrize("name", ["runbook", "runbook_url"])
def test_link_of_the_rule_itself_stays(name: str) -> None:
    rule = dataclasses.replace(RULE, annotations={name: "https://wiki/x"})
    assert alert_of(rule, instance(), PAGE).runbook == "https://wiki/x"


def test_path_of_a_runbook_stays_without_a_page() -> None:
    rule = dataclasses.replace(RULE, annotations=LINKED)
    assert alert_of(rule, instance()).runbook == "r.md#many"


@pytest.mark.parametrize(
    ("reason", "error", "summary"),
    [
        ("NoData", "", "Many: no data at all"),
        ("Error", "no answer", "Many: Loki cannot be asked (no answer)"),
    ],
)
def test_alert_without_a_series_says_why(reason: str, error: str, summary: str) -> None:
    found = alert_of(RULE, instance(labels={}, value=None, reason=reason), error=error)
    assert found.summary == summary
    assert found.value == "none; a breach is > 5"


def test_fingerprint_is_that_of_the_labels_in_any_order() -> None:
    assert fingerprint("u", {"a": "1", "b": "2"}) == fingerprint("u", {"b": "2", "a": "1"})
    assert fingerprint("u", {"a": "1"}) != fingerprint("v", {"a": "1"})
    assert fingerprint("u", {"a": "1"}) != fingerprint("u", {"a": "2"})
