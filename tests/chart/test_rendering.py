"""The chart as Helm renders it, against the kit's other files, without a cluster."""

from __future__ import annotations

import re
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.frozen import FOLDER as FROZEN
from tests.chart.frozen import frozen, record
from tests.chart.helming import (
    CHART,
    PROFILES,
    config,
    container,
    given,
    of_kind,
    profile,
    variables,
    workloads,
)
from tests.chart.snapshots import FOLDER, snapshot

from lokikit.fields import CLUSTER_LABELS
from lokikit.stack.compose_file import read_compose_file
from lokikit.stack.kit_files import kit_env, kit_root

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chart.helming import Helm

COMPOSE = {"loki": "loki", "agent": "fluent-bit", "grafana": "grafana"}
"""Component -> service of docker-compose.yml."""
_GIB = 1 << 30


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> dict[str, list[dict[str, Any]]]:
    """Profile -> its resources."""
    return {name: helm.render(profile(name)) for name in PROFILES}


@pytest.fixture(scope="module")
def default(rendered: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The chart as it comes."""
    return rendered["default"]


@pytest.mark.parametrize("name", PROFILES)
def test_lint(helm: Helm, name: str) -> None:
    """Helm finds nothing to complain of, warnings included."""
    apis = "--kube-version=v1.36.0"
    assert helm.run("lint", "--strict", "--quiet", apis, str(CHART), profile(name)).stdout == ""


@pytest.mark.parametrize("name", PROFILES)
def test_snapshot(rendered: dict[str, list[dict[str, Any]]], name: str) -> None:
    """What is rendered is what was reviewed; `python -m tests.chart.snapshots` writes it anew."""
    assert snapshot(rendered[name]) == (FOLDER / f"{name}.yaml").read_text()


def test_the_version_is_recorded() -> None:
    """What this version fixes is written down; `python -m tests.chart.frozen` does it."""
    assert record().exists()


@pytest.mark.parametrize("version", [path.stem for path in sorted(FROZEN.iterdir())])
def test_an_upgrade_changes_nothing_fixed(
    rendered: dict[str, list[dict[str, Any]]], version: str
) -> None:
    """What an installed release of an earlier version cannot change is as it was."""
    for name, before in yaml.safe_load((FROZEN / f"{version}.yaml").read_text()).items():
        now = frozen(rendered[name])
        # Its name has no data: Helm makes the new one and takes the old one away.
        kept = {key: value for key, value in before.items() if "ClusterRoleBinding" not in key}
        assert {key: now.get(key, "gone") for key in kept} == kept, name


def test_names_are_unique(rendered: dict[str, list[dict[str, Any]]]) -> None:
    """No two resources of a kind have one name, and each belongs to the release."""
    for resources in rendered.values():
        names = [(one["kind"], one["metadata"]["name"]) for one in resources]
        assert len(set(names)) == len(names)
        for one in resources:
            assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "lokikit"


def test_images_are_those_of_compose(default: list[dict[str, Any]]) -> None:
    """Registry, repository and version are those that docker compose runs."""
    services, env = read_compose_file()["services"], kit_env({})
    for component, service in COMPOSE.items():
        wanted = re.sub(r"\$\{(\w+)\}", lambda name: env[name[1]], services[service]["image"])
        assert container(workloads(default)[component])["image"] == wanted


def test_image_of_the_canary(rendered: dict[str, list[dict[str, Any]]]) -> None:
    """It is the image that the kit's Dockerfile makes, in a registry of the user's."""
    image = container(workloads(rendered["production"])["canary"])["image"]
    assert image == f"registry.example/mirror/lokikit:{kit_env({})['LOKIKIT_VERSION']}"


def test_registry_is_one_line(rendered: dict[str, list[dict[str, Any]]]) -> None:
    """Behind a mirror no image comes from elsewhere, and each pod has its credentials."""
    resources = rendered["closed-network"]
    pods = [one["spec"]["template"] for one in workloads(resources).values()]
    pods += of_kind(resources, "Pod")
    for pod in pods:
        assert pod["spec"]["imagePullSecrets"] == [{"name": "mirror"}]
        images = [one["image"] for one in pod["spec"]["containers"]]
        assert all(one.startswith("registry.internal:5000/") for one in images), images


def test_closed_network_like_compose(default: list[dict[str, Any]]) -> None:
    """What keeps Grafana from looking outside is what docker compose sets."""
    part = read_compose_file()["services"]["grafana"]["environment"]
    wanted = {key: value for key, value in part.items() if value in {"true", "false"}}
    own = config(default, "lokikit-grafana-environment")
    assert wanted
    assert {key: own.get(key) for key in wanted} == wanted


def test_ports_are_those_of_the_kit(default: list[dict[str, Any]]) -> None:
    """Containers listen where `.env` says, and services answer there."""
    env = kit_env({})
    wanted = {
        "loki": ["LOKI_PORT", "LOKI_GRPC_PORT"],
        "agent": ["FLUENTBIT_HTTP_PORT", "FLUENTBIT_ADMIN_PORT"],
        "grafana": ["GRAFANA_PORT"],
    }
    for component, keys in wanted.items():
        ports = [one["containerPort"] for one in container(workloads(default)[component])["ports"]]
        assert [str(port) for port in ports][: len(keys)] == [env[key] for key in keys]
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind(default, "Service")}
    assert str(services["lokikit-loki"]["ports"][0]["port"]) == env["LOKI_PORT"]
    assert str(services["lokikit-grafana"]["ports"][0]["port"]) == env["GRAFANA_PORT"]


def test_limits_are_those_of_compose(
    default: list[dict[str, Any]], rendered: dict[str, list[dict[str, Any]]]
) -> None:
    """Memory, Go's share of it, retention and the agent's disk are those of the laptop."""
    services, env = read_compose_file()["services"], kit_env({})
    made = workloads(rendered["closed-network"])
    for component, service in {**COMPOSE, "canary": "canary"}.items():
        limit = container(made[component])["resources"]["limits"]["memory"]
        wanted = re.sub(r"\$\{(\w+)\}", lambda name: env[name[1]], services[service]["mem_limit"])
        assert limit == wanted.upper().replace("G", "Gi").replace("M", "Mi")
    loki = variables(container(workloads(default)["loki"]))
    assert f":-{loki['GOMEMLIMIT']}}}" in services["loki"]["environment"]["GOMEMLIMIT"]
    assert loki["LOKI_RETENTION"] == env["LOKI_RETENTION"]
    agent = variables(container(workloads(default)["agent"]))
    assert agent["FLUENTBIT_STORAGE_LIMIT"] == env["FLUENTBIT_STORAGE_LIMIT"]


def test_configuration_is_the_kit_s_own(default: list[dict[str, Any]]) -> None:
    """Loki, agent and dashboards get the files of the laptop, byte for byte."""
    assert config(default, "lokikit-loki")["loki.yaml"] == text("loki/loki.yaml")
    for key, value in config(default, "lokikit-agent").items():
        own = text(f"fluentbit/{key.replace('__', '/')}").strip()
        # The entry includes more on a cluster, after what it has everywhere.
        assert value.strip() == own or (key == "kubernetes.yaml" and value.startswith(own))
    for key, value in config(default, "lokikit-grafana-dashboards").items():
        assert value.strip() == text(f"grafana/dashboards/{key}").strip()


def text(path: str) -> str:
    """A file of the kit."""
    return (kit_root() / path).read_text()


def test_agent_has_what_its_entry_includes(default: list[dict[str, Any]]) -> None:
    """Every file that kubernetes.yaml leads to is mounted under its own name."""
    volumes = workloads(default)["agent"]["spec"]["template"]["spec"]["volumes"]
    (items,) = (one["configMap"]["items"] for one in volumes if one["name"] == "config")
    mounted = {one["path"]: one["key"] for one in items}
    held = config(default, "lokikit-agent")
    assert set(mounted.values()) <= set(held)
    wanted = ["kubernetes.yaml"]
    for name in wanted:
        read = held[mounted[name]]
        assert set(re.findall(r"script: (\S+)", read)) <= set(mounted)
        wanted += yaml.safe_load(read).get("includes", ())
    assert len(wanted) > len(CLUSTER_LABELS)


def test_agent_has_every_variable(rendered: dict[str, list[dict[str, Any]]]) -> None:
    """What its files read without a default is set, and nothing is set that they do not read."""
    for name in ("default", "external", "multi-tenant"):
        one = container(workloads(rendered[name])["agent"])
        held = {var["name"] for var in one["env"]}
        files = "".join(config(rendered[name], "lokikit-agent").values())
        assert set(re.findall(r"\$\{(\w+)\}", files)) <= held
        assert held <= set(re.findall(r"\b[A-Z][A-Z_]+\b", files))


@pytest.mark.parametrize("name", ["ha", "multi-tenant"])
def test_loki_is_laid_over(rendered: dict[str, list[dict[str, Any]]], name: str) -> None:
    """A mode changes what its file says, and leaves every limit as it is."""
    over = {"ha": "loki/ha.yaml", "multi-tenant": "loki/tenants.yaml"}[name]
    made = yaml.safe_load(config(rendered[name], "lokikit-loki")["loki.yaml"])
    base = yaml.safe_load(text("loki/loki.yaml"))
    assert made["limits_config"] == base["limits_config"]
    for section, value in yaml.safe_load(text(over)).items():
        assert_within(value, made[section])


def assert_within(part: Any, whole: Any) -> None:
    """Each leaf of `part` stands in `whole`."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert_within(value, whole[key])
    else:
        assert part == whole


def test_ha_has_every_variable(rendered: dict[str, list[dict[str, Any]]]) -> None:
    """What Loki's files read without a default is set."""
    one = container(workloads(rendered["ha"])["loki"])
    read = set(re.findall(r"\$\{(\w+)\}", config(rendered["ha"], "lokikit-loki")["loki.yaml"]))
    assert read <= {var["name"] for var in one["env"]}


@pytest.mark.parametrize(
    ("component", "values"),
    [
        ("loki", {"retention": "24h"}),
        ("loki", {"tenants": {"byNamespace": True, "grafana": ["a"]}}),
        ("agent", {"cluster": "north"}),
        ("grafana", {"grafana.url": "https://grafana.example/"}),
    ],
)
def test_a_changed_setting_rolls_the_pods(
    helm: Helm, default: list[dict[str, Any]], component: str, values: dict[str, Any]
) -> None:
    """A pod's template differs when what it reads differs."""
    changed = workloads(helm.render(*given(values)))
    template = workloads(default)[component]["spec"]["template"]
    assert changed[component]["spec"]["template"] != template


def test_nothing_rolls_without_a_change(helm: Helm, default: list[dict[str, Any]]) -> None:
    """Rendered again, every template is the same."""
    again = workloads(helm.render())
    for component, one in workloads(default).items():
        assert again[component]["spec"]["template"] == one["spec"]["template"]


@pytest.mark.parametrize(
    ("values", "paused"),
    [
        ({}, False),
        ({"canary.enabled": True, "registry": "a.example"}, False),
        ({"tenants": {"byNamespace": True, "grafana": ["shop"]}}, True),
        ({"tenants": {"byNamespace": True, "grafana": ["shop", "logs"]}}, False),
    ],
)
def test_silence_is_an_alert_where_numbered_lines_are_read(
    helm: Helm, values: dict[str, Any], *, paused: bool
) -> None:
    """A canary writes them, else the agents; the rule is paused where Grafana reads neither."""
    held = config(helm.render(*given(values)), "lokikit-grafana-provisioning")
    groups = yaml.safe_load(held["alerting__rules.yaml"])["groups"]
    rules = {rule["uid"]: rule["isPaused"] for group in groups for rule in group["rules"]}
    assert rules["pipeline-silent"] is paused


def test_external_loki_has_its_credentials(helm: Helm) -> None:
    """Agent, data source and canary reach it by TLS with the user's secret."""
    external = profile("external")
    extra = given({"grafana.enabled": True, "canary.enabled": True, "registry": "a.example"})
    resources = helm.render(external, *extra)
    agent = container(workloads(resources)["agent"])
    assert {
        key: variables(agent)[key]
        for key in ("LOKI_HOST", "LOKI_PORT", "LOKI_TLS", "LOKI_TENANT", "LOKI_CA_FILE")
    } == {
        "LOKI_HOST": "loki.example",
        "LOKI_PORT": "443",
        "LOKI_TLS": "on",
        "LOKI_TENANT": "team-a",
        "LOKI_CA_FILE": "/etc/lokikit-ca/ca.crt",
    }
    for component in ("agent", "grafana", "canary"):
        asked = [
            one["valueFrom"]["secretKeyRef"]["name"]
            for one in container(workloads(resources)[component])["env"]
            if "secretKeyRef" in one.get("valueFrom", {})
        ]
        assert asked == ["loki-credentials", "loki-credentials"], component
    held = config(resources, "lokikit-grafana-provisioning")["datasources__loki.yaml"]
    (source,) = yaml.safe_load(held)["datasources"]
    assert source["basicAuth"] is True
    assert source["jsonData"]["tlsAuthWithCACert"] is True
    assert "BEGIN CERTIFICATE" in source["secureJsonData"]["tlsCACert"]
    assert "loki" not in workloads(resources)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("http://loki.logs", "loki.logs", "80", "off"),
        ("http://10.0.0.7:3100", "10.0.0.7", "3100", "off"),
        ("https://loki.example:8443/", "loki.example", "8443", "on"),
    ],
)
def test_address_of_an_external_loki(helm: Helm, url: str, host: str, port: str, tls: str) -> None:
    """A URL becomes host, port and TLS for the agent."""
    resources = helm.render(*given({"loki.mode": "external", "loki.external.url": url}))
    content = variables(container(workloads(resources)["agent"]))
    assert (content["LOKI_HOST"], content["LOKI_PORT"], content["LOKI_TLS"]) == (host, port, tls)


def test_package_is_complete(helm: Helm, tmp_path: Path) -> None:
    """`helm package` takes what is linked in with it, and renders the same."""
    helm.check("package", str(CHART), f"--destination={tmp_path}")
    (archive,) = tmp_path.glob("*.tgz")
    with tarfile.open(archive) as opened:
        names = set(opened.getnames())
    assert {"lokikit/files/env", "lokikit/files/loki/loki.yaml"} <= names
    assert not [one for one in names if one.endswith(".py") or "/ci/" in one]
    result = helm.check("template", "lokikit", str(archive), "--namespace=logs")
    again = [one for one in yaml.load_all(result, yaml.CSafeLoader) if one]
    assert snapshot(again) == (FOLDER / "default.yaml").read_text()
