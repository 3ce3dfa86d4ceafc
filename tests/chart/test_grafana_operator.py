"""Dashboards, data source and rules as resources of grafana-operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.cluster import PRIVILEGED
from tests.chart.helming import given, of_kind

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from tests.chart.cluster import Cluster
    from tests.chart.helming import Helm

OPERATOR = {"grafana.enabled": False, "grafana.forYours.kind": "operator"}
EXTERNAL = {"loki.mode": "external", "loki.external.url": "https://loki.example"}
CASES: dict[str, dict[str, Any]] = {
    "single": {},
    "tenants": {"tenants": {"byNamespace": True, "grafana": ["shop", "till"]}},
    "basic": {**EXTERNAL, "loki.external.auth": "basic", "loki.external.existingSecret": "a"},
    "bearer": {**EXTERNAL, "loki.external.auth": "bearer", "loki.external.existingSecret": "a"},
    "certificates": {
        **EXTERNAL,
        "loki.external.caCertificate": "PEM",
        "loki.external.clientCertificateSecret": "a",
    },
}


def made(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is the operator's."""
    return [one for one in resources if one["apiVersion"].startswith("grafana.integreatly.org/")]


def test_for_grafana_operator(helm: Helm) -> None:
    """All that the kit's own Grafana has, each for the instances of the selector."""
    resources = made(helm.render(*given(OPERATOR)))
    for one in resources:
        assert one["spec"]["instanceSelector"] == {"matchLabels": {"dashboards": "grafana"}}
    kinds = [one["kind"] for one in resources]
    assert kinds.count("GrafanaDashboard") == 5
    assert {"GrafanaFolder", "GrafanaDatasource", "GrafanaAlertRuleGroup"} <= set(kinds)
    groups = of_kind(resources, "GrafanaAlertRuleGroup")
    rules = {rule["uid"] for one in groups for rule in one["spec"]["rules"]}
    wanted = yaml.safe_load((kit_root() / "grafana/provisioning/alerting/rules.yaml").read_text())
    assert rules == {rule["uid"] for group in wanted["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("case", CASES)
def test_the_operator_s_definitions_take_them(
    cluster: Cluster, installing: Helm, case: str
) -> None:
    """Each is valid strictly: no field is unknown, none is missing, and its own rules hold."""
    namespace = cluster.namespace(PRIVILEGED)
    resources = installing.render(*given({**OPERATOR, **CASES[case]}), f"--namespace={namespace}")
    assert made(resources)
    said = [cluster.validate(one, namespace) for one in made(resources)]
    assert [one for one in said if one] == []
