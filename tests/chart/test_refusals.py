"""Values that cannot work: each is refused with what is wrong."""

from __future__ import annotations

import re
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
    ({"grafana.url": "a: b\nc", "monitoring.enabled": True}, "write it with its scheme"),
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
LONG = "x" * 300
FORMS = [
    ({"fullnameOverride": "Logs"}, 'fullnameOverride has "Logs": write small letters'),
    ({"fullnameOverride": LONG}, "40 at most"),
    ({"namespaceOverride": "grüße"}, "write the name of a namespace"),
    ({"networkPolicy.clientNamespaces": ["a", ""]}, 'networkPolicy.clientNamespaces has ""'),
    ({"commonLabels": {"a b": "c"}}, 'commonLabels has "a b": write a key'),
    ({"commonLabels": {"a/b/c": "c"}}, 'commonLabels has "a/b/c": write a key'),
    ({"loki.podLabels": {"a": LONG}}, "loki.podLabels.a has"),
    ({"agent.nodeSelector": {"a": "b c"}}, 'agent.nodeSelector.a has "b c"'),
    ({"grafana.service.annotations": {"": "a"}}, 'grafana.service.annotations has "": write a key'),
    ({"agent.resources.requests": {"cpu": "a lot"}}, 'agent.resources.requests.cpu has "a lot"'),
    ({"agent.resources.limits": {"gpu": 1}}, "write a resource by its name"),
    ({"imagePullSecrets": ["A"]}, 'imagePullSecrets has "A"'),
    ({"imagePullSecrets": [{"name": "A"}]}, 'imagePullSecrets has "A"'),
    ({"grafana.existingSecret": "a_b"}, 'grafana.existingSecret has "a_b"'),
    ({"loki.persistence.storageClass": "a b"}, "the name of a storage class"),
    ({"loki.serviceAccount.name": "a.-b"}, 'loki.serviceAccount.name has "a.-b"'),
    ({"grafana.ingress": {"enabled": True, "host": "https://a"}}, "write a host name"),
    ({"grafana.httpRoute": {"hostnames": ["a b"]}}, 'grafana.httpRoute.hostnames has "a b"'),
    ({"registry": "https://mirror.example"}, "write a host, with a port and a path"),
    ({"agent.image.repository": "Fluent"}, "the name of an image"),
    ({"agent.image.tag": "5 1"}, 'agent.image.tag has "5 1": write a version'),
    ({"listen": "localhost"}, "write an address"),
    ({"cluster": "a, b"}, 'cluster has "a, b": write a word'),
    ({**HA, "loki.s3.bucket": 'a"'}, "loki.s3.bucket has"),
    ({**HA, "loki.s3.accessKeyIdKey": "a/b"}, "loki.s3.accessKeyIdKey has"),
    ({**EXTERNAL, "loki.external.tenant": "a b"}, 'loki.external.tenant has "a b"'),
]
"""Texts that Kubernetes, Loki or Fluent Bit would refuse later, in their own words."""
UNKNOWN = [
    ({"lokki": {}}, "lokki"),
    ({"loki.replicas": 3}, "replicas"),
    ({"loki.mode": "simple-scalable"}, "single"),
    ({"agent.image.tag": 5}, "tag"),
    ({"grafana.httpRoute.parentRefs": [{"namespace": "a"}]}, "name"),
    ({"grafana.extraDashboards": {"mine": "{}"}}, "'mine' does not match"),
    ({"agent.extraInputs": {f"{'a' * 300}.yaml": ""}}, "does not match pattern"),
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
    result = helm.refusal(values)
    assert fix in result
    assert "nil pointer" not in result


@pytest.mark.parametrize(("values", "fix"), FORMS, ids=lambda one: str(one)[:60])
def test_form(helm: Helm, values: dict[str, Any], fix: str) -> None:
    """A text of another form is named with its path, and with what to write."""
    result = helm.refusal(values)
    assert re.search(r"Error: execution error at \(lokikit/[^ ]+\): \S+ has \".*\": write ", result)
    assert fix in result


def test_texts_of_every_form(helm: Helm) -> None:
    """What Kubernetes takes passes: long names, slashes, dots, stars and units."""
    key = f"vendor.example/{'a' * 63}"
    values = {
        "commonLabels": {key: "A_b.c", "empty": ""},
        "agent.resources": {"limits": {"vendor.example/gpu": 1, "memory": "1e9", "cpu": "0.5"}},
        "grafana.ingress": {"enabled": True, "host": "*.logs.example"},
        "grafana.priorityClassName": "a.b-c",
        "loki.podAnnotations": {key: "any text: at all\n"},
        "registry": "registry.example:5000/mirror/",
        "listen": "::ffff:10.0.0.1",
        "cluster": "größe/1",
    }
    assert helm.render(*given(values))


@pytest.mark.parametrize(("values", "named"), UNKNOWN, ids=lambda one: str(one)[:60])
def test_schema(helm: Helm, values: dict[str, Any], named: str) -> None:
    """A key that there is not, or a value of the wrong form, is named."""
    result = helm.refusal(values)
    assert "values don't meet the specifications of the schema" in result
    assert named in result


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
