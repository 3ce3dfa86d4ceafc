"""Values that cannot work: each is refused with what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.chart.helming import CHART, given

if TYPE_CHECKING:
    from tests.chart.helming import Helm

EXTERNAL = {"loki.mode": "external", "loki.external.url": "https://loki.example"}
HA = {"loki.mode": "ha", "loki.s3.endpoint": "s3.example", "loki.s3.bucket": "loki"}

IMPOSSIBLE = [
    ({"loki.mode": "external"}, "set loki.external.url"),
    ({"loki.external.url": "http://loki:3100"}, "set loki.mode=external, or leave the url out"),
    ({"loki.external.tenant": "a"}, "set loki.mode=external, or leave the tenant out"),
    ({"loki.external.caCertificate": "x"}, "or leave the caCertificate out"),
    ({"loki.external.auth": "basic"}, "set loki.mode=external, or leave the auth out"),
    (
        {**HA, "loki.external.auth": "basic", "loki.external.existingSecret": "x"},
        "set loki.mode=external, or leave the existingSecret out",
    ),
    *(
        (
            {"loki.mode": "external", "loki.external.url": url},
            "write scheme, host and port, with a path",
        )
        for url in ("loki.example/prefix", "http://a/b?c", "https://user@host", "http://a b")
    ),
    ({**HA, "loki.s3.endpoint": "http://s3.example"}, "and loki.s3.insecure=true for plain HTTP"),
    ({"loki.mode": "ha"}, "set loki.s3.endpoint and loki.s3.bucket"),
    ({"loki.s3.bucket": "loki"}, "loki.objectStore=s3, or leave the bucket out"),
    ({**HA, "loki.persistence.enabled": False}, "leave loki.persistence.enabled on"),
    ({**EXTERNAL, "loki.external.auth": "basic"}, "loki.external.existingSecret to the secret"),
    ({**EXTERNAL, "loki.external.existingSecret": "x"}, "set it to basic or bearer"),
    (
        {**EXTERNAL, "loki.external.url": "http://loki", "loki.external.caCertificate": "x"},
        "give loki.external.url with https://",
    ),
    ({"tenants.byNamespace": True}, "list namespaces in tenants.grafana"),
    ({"tenants.grafana": ["a"]}, "set tenants.byNamespace=true"),
    (
        {**EXTERNAL, "tenants.byNamespace": True, "loki.external.tenant": "a"},
        "leave loki.external.tenant out",
    ),
    ({"grafana.ingress.enabled": True}, "set grafana.ingress.host"),
    ({"grafana.httpRoute.enabled": True}, "set grafana.httpRoute.parentRefs"),
    (
        {"grafana.enabled": False, "grafana.ingress.enabled": True},
        "set grafana.enabled=true, or the way off",
    ),
    ({"monitoring.enabled": True}, "install it, or set monitoring.enabled=false"),
    (
        {"grafana.httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]}},
        "install it, or use grafana.ingress",
    ),
    ({"loki.resources.limits.memory": "2GB"}, 'limits.memory is "2GB", which is no size'),
    ({"loki.persistence.size": "big"}, 'loki.persistence.size is "big", which is no size'),
    ({"grafana.persistence.size": "1 Gi"}, 'grafana.persistence.size is "1 Gi", which is no'),
    ({"agent.storageLimit": "5Gi"}, "which is not Fluent Bit's form: write 5G."),
    ({"agent.storageLimit": "a lot"}, "write a whole number with K, M or G, such as 5G"),
    ({"loki.s3.endpoint": "s3.example"}, "loki.objectStore=s3, or leave the endpoint out"),
    ({"loki.s3.existingSecret": "a"}, "loki.objectStore=s3, or leave the existingSecret out"),
    ({**HA, "loki.gcs.bucket": "a"}, "loki.objectStore=gcs, or leave the bucket out"),
    ({"loki.mode": "ha", "loki.objectStore": "gcs"}, "set loki.gcs.bucket"),
    ({"loki.mode": "ha", "loki.objectStore": "azure"}, "loki.azure.account and loki.azure.cont"),
    ({**HA, "loki.s3.sse.type": "SSE-KMS"}, "set loki.s3.sse.kmsKeyId"),
    ({**HA, "loki.persistence.existingClaim": "a"}, "leave the claim out"),
    ({"loki.ingress.enabled": True}, "set loki.ingress.host"),
    ({**EXTERNAL, "loki.ingress.enabled": True}, "set loki.ingress.enabled=false"),
    ({"agent.serviceAccount.create": False}, "set agent.serviceAccount.name to the account"),
    ({"agent.hostPath": "/var/../etc"}, "write a folder of the node from its root on"),
    ({"agent.podLogs": "/var/log//pods"}, "such as /var/log/pods"),
    ({"agent.podLogs": "/var/log/*"}, "such as /var/log/pods"),
    ({"grafana.url": "grafana.example"}, "write it with its scheme"),
    ({"grafana.url": "https://grafana.example/?a"}, "write it with its scheme"),
    ({"grafana.forYours.kind": "sidecar"}, "set one of them off"),
    (
        {"grafana.enabled": False, "grafana.forYours.kind": "operator"},
        "install it, or set grafana.forYours.kind=sidecar",
    ),
    ({"openshift": True}, "set openshift=false"),
    ({**EXTERNAL, "loki.external.caCertificate": "a", "loki.external.caSecret": "b"}, "leave one"),
    (
        {**EXTERNAL, "loki.external.url": "http://a", "loki.external.clientCertificateSecret": "c"},
        "give loki.external.url with https://",
    ),
    (
        {
            **EXTERNAL,
            "loki.external.clientCertificateSecret": "c",
            "canary": {"enabled": True, "image": {"registry": "a.example"}},
        },
        "set canary.enabled=false",
    ),
    ({"retention": "0h"}, "write hours, days or weeks from 24h on"),
    ({"retention": "23h"}, "write hours, days or weeks from 24h on"),
    ({"retention": "0w"}, "write hours, days or weeks from 24h on"),
    ({"retention": "1d12h"}, "write hours, days or weeks from 24h on"),
    ({"retention": "a week"}, "write hours, days or weeks from 24h on"),
]
UNKNOWN = [
    ({"lokki": {}}, "lokki"),
    ({"loki.replicas": 3}, "replicas"),
    ({"loki.mode": "simple-scalable"}, "single"),
    ({"agent.image.tag": 5}, "tag"),
    ({"grafana.httpRoute.parentRefs": [{"namespace": "a"}]}, "name"),
    ({"loki.image": None}, "missing property 'image'"),
    ({"loki.persistence": None}, "missing property 'persistence'"),
    ({"loki.persistence.size": None}, "missing property 'size'"),
    ({"grafana": None}, "missing property 'grafana'"),
    ({"monitoring": None}, "missing property 'monitoring'"),
    ({"loki.image.repository": ""}, "minLength"),
    ({"agent.image.repository": ""}, "minLength"),
    ({"grafana.image.repository": ""}, "minLength"),
    ({"canary.image.repository": ""}, "minLength"),
]


@pytest.mark.parametrize(("values", "fix"), IMPOSSIBLE, ids=lambda one: str(one)[:60])
def test_impossible_combination(helm: Helm, values: dict[str, Any], fix: str) -> None:
    """What contradicts itself is one sentence that names the fix."""
    said = helm.refusal(values)
    assert fix in said
    assert "nil pointer" not in said


@pytest.mark.parametrize(("values", "named"), UNKNOWN, ids=lambda one: str(one)[:60])
def test_schema(helm: Helm, values: dict[str, Any], named: str) -> None:
    """A key that there is not, or a value of the wrong form, is named."""
    said = helm.refusal(values)
    assert "values don't meet the specifications of the schema" in said
    assert named in said


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("x" * 41, "longer than 40 characters: choose a shorter one"),
        ("7logs", "choose one of letters, digits and dashes that begins with a letter"),
        ("my.release", "choose one of letters, digits and dashes that begins with a letter"),
    ],
)
def test_release_name(helm: Helm, name: str, fix: str) -> None:
    """A name that would not fit into the names of resources is refused."""
    assert fix in helm.run("template", name, str(CHART), *given({})).stderr
