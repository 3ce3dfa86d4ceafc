"""What values become in the rendered chart, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.chart.helming import CHART, container, given, profile, read, variables, workloads

if TYPE_CHECKING:
    from tests.chart.helming import Helm


def named(helm: Helm, release: str, namespace: str, *arguments: str) -> list[dict[str, Any]]:
    """The chart rendered under another name."""
    return read(helm.check("template", release, str(CHART), f"--namespace={namespace}", *arguments))


def test_each_release_is_a_ring_of_its_own(helm: Helm) -> None:
    """Replicas gossip with those of their own release and namespace, however these are called."""
    ha = (profile("ha"), *given({"monitoring.enabled": False}))
    places = [("lokikit", "logs"), ("a", "logs"), ("lokikit", "logs-a")]
    found = [workloads(named(helm, *place, *ha))["loki"] for place in places]
    rings = {variables(container(one))["LOKI_RING"] for one in found}
    assert rings == {"logs/lokikit", "logs/a-lokikit", "logs-a/lokikit"}


@pytest.mark.parametrize(
    ("limit", "share"),
    [
        ("4Gi", "3686MiB"),
        ("1.5Gi", "1382MiB"),
        ("512Mi", "460MiB"),
        ("1048576Ki", "921MiB"),
        ("0.01Ti", "9437MiB"),
        ("2G", "1716MiB"),
        ("2000M", "1716MiB"),
        ("2000000k", "1716MiB"),
        ("0.002T", "1716MiB"),
        ("2e9", "1716MiB"),
        ("1000000000", "858MiB"),
        (2000000000, "1716MiB"),
        (None, None),
    ],
)
def test_go_keeps_within_its_memory(helm: Helm, limit: str | int, share: str | None) -> None:
    """Loki collects at nine tenths of its limit, in whatever unit it is given."""
    resources = helm.render(*given({"loki.resources.limits.memory": limit}))
    assert variables(container(workloads(resources)["loki"])).get("GOMEMLIMIT") == share


@pytest.mark.parametrize("path", ["resources", "resources.limits", "resources.requests"])
@pytest.mark.parametrize("component", ["loki", "agent", "grafana"])
def test_no_resources(helm: Helm, component: str, path: str) -> None:
    """Requests and limits are the user's to take away, by null as Helm has it."""
    made = workloads(helm.render(*given({f"{component}.{path}": None})))[component]
    left = {"resources": set(), "resources.limits": {"requests"}, "resources.requests": {"limits"}}
    assert set(container(made)["resources"] or ()) == left[path]


def test_lists_and_mappings_may_be_null(helm: Helm) -> None:
    """What holds the user's own alone is empty when it is null."""
    own = ["imagePullSecrets", "tenants.grafana", "agent.tolerations", "grafana.nodeSelector"]
    assert workloads(helm.render(*given(dict.fromkeys(own)))) == workloads(helm.render())


@pytest.mark.parametrize("kept", ["24h", "1d", "2w", "720h"])
def test_retention_in_each_unit(helm: Helm, kept: str) -> None:
    """A day or more of retention comes to Loki as it is written."""
    loki = workloads(helm.render(*given({"retention": kept})))["loki"]
    assert variables(container(loki))["LOKI_RETENTION"] == kept
