"""What the chart's pages tell an operator to do, and what it makes for one."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.helming import CHART, RELEASE, given, of_kind, profile, workloads

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from tests.chart.helming import Helm

CANARY = {"canary.enabled": True, "canary.image.registry": "registry.example"}

AGENTS = {"grafana.enabled": False}
TENANTS = {"byNamespace": True, "grafana": ["shop"]}


def page(name: str) -> str:
    """A page of `docs`."""
    return (kit_root() / "docs" / name).read_text()


def clients(resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Which pods may ask the Loki of a release by their label `lokikit/client`."""
    (policy,) = (
        one
        for one in of_kind(resources, "NetworkPolicy")
        if one["metadata"]["name"] == "lokikit-loki"
    )
    peers = policy["spec"]["ingress"][0]["from"]
    label = {"lokikit/client": "true"}
    return [one for one in peers if one.get("podSelector", {}).get("matchLabels") == label]


def upgrade(text: str, word: str) -> list[str]:
    """What the `helm upgrade` of a page that says `word` sets."""
    commands = re.findall(r"^ *helm upgrade ((?:.*\\\n)*.*)", text, re.MULTILINE)
    (command,) = (one for one in commands if word in one)
    lines = shlex.split(command.replace("\\\n", ""))
    return [f"--set={value}" for flag, value in pairwise(lines) if flag == "--set"]


def test_the_way_to_the_canary_leads_one_image(helm: Helm) -> None:
    """Of what the page says to push, one image comes from the registry that it was pushed to."""
    made = workloads(helm.render(*upgrade(page("kubernetes.md"), "canary.enabled=true")))
    images = {
        component: one["spec"]["template"]["spec"]["containers"][0]["image"]
        for component, one in made.items()
    }
    assert images.pop("canary").startswith("registry.example/lokikit:")
    assert len(images) == 3
    assert all(one.startswith("docker.io/") for one in images.values())


def test_no_registry_for_the_canary(helm: Helm) -> None:
    """Its image is in no public registry, so without one of the user's it is refused."""
    assert "set canary.image.registry" in helm.refusal({"canary.enabled": True})


def test_the_way_to_microservices(helm: Helm) -> None:
    """The page's command is taken by a release in `ha`, and leads the agents to the new Loki."""
    command = upgrade(page("growing.md"), "loki.mode=external")
    made = helm.render(profile("ha"), *command)
    assert "StatefulSet" not in {one["kind"] for one in made}
    (agent,) = of_kind(made, "DaemonSet")
    variables = agent["spec"]["template"]["spec"]["containers"][0]["env"]
    hosts = [one["value"] for one in variables if one["name"] == "LOKI_HOST"]
    assert hosts == ["loki-gateway.loki.svc"]


def test_microservices_open_the_store_of_ha() -> None:
    """They read the bucket, the endpoint and the secret that the profile `ha` writes with."""
    ours = yaml.safe_load((CHART / "ci/ha.yaml").read_text())["loki"]["s3"]
    values = yaml.safe_load((kit_root() / "loki/microservices.yaml").read_text())
    storage = values["loki"]["storage"]
    store = storage["object_store"]["s3"]
    assert {
        "bucket": storage["bucketNames"]["chunks"],
        "endpoint": store["endpoint"],
        "region": store["region"],
    } == {key: ours[key] for key in ("bucket", "endpoint", "region")}
    secrets = [one["valueFrom"]["secretKeyRef"] for one in values["global"]["extraEnv"]]
    wanted = [("access_key_id", "access-key-id"), ("secret_access_key", "secret-access-key")]
    for (field, key), variable, secret in zip(
        wanted, values["global"]["extraEnv"], secrets, strict=True
    ):
        assert store[field] == f"${{{variable['name']}}}"
        assert secret == {"name": ours["existingSecret"], "key": key}


def test_grafana_asks_the_loki_of_another_release(helm: Helm) -> None:
    """Beside an older release, the new one's Grafana is let in to the old one's Loki."""
    made = helm.render()
    assert clients(made)
    labels = workloads(made)["grafana"]["spec"]["template"]["metadata"]["labels"]
    assert labels["lokikit/client"] == "true"


def test_the_canary_s_tenant_is_read(helm: Helm) -> None:
    """A Grafana that would never see the canary's lines, and so alert for ever, is refused."""
    values = {**CANARY, "tenants.byNamespace": True, "tenants.grafana": ["shop"]}
    assert "add default to tenants.grafana" in helm.refusal(values)
    assert helm.render(*given({**values, "tenants.grafana": ["shop", "logs"]}))
    assert helm.render(*given({**values, "grafana.enabled": False}))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, ["any"]),
        ({"networkPolicy.clientNamespaces": ["a", "b"]}, ["own", "a", "b"]),
        ({"tenants": TENANTS}, ["own"]),
        ({"tenants": TENANTS, "networkPolicy.clientNamespaces": ["a"]}, ["own", "a"]),
    ],
)
def test_whose_pods_reach_loki(helm: Helm, values: dict[str, Any], wanted: list[str]) -> None:
    """Who reaches Loki may name any tenant, so with tenants no other namespace does unasked."""
    found = []
    for one in clients(helm.render(*given(values))):
        if "namespaceSelector" not in one:
            found.append("own")
        elif not one["namespaceSelector"]:
            found.append("any")
        else:
            (named,) = one["namespaceSelector"]["matchExpressions"]
            assert (named["key"], named["operator"]) == ("kubernetes.io/metadata.name", "In")
            found += named["values"]
    assert found == wanted


def notes(helm: Helm, *arguments: str) -> str:
    """What `helm install` ends with."""
    result = helm.check(
        "install", RELEASE, str(CHART), "--namespace=logs", "--dry-run=client", *arguments
    )
    return result.partition("\nNOTES:\n")[2]


def test_notes_ask_an_external_loki_as_its_agents_do(helm: Helm) -> None:
    """The query names the tenant, where the credentials are, and the certificate to trust."""
    result = notes(helm, profile("external"))
    assert "LOKI_URL=https://loki.example LOKI_ORG_ID=team-a lokikit query" in result
    assert "LOKI_USERNAME and LOKI_PASSWORD as in the secret loki-credentials:" in result
    assert "get configmap lokikit-loki-ca --namespace logs" in result
    assert "REQUESTS_CA_BUNDLE" in result
    bare = notes(helm, *given({"loki.mode": "external", "loki.external.url": "http://a", **AGENTS}))
    assert "\n\n3. Ask Loki:\n\n     LOKI_URL=http://a lokikit query" in bare
    assert "REQUESTS_CA_BUNDLE" not in bare


def test_canary_and_test_are_where_agents_are(helm: Helm) -> None:
    """On a cluster of tainted nodes they are scheduled, and never on a node without an agent."""
    placement = {
        "agent.nodeSelector": {"kubernetes.io/os": "linux"},
        "agent.tolerations": [{"operator": "Exists", "key": "a"}],
        "agent.controlPlane": True,
    }
    made = helm.render(*given({**CANARY, **placement}))
    agent = workloads(made)["agent"]["spec"]["template"]["spec"]
    assert len(agent["tolerations"]) == 2
    (test,) = of_kind(made, "Pod")
    for spec in (workloads(made)["canary"]["spec"]["template"]["spec"], test["spec"]):
        for key in ("nodeSelector", "tolerations"):
            assert spec[key] == agent[key]


@pytest.mark.parametrize("part", ["agent", "loki"])
def test_prometheus_misses_what_is_away(helm: Helm, part: str) -> None:
    """A rule asks for the pods by names that they have, and whether there are any."""
    made = helm.render(profile("production"))
    (rule,) = of_kind(made, "PrometheusRule")
    alerts = {one["alert"]: one for group in rule["spec"]["groups"] for one in group["rules"]}
    expr = alerts[f"Lokikit{part.title()}Down"]["expr"]
    asked = re.findall(r'up\{namespace="logs", pod=~"([^"]+)"\}', expr)
    assert len(asked) == expr.count("up{") == 2
    assert "or absent(" in expr
    pod = workloads(made)[part]["metadata"]["name"] + {"agent": "-x7k2p", "loki": "-0"}[part]
    assert all(re.fullmatch(pattern, pod) for pattern in asked)


def test_a_changed_certificate_rolls_the_canary(helm: Helm) -> None:
    """Its pods differ when what they trust differs."""
    external = {**CANARY, "loki.mode": "external", "loki.external.url": "https://loki.example"}
    first, second = (
        workloads(helm.render(*given({**external, "loki.external.caCertificate": one})))
        for one in ("a", "b")
    )
    assert first["canary"]["spec"]["template"] != second["canary"]["spec"]["template"]
