"""The chart on a real API server: checked strictly, installed, upgraded, rolled back, removed."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.cluster import PRIVILEGED, RESTRICTED
from tests.chart.helming import CHART, PROFILES, RELEASE, given, profile, workloads
from tests.waiting import eventually

if TYPE_CHECKING:
    from tests.chart.cluster import Cluster
    from tests.chart.helming import Helm

STATEFUL_SET = {"apiVersion": "apps/v1", "kind": "StatefulSet"}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}
DAEMON_SET = {"apiVersion": "apps/v1", "kind": "DaemonSet"}
SECRET = {"apiVersion": "v1", "kind": "Secret"}
CLAIM = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
AGENT = "agent"
CLASS = {"grafana.persistence.storageClass": "a"}
FORBIDDEN = {"restricted volume types", "runAsNonRoot != true", "runAsUser=0"}
"""All that Pod Security `restricted` has against the agent."""

PARTS = {"default", "external", "ha"}
"""Profiles that differ in their parts; of the others a life is in `make soak`."""


def pods_of(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Component -> a pod as its workload would make it; that of `helm test` too."""
    (found,) = (one for one in resources if one["kind"] == "Pod")
    pods = {"test": found}
    for component, one in workloads(resources).items():
        template = one["spec"]["template"]
        labels = template["metadata"]["labels"]
        pods[component] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": component, "labels": labels},
            # Nothing is installed: neither its account nor its claims are there.
            "spec": {
                **template["spec"],
                "serviceAccountName": "default",
                "volumes": [*template["spec"]["volumes"], *claimed(one)],
            },
        }
    return pods


def claimed(workload: dict[str, Any]) -> list[dict[str, Any]]:
    """Volumes in place of those that a StatefulSet would claim."""
    claims = workload["spec"].get("volumeClaimTemplates", ())
    return [{"name": one["metadata"]["name"], "emptyDir": {}} for one in claims]


@pytest.mark.parametrize("name", PROFILES)
def test_every_resource_is_valid(cluster: Cluster, installing: Helm, name: str) -> None:
    """The API server takes each resource strictly: no unknown field, no wrong value."""
    namespace = cluster.namespace(PRIVILEGED)
    resources = installing.render(profile(name), f"--namespace={namespace}")
    assert resources
    wrong = [cluster.validate(one, namespace) for one in resources]
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("name", PROFILES)
def test_pod_security(cluster: Cluster, installing: Helm, name: str) -> None:
    """`restricted` takes every pod but the agent's, and of that it minds only the host's files."""
    namespace = cluster.namespace(RESTRICTED)
    pods = pods_of(installing.render(profile(name), f"--namespace={namespace}"))
    values = {component: cluster.validate(pod, namespace) for component, pod in pods.items()}
    against_agent = values.pop(AGENT)
    assert set(values.values()) == {""}
    forbidden = FORBIDDEN | ({"seLinuxOptions"} if name == "openshift" else set())
    assert set(re.findall("|".join(forbidden), against_agent)) == forbidden
    assert len(re.findall(r"[,:] \S[^(,]* \(", against_agent)) == len(forbidden), against_agent


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one in PARTS else pytest.mark.soak) for one in PROFILES],
)
def test_life_of_a_release(cluster: Cluster, installing: Helm, name: str) -> None:
    """Install, upgrade, roll back and uninstall succeed; an upgrade rolls the pods it must."""
    namespace = cluster.namespace(PRIVILEGED)
    here = f"--namespace={namespace}"
    installing.check("install", RELEASE, str(CHART), here, profile(name))
    made = eventually(lambda: all_pods(cluster, namespace), within_s=120)
    changed = given({"cluster": "other", "retention": "240h"})
    installing.check("upgrade", RELEASE, str(CHART), here, profile(name), *changed)
    values = yaml.safe_load((CHART / "ci" / f"{name}.yaml").read_text()) or {}
    events = values.get("events", {}).get("enabled", False)
    rolled = {AGENT, *({"loki"} if name != "external" else ()), *({"events"} if events else ())}
    eventually(lambda: rolled <= different(made, pods(cluster, namespace)), within_s=120)
    assert different(made, pods(cluster, namespace)) == rolled
    installing.check("rollback", RELEASE, "1", here)
    eventually(lambda: pods(cluster, namespace) == made, within_s=120)
    installing.check("uninstall", RELEASE, here)
    kept = {one["metadata"]["name"] for one in cluster.all(CLAIM, namespace)}
    assert kept == wanted_claims(name)


def pods(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Component -> what the template of its pods is, by its hash."""
    hashes = ("pod-template-hash", "controller-revision-hash")
    found = {}
    for one in cluster.pods(namespace).values():
        labels = one["metadata"]["labels"]
        (found[labels["app.kubernetes.io/component"]],) = (
            labels[key] for key in hashes if key in labels
        )
    return found


def all_pods(cluster: Cluster, namespace: str) -> dict[str, str] | None:
    """Likewise, once each workload has made its pods."""
    kinds = (STATEFUL_SET, DAEMON_SET, DEPLOYMENT)
    found = [one for kind in kinds for one in cluster.all(kind, namespace)]
    made = pods(cluster, namespace)
    return made if len(made) == len(found) else None


def different(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The components whose pods are of another template, and there."""
    return {key for key, value in after.items() if before.get(key) != value}


def wanted_claims(name: str) -> set[str]:
    """The volumes that are left when a profile is uninstalled."""
    values = yaml.safe_load((CHART / "ci" / f"{name}.yaml").read_text()) or {}
    if name == "minimal":
        return set()
    replicas = {"external": 0, "ha": 3}.get(name, 1)
    grafana = values.get("grafana", {}).get("enabled", True)
    prefix = values.get("fullnameOverride", RELEASE)
    data = {f"data-{prefix}-loki-{number}" for number in range(replicas)}
    return data | ({f"{prefix}-grafana"} if grafana else set())


def test_from_one_replica_to_three(cluster: Cluster, installing: Helm) -> None:
    """An upgrade from `single` to `ha` and back touches nothing that cannot change."""
    namespace = cluster.namespace(PRIVILEGED)
    here = f"--namespace={namespace}"
    installing.check("install", RELEASE, str(CHART), here)
    s3 = given({"loki.mode": "ha", "loki.s3": {"endpoint": "s3.example", "bucket": "loki"}})
    installing.check("upgrade", RELEASE, str(CHART), here, *s3)
    found = cluster.get(STATEFUL_SET, f"{RELEASE}-loki", namespace)
    assert found
    assert found["spec"]["replicas"] == 3
    installing.check("rollback", RELEASE, "1", here)


def test_password_is_made_once(cluster: Cluster, installing: Helm) -> None:
    """It stays through upgrades, and after an uninstall for the next install."""
    namespace = cluster.namespace(PRIVILEGED)
    here = f"--namespace={namespace}"

    def password() -> bytes:
        found = cluster.get(SECRET, f"{RELEASE}-grafana", namespace)
        assert found
        return base64.b64decode(found["data"]["password"])

    installing.check("install", RELEASE, str(CHART), here)
    first = password()
    assert re.fullmatch(rb"[A-Za-z0-9]{32}", first)
    installing.check("upgrade", RELEASE, str(CHART), here, *given({"cluster": "north"}))
    assert password() == first
    installing.check("uninstall", RELEASE, here)
    installing.check("install", RELEASE, str(CHART), here)
    assert password() == first


FIXED = [
    ({"loki.persistence.size": "40Gi"}, "loki.persistence.size cannot change .* set it to 20Gi"),
    ({"loki.persistence.storageClass": "fast"}, "loki.persistence.storageClass cannot change"),
    ({"loki.persistence.enabled": False}, "persistence.enabled cannot change .* set it to true"),
    ({"grafana.persistence.size": "1000M"}, "grafana.persistence.size cannot shrink: .* has 1Gi"),
    ({"grafana.persistence.storageClass": "b"}, 'storageClass cannot change .* set it to "a"'),
]


@pytest.mark.parametrize(("changed", "fix"), FIXED, ids=lambda one: str(one)[:30])
def test_frozen_volume(
    cluster: Cluster, installing: Helm, frozen: str, changed: dict[str, Any], fix: str
) -> None:
    """What a volume cannot change is refused with the fix, before anything is changed."""
    values = given({**CLASS, **changed})
    done = installing.run("upgrade", RELEASE, str(CHART), f"--namespace={frozen}", *values)
    assert done.returncode != 0
    assert re.search(fix, done.stderr), done.stderr
    assert cluster.get(STATEFUL_SET, f"{RELEASE}-loki", frozen)


def test_volume_of_grafana_as_it_is(cluster: Cluster, installing: Helm, frozen: str) -> None:
    """Its class stays when the value is taken away, and a larger size is left to the cluster."""
    here = f"--namespace={frozen}"
    installing.check("upgrade", RELEASE, str(CHART), here)
    found = cluster.get(CLAIM, f"{RELEASE}-grafana", frozen)
    assert found
    assert found["spec"]["storageClassName"] == "a"
    larger = given({**CLASS, "grafana.persistence.size": "2Gi"})
    result = installing.check("upgrade", RELEASE, str(CHART), here, "--dry-run=server", *larger)
    assert 'storage: "2Gi"' in result


@pytest.fixture(scope="module")
def frozen(cluster: Cluster, installing: Helm) -> str:
    """A namespace with a release."""
    namespace = cluster.namespace(PRIVILEGED)
    installing.check("install", RELEASE, str(CHART), f"--namespace={namespace}", *given(CLASS))
    return namespace


def test_a_size_in_other_words(cluster: Cluster, installing: Helm) -> None:
    """What the API server writes otherwise, 1024Gi as 1Ti, is no change."""
    namespace = cluster.namespace(PRIVILEGED)
    sized = given({"loki.persistence.size": "1024Gi"})
    for verb in ("install", "upgrade"):
        installing.check(verb, RELEASE, str(CHART), f"--namespace={namespace}", *sized)


def test_data_goes_where_told(cluster: Cluster, installing: Helm) -> None:
    """With `keep` off, uninstalling leaves neither volume nor password."""
    namespace = cluster.namespace(PRIVILEGED)
    here = f"--namespace={namespace}"
    gone = given({"loki.persistence.keep": False, "grafana.persistence.keep": False})
    installing.check("install", RELEASE, str(CHART), here, *gone)
    found = cluster.get(STATEFUL_SET, f"{RELEASE}-loki", namespace)
    assert found
    policy = found["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert policy == {"whenDeleted": "Delete", "whenScaled": "Retain"}
    installing.check("uninstall", RELEASE, here)
    assert cluster.get(SECRET, f"{RELEASE}-grafana", namespace) is None
    claim = f"{RELEASE}-grafana"
    eventually(lambda: cluster.get(CLAIM, claim, namespace) is None, within_s=60)


def test_two_releases_beside_each_other(cluster: Cluster, installing: Helm) -> None:
    """Releases in one namespace, and of one name in two, share no resource."""
    first, second = cluster.namespace(PRIVILEGED), cluster.namespace(PRIVILEGED)
    for name, namespace in (("a", first), ("b", first), ("a", second)):
        installing.check("install", name, str(CHART), f"--namespace={namespace}")
    names = {one["metadata"]["name"] for one in cluster.all(DAEMON_SET, first)}
    assert names == {"a-lokikit-agent", "b-lokikit-agent"}


RELEASED = sorted((Path(__file__).parent / "released").glob("*.tgz"))
"""The charts that users have installed, as they were published."""


@pytest.mark.parametrize("chart", RELEASED, ids=lambda one: one.stem)
@pytest.mark.parametrize(
    "name", ["default", pytest.param("ha", marks=pytest.mark.soak), "production"]
)
def test_upgrade_from_a_release(cluster: Cluster, installing: Helm, name: str, chart: Path) -> None:
    """What an earlier version installed is upgraded, with its own values, and rolled back."""
    namespace = cluster.namespace(PRIVILEGED)
    here = f"--namespace={namespace}"
    installing.check("install", RELEASE, str(chart), here, profile(name))
    before = eventually(lambda: all_pods(cluster, namespace), within_s=120)
    claims = {one["metadata"]["name"] for one in cluster.all(CLAIM, namespace)}
    installing.check("upgrade", RELEASE, str(CHART), here, "--reset-then-reuse-values")
    eventually(lambda: different(before, pods(cluster, namespace)), within_s=120)
    assert {one["metadata"]["name"] for one in cluster.all(CLAIM, namespace)} == claims
    installing.check("rollback", RELEASE, "1", here)
    eventually(lambda: pods(cluster, namespace) == before, within_s=120)
