"""What values become in the rendered chart, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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
