"""What values become in the rendered chart, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.chart.helming import CHART, config, container, given, profile, read, variables, workloads

if TYPE_CHECKING:
    from tests.chart.helming import Helm

COMPONENTS = ("loki", "agent", "grafana")


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
def test_loki_keeps_within_its_memory(helm: Helm, limit: str | int, share: str | None) -> None:
    """It collects at nine tenths of its limit, in whatever unit that is, and replays in half."""
    resources = helm.render(*given({"loki.resources.limits.memory": limit}))
    content = variables(container(workloads(resources)["loki"]))
    assert content.get("GOMEMLIMIT") == share
    half = int(share.removesuffix("MiB")) * 5 // 9 if share else None
    replay = content.get("LOKI_REPLAY_MEMORY")
    assert replay in ({f"{half}MB", f"{half + 1}MB"} if half else {None})


@pytest.mark.parametrize(("path", "left"), [("resources", []), ("resources.limits", ["requests"])])
def test_no_resources(helm: Helm, path: str, left: list[str]) -> None:
    """Requests and limits are the user's to take away, by null as Helm has it."""
    made = workloads(helm.render(*given({f"{one}.{path}": None for one in COMPONENTS})))
    assert [list(container(made[one])["resources"] or ()) for one in COMPONENTS] == [left] * 3


def test_lists_and_mappings_may_be_null(helm: Helm) -> None:
    """What holds the user's own alone is empty when it is null."""
    own = ["imagePullSecrets", "tenants.grafana", "agent.tolerations", "grafana.podLabels"]
    assert workloads(helm.render(*given(dict.fromkeys(own)))) == workloads(helm.render())


@pytest.mark.parametrize("kept", ["24h", "1d", "1w"])
def test_retention_in_each_unit(helm: Helm, kept: str) -> None:
    """A day or more of retention comes to Loki as it is written."""
    loki = workloads(helm.render(*given({"retention": kept})))["loki"]
    assert variables(container(loki))["LOKI_RETENTION"] == kept


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({"registry": "mirror.example/"}, "mirror.example/grafana/loki:3"),
        ({"loki.image.tag": "3"}, "docker.io/grafana/loki:3"),
        ({"loki.image.tag": "sha256:ab"}, "docker.io/grafana/loki@sha256:ab"),
        ({"loki.image.tag": "3@sha256:ab"}, "docker.io/grafana/loki:3@sha256:ab"),
    ],
)
def test_name_of_an_image(helm: Helm, values: dict[str, str], image: str) -> None:
    """A registry with a slash, and a tag that is a digest, become the name that runtimes read."""
    values = {"loki.image.tag": "3", **values}
    assert container(workloads(helm.render(*given(values)))["loki"])["image"] == image


WORDS = {
    "imagePullSecrets": ["1"],
    "loki.persistence.storageClass": "2",
    "loki.priorityClassName": "yes",
    "grafana.persistence.storageClass": "3e1",
    "grafana.existingSecret": "4",
    "grafana.environmentSecret": "null",
    "grafana.contactsSecret": "6",
    "grafana.ingress": {"enabled": True, "className": "7", "host": "*.example", "tlsSecret": "no"},
    "loki.mode": "ha",
    "loki.s3": {"endpoint": "9", "bucket": "10", "existingSecret": "11"},
    "monitoring": {"enabled": True, "namespace": "12"},
    "cluster": "13",
}


def strings(value: Any) -> set[str]:
    """Every string in what was rendered."""
    if isinstance(value, dict):
        return strings(list(value.values()))
    if isinstance(value, list):
        return {one for below in value for one in strings(below)}
    return {value} if isinstance(value, str) else set()


def test_words_that_yaml_reads_otherwise(helm: Helm) -> None:
    """Names stay strings where YAML sees a number, a boolean, nothing or an alias."""
    apis = ("--api-versions=monitoring.coreos.com/v1",)
    made = named(helm, "true", "2024", *apis, *given(WORDS))
    wanted = {"1", "2", "yes", "3e1", "4", "null", "6", "7", "*.example", "no"}
    assert wanted | {"9", "10", "11", "12", "13", "2024"} <= strings(made)
    for one in made:
        assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "true"


INGRESS = {"enabled": True, "host": "logs.example"}
ROUTE = {"enabled": True, "hostnames": ["a.example", "b.example"], "parentRefs": [{"name": "a"}]}


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, None),
        ({"ingress": INGRESS}, "http://logs.example/"),
        ({"ingress": {**INGRESS, "tlsSecret": "tls"}}, "https://logs.example/"),
        ({"ingress": {**INGRESS, "host": "*.example"}}, None),
        ({"ingress": {"host": "logs.example"}}, None),
        ({"httpRoute": ROUTE}, "https://a.example/"),
        ({"httpRoute": {**ROUTE, "hostnames": []}}, None),
        ({"httpRoute": ROUTE, "url": "https://c.example/"}, "https://c.example/"),
    ],
)
def test_address_of_grafana(helm: Helm, values: dict[str, Any], url: str | None) -> None:
    """Links in alerts lead where its way in does, unless the address is told."""
    resources = helm.render(*given({f"grafana.{key}": value for key, value in values.items()}))
    result = config(resources, "lokikit-grafana-environment")
    assert result.get("GF_SERVER_ROOT_URL") == url
