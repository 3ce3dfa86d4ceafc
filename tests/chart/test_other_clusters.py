"""The chart in clusters that it was not written on: what operators set, and what they cannot."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.cluster import PRIVILEGED
from tests.chart.helming import (
    CHART,
    RELEASE,
    config,
    container,
    given,
    of_kind,
    profile,
    variables,
    workloads,
)

if TYPE_CHECKING:
    from tests.chart.cluster import Cluster
    from tests.chart.helming import Helm

EXTERNAL = {"loki.mode": "external", "loki.external.url": "https://loki.example"}
HA = {"loki.mode": "ha", "loki.s3": {"endpoint": "s3.example", "bucket": "loki"}}
PARTS = ("loki", "agent", "grafana", "canary")
CANARY = {"canary.enabled": True, "canary.image.registry": "registry.example"}


def pod(resources: list[dict[str, Any]], part: str) -> dict[str, Any]:
    """The template of a part's pods."""
    return dict(workloads(resources)[part]["spec"]["template"])


def loki_config(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Loki's configuration, read."""
    return dict(yaml.safe_load(config(resources, "lokikit-loki")["loki.yaml"]))


# -- Places, names, labels -------------------------------------------------------------------------


def test_missing_links_are_named(helm: Helm, tmp_path: Path) -> None:
    """A checkout without symbolic links is refused with the way out, in both of its forms."""
    for way in ("gone", "text"):
        chart = tmp_path / way
        shutil.copytree(CHART, chart, symlinks=True)
        for link in [path for path in (chart / "files").iterdir() if path.is_symlink()]:
            target = str(link.readlink())
            link.unlink()
            if way == "text":  # as Git writes a link on Windows
                link.write_text(target)
        done = helm.run("template", RELEASE, str(chart))
        assert done.returncode != 0
        assert "use the packaged chart, which `make package` writes" in done.stderr


def test_switch_of_an_umbrella_chart(helm: Helm, tmp_path: Path) -> None:
    """A chart that depends on this one may switch it by `condition: lokikit.enabled`."""
    helm.check("package", str(CHART), f"--destination={tmp_path}")
    umbrella = tmp_path / "umbrella"
    (umbrella / "charts").mkdir(parents=True)
    next(tmp_path.glob("*.tgz")).rename(umbrella / "charts/lokikit.tgz")
    dependency = {"name": "lokikit", "version": ">=0.0.0", "condition": "lokikit.enabled"}
    (umbrella / "Chart.yaml").write_text(
        yaml.safe_dump(
            {"apiVersion": "v2", "name": "u", "version": "1.0.0", "dependencies": [dependency]}
        )
    )
    for enabled, wanted in (("true", True), ("false", False)):
        result = helm.check("template", "u", str(umbrella), f"--set=lokikit.enabled={enabled}")
        assert ("kind: DaemonSet" in result) is wanted


def test_names_of_the_cluster_hold_their_namespace_apart(helm: Helm) -> None:
    """Release `prod` in `logging` and `lokikit` in `logging-prod` make two names."""
    names = set()
    for release, namespace in (("prod", "logging"), ("lokikit", "logging-prod")):
        result = helm.check("template", release, str(CHART), f"--namespace={namespace}")
        resources = [one for one in yaml.safe_load_all(result) if one]
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            (one,) = of_kind(resources, kind)
            names.add((kind, one["metadata"]["name"]))
    assert len(names) == 4


def test_every_resource_names_its_namespace(helm: Helm) -> None:
    """`helm template | kubectl apply` puts all of it where it belongs."""
    everything = (profile("production"), *given({"loki.ingress": {"enabled": True, "host": "a"}}))
    for resources, wanted in (
        (helm.render(*everything), "logs"),
        (helm.render(*everything, *given({"namespaceOverride": "other"})), "other"),
    ):
        for one in resources:
            if not one["kind"].startswith("ClusterRole"):
                assert one["metadata"]["namespace"] == wanted, one["kind"]


def test_overriding_the_namespace_leads_everyone_there(helm: Helm) -> None:
    """Addresses, subjects and rules name the other namespace, and none the release's."""
    resources = helm.render(profile("production"), *given({"namespaceOverride": "other"}))
    assert "logs.svc" not in yaml.safe_dump(resources)
    (binding,) = of_kind(resources, "ClusterRoleBinding")
    assert binding["subjects"][0]["namespace"] == "other"


def test_common_labels_are_everywhere(helm: Helm) -> None:
    """On each resource and each pod, but never in a selector, nor in place of our own."""
    labels = {"team": "platform", "app.kubernetes.io/name": "mine"}
    resources = helm.render(profile("production"), *given({"commonLabels": labels}))
    for one in resources:
        assert one["metadata"]["labels"]["team"] == "platform", one["kind"]
        assert one["metadata"]["labels"]["app.kubernetes.io/name"] == "lokikit"
    for one in workloads(resources).values():
        assert one["spec"]["template"]["metadata"]["labels"]["team"] == "platform"
        assert "team" not in one["spec"]["selector"]["matchLabels"]


@pytest.mark.parametrize("secrets", [["a"], [{"name": "a"}]])
def test_pull_secrets_in_both_forms(helm: Helm, secrets: list[Any]) -> None:
    """By name, and as Kubernetes writes them."""
    resources = helm.render(*given({"imagePullSecrets": secrets}))
    assert pod(resources, "loki")["spec"]["imagePullSecrets"] == [{"name": "a"}]


# -- Pods ------------------------------------------------------------------------------------------


def test_what_is_added_to_pods(helm: Helm) -> None:
    """Labels, annotations, affinity, variables, volumes and mounts of each part."""
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"a": []}}}
    added = {
        "podLabels": {"a": "1"},
        "podAnnotations": {"b": "2"},
        "affinity": affinity,
        "priorityClassName": "high",
    }
    more = {
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
        "extraVolumes": [{"name": "own", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "own", "mountPath": "/own"}],
    }
    values = {f"{part}.{key}": value for part in PARTS for key, value in added.items()}
    values |= {f"{part}.{key}": value for part in PARTS[:3] for key, value in more.items()}
    resources = helm.render(*given({**CANARY, **values, "imagePullPolicy": "Always"}))
    for part in PARTS:
        template = pod(resources, part)
        assert template["metadata"]["labels"]["a"] == "1"
        assert template["metadata"]["annotations"]["b"] == "2"
        assert template["spec"]["affinity"] == affinity
        assert template["spec"]["priorityClassName"] == "high"
        assert template["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    for part in PARTS[:3]:
        spec = pod(resources, part)["spec"]
        assert more["extraEnv"][0] in spec["containers"][0]["env"]
        assert more["extraVolumes"][0] in spec["volumes"]
        assert more["extraVolumeMounts"][0] in spec["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(
    ("part", "name"), [("loki", "GOMEMLIMIT"), ("agent", "FLUENTBIT_STORAGE_LIMIT")]
)
def test_own_variables_win_once(helm: Helm, part: str, name: str) -> None:
    """A variable of the user's takes the place of ours: the API server takes no name twice."""
    resources = helm.render(*given({f"{part}.extraEnv": [{"name": name, "value": "mine"}]}))
    held = [one for one in container(workloads(resources)[part])["env"] if one["name"] == name]
    assert held == [{"name": name, "value": "mine"}]


def test_environment_of_grafana_wins(helm: Helm) -> None:
    """The user's secret comes after the chart's defaults, and no variable stands above both."""
    resources = helm.render(*given({"grafana.environmentSecret": "mine"}))
    one = container(workloads(resources)["grafana"])
    assert [next(iter(source.values()))["name"] for source in one["envFrom"]] == [
        "lokikit-grafana-environment",
        "mine",
    ]
    assert "env" not in one
    defaults = config(resources, "lokikit-grafana-environment")
    assert defaults["GF_ANALYTICS_REPORTING_ENABLED"] == "false"


def test_linux_nodes_alone(helm: Helm) -> None:
    """No pod goes to a node with another system, that of `helm test` neither."""
    resources = helm.render(*given(CANARY))
    (test,) = of_kind(resources, "Pod")
    for spec in [*(pod(resources, part)["spec"] for part in PARTS), test["spec"]]:
        assert spec["nodeSelector"]["kubernetes.io/os"] == "linux"


def test_canary_stays_off_nodes_that_drain(helm: Helm) -> None:
    """A toleration without a key is the agent's alone; the canary may have its own."""
    everywhere = [{"operator": "Exists"}, {"key": "pool", "operator": "Exists"}]
    resources = helm.render(*given({**CANARY, "agent.tolerations": everywhere}))
    assert pod(resources, "agent")["spec"]["tolerations"] == everywhere
    assert pod(resources, "canary")["spec"]["tolerations"] == everywhere[1:]
    own = [{"key": "own", "operator": "Exists"}]
    resources = helm.render(*given({**CANARY, "canary.tolerations": own}))
    assert pod(resources, "canary")["spec"]["tolerations"] == own


def test_users_may_be_the_cluster_s(helm: Helm) -> None:
    """On OpenShift no user is fixed but the agent's, which has leave for what it does."""
    resources = helm.render(profile("openshift"))
    for part in ("loki", "grafana"):
        context = pod(resources, part)["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys()
    agent = pod(resources, "agent")["spec"]
    assert agent["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}
    (leave,) = of_kind(resources, "SecurityContextConstraints")
    assert leave["users"] == [f"system:serviceaccount:logs:{agent['serviceAccountName']}"]
    nobody = {"loki.podSecurityContext.runAsUser": None, "loki.podSecurityContext.fsGroup": None}
    context = pod(helm.render(*given(nobody)), "loki")["spec"]["securityContext"]
    assert not {"runAsUser", "fsGroup"} & context.keys()


def test_existing_accounts_and_no_roles(helm: Helm) -> None:
    """Where an operator makes accounts and roles, the chart makes none."""
    own = {"create": False, "name": "theirs"}
    values = {f"{part}.serviceAccount": own for part in PARTS} | {"rbac.create": False}
    resources = helm.render(*given({**CANARY, **values}))
    kinds = {one["kind"] for one in resources}
    assert not {"ServiceAccount", "ClusterRole", "ClusterRoleBinding"} & kinds
    for part in PARTS:
        assert pod(resources, part)["spec"]["serviceAccountName"] == "theirs"


def test_existing_claims(helm: Helm) -> None:
    """Volumes that are there take the place of the chart's."""
    claims = {f"{part}.persistence.existingClaim": "theirs" for part in ("loki", "grafana")}
    resources = helm.render(*given(claims))
    assert not of_kind(resources, "PersistentVolumeClaim")
    assert "volumeClaimTemplates" not in workloads(resources)["loki"]["spec"]
    for part in ("loki", "grafana"):
        (data,) = (one for one in pod(resources, part)["spec"]["volumes"] if one["name"] == "data")
        assert data["persistentVolumeClaim"] == {"claimName": "theirs"}


def test_no_storage_class(helm: Helm) -> None:
    """`-` asks for no class, as elsewhere, and not for one of that name."""
    values = {f"{part}.persistence.storageClass": "-" for part in ("loki", "grafana")}
    resources = helm.render(*given(values))
    (claim,) = of_kind(resources, "PersistentVolumeClaim")
    (template,) = workloads(resources)["loki"]["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == ""
    assert template["spec"]["storageClassName"] == ""


def test_replicas_may_share_a_node(helm: Helm) -> None:
    """A soft rule keeps replicas apart where there is room, and else starts them."""
    for kind, key in (("hard", "required"), ("soft", "preferred")):
        resources = helm.render(*given({**HA, "loki.antiAffinity": kind}))
        rule = pod(resources, "loki")["spec"]["affinity"]["podAntiAffinity"]
        assert list(rule) == [f"{key}DuringSchedulingIgnoredDuringExecution"]


def test_quotas_take_the_test_pod(helm: Helm) -> None:
    """`helm test` has requests and limits as every part has."""
    (test,) = of_kind(helm.render(), "Pod")
    assert test["spec"]["containers"][0]["resources"].keys() == {"requests", "limits"}


# -- Networks --------------------------------------------------------------------------------------


def test_ipv6(helm: Helm) -> None:
    """Loki and agent listen on IPv6, and each Service may have both families."""
    resources = helm.render(profile("ipv6"))
    assert variables(container(workloads(resources)["loki"]))["LOKI_BIND"] == "::"
    assert variables(container(workloads(resources)["agent"]))["FLUENTBIT_BIND"] == "::"
    for one in of_kind(resources, "Service"):
        assert one["spec"]["ipFamilyPolicy"] == "PreferDualStack"
    assert 'http_listen_address: "${LOKI_BIND' in config(resources, "lokikit-loki")["loki.yaml"]


def test_grafana_under_a_path(helm: Helm) -> None:
    """The ways in, the server and its metrics agree on the path of the address."""
    ways = {
        "grafana.url": "https://example.com/grafana/",
        "grafana.ingress": {"enabled": True, "host": "example.com"},
        "grafana.httpRoute": {"enabled": True, "parentRefs": [{"name": "a"}]},
        "monitoring.enabled": True,
    }
    resources = helm.render(*given(ways))
    (ingress,), (route,) = of_kind(resources, "Ingress"), of_kind(resources, "HTTPRoute")
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["path"] == "/grafana"
    assert route["spec"]["rules"][0]["matches"][0]["path"]["value"] == "/grafana"
    environment = config(resources, "lokikit-grafana-environment")
    assert environment["GF_SERVER_SERVE_FROM_SUB_PATH"] == "true"
    (monitor,) = of_kind(resources, "ServiceMonitor")
    assert monitor["spec"]["endpoints"][0]["path"] == "/grafana/metrics"


def test_metrics_without_the_operator(helm: Helm) -> None:
    """A namespace may scrape, and find the pods, where there is no operator."""
    values = {"networkPolicy.metricsFrom": ["observability"], "scrapeAnnotations": True}
    resources = helm.render(*given(values))
    let_in = yaml.safe_dump(of_kind(resources, "NetworkPolicy"))
    assert let_in.count("kubernetes.io/metadata.name: observability") == 2  # Loki and the agent
    for part in ("loki", "agent", "grafana"):
        annotations = pod(resources, part)["metadata"]["annotations"]
        assert annotations["prometheus.io/scrape"] == "true"
        ports = [
            str(one["containerPort"]) for one in container(workloads(resources)[part])["ports"]
        ]
        assert annotations["prometheus.io/port"] in ports


def test_outgoing_traffic_is_said_where_it_is_denied(helm: Helm) -> None:
    """With `egress` every pod has rules for names and for Loki; without it none is held back."""
    values = {**CANARY, **HA, "events.enabled": True}
    for on in (False, True):
        resources = helm.render(*given({**values, "networkPolicy.egress": on}))
        for one in of_kind(resources, "NetworkPolicy"):
            assert ("Egress" in one["spec"]["policyTypes"]) is on
            assert ("egress" in one["spec"]) is on
    component = "app.kubernetes.io/component"
    selected = [one["spec"]["podSelector"] for one in of_kind(resources, "NetworkPolicy")]
    held = {one["matchLabels"][component] for one in selected}
    assert held == {*workloads(resources), "test"}


def test_the_api_server_is_where_it_listens(helm: Helm) -> None:
    """Agents and events reach the ports that the user names; without one there is no rule."""
    for ports in ([443, 6443], [16443], []):
        on = {"networkPolicy.egress": True, "events.enabled": True}
        resources = helm.render(*given({**on, "networkPolicy.apiServerPorts": ports}))
        asked = [
            [one["port"] for one in rule["ports"]]
            for policy in of_kind(resources, "NetworkPolicy")
            for rule in policy["spec"].get("egress", ())
            if policy["metadata"]["name"] in {"lokikit-agent", "lokikit-events"}
        ]
        assert asked.count(ports) == (2 if ports else 0)


def test_loki_from_outside(helm: Helm) -> None:
    """An Ingress leads to Loki, and the network policy lets its controller in."""
    way = {"enabled": True, "host": "loki.example", "tlsSecret": "tls"}
    resources = helm.render(*given({"loki.ingress": way}))
    (ingress,) = of_kind(resources, "Ingress")
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == "lokikit-loki"
    assert "kubernetes.io/metadata.name: ingress-nginx" in yaml.safe_dump(resources)


# -- Stores, limits, a Loki elsewhere --------------------------------------------------------------


STORES = {
    "gcs": {"loki.gcs.bucket": "logs"},
    "azure": {"loki.azure": {"account": "a", "container": "c", "existingSecret": "s"}},
    "s3": {
        "loki.s3": {
            "endpoint": "s3.example",
            "bucket": "logs",
            "caCertificate": "PEM",
            "sse": {"type": "SSE-KMS", "kmsKeyId": "k"},
            "existingSecret": "keys",
            "accessKeyIdKey": "user",
            "secretAccessKeyKey": "pass",
        }
    },
}


@pytest.mark.parametrize("store", STORES)
def test_object_stores(helm: Helm, loki_program: Path, tmp_path: Path, store: str) -> None:
    """Loki itself takes the configuration for each object store."""
    values = {"loki.mode": "ha", "loki.objectStore": store, **STORES[store]}
    resources = helm.render(*given(values))
    made = loki_config(resources)
    assert list(made["storage_config"]["object_store"]) == [store]
    assert made["schema_config"]["configs"][0]["object_store"] == store
    file = tmp_path / "loki.yaml"
    file.write_text(config(resources, "lokikit-loki")["loki.yaml"])
    environ = variables(container(workloads(resources)["loki"]))
    done = subprocess.run(
        [loki_program, f"-config.file={file}", "-config.expand-env=true", "-verify-config"],
        env={**environ, "LOKI_ADDRESS": "127.0.0.1", "LOKI_ID": "a", "AZURE_ACCOUNT_KEY": "a2V5"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_keys_of_the_s3_secret_may_have_other_names(helm: Helm) -> None:
    """The secret is used as it is, and the certificate is mounted where Loki reads it."""
    resources = helm.render(*given({"loki.mode": "ha", **STORES["s3"]}))
    one = container(workloads(resources)["loki"])
    keys = [
        var["valueFrom"]["secretKeyRef"]["key"]
        for var in one["env"]
        if "S3_" in var["name"] and "valueFrom" in var
    ]
    assert keys == ["user", "pass"]
    mounts = {mount["mountPath"] for mount in one["volumeMounts"]}
    ca = loki_config(resources)["storage_config"]["object_store"]["s3"]["http"]
    assert Path(ca["tls_ca_path"]).parent.as_posix() in mounts


def test_configuration_and_limits_of_the_user(
    helm: Helm, loki_program: Path, tmp_path: Path
) -> None:
    """What the user lays over Loki's configuration is there, with limits of single tenants."""
    stream = [{"selector": '{env="dev"}', "priority": 1, "period": "24h"}]
    values = {
        "loki.config": {"limits_config": {"retention_stream": stream, "query_timeout": "2m"}},
        "loki.overrides": {"team-a": {"retention_period": "720h"}},
    }
    resources = helm.render(*given(values))
    made = loki_config(resources)
    assert made["limits_config"]["retention_stream"] == stream
    assert made["limits_config"]["max_line_size"] == "256KB"
    held = config(resources, "lokikit-loki")
    assert yaml.safe_load(held["overrides.yaml"]) == {"overrides": values["loki.overrides"]}
    assert made["runtime_config"]["file"] == "/etc/loki/overrides.yaml"
    for name, text in held.items():
        (tmp_path / name).write_text(text.replace("/etc/loki", str(tmp_path)))
    done = subprocess.run(
        [
            loki_program,
            f"-config.file={tmp_path}/loki.yaml",
            "-config.expand-env=true",
            "-verify-config",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_external_loki_by_certificate_and_path(helm: Helm) -> None:
    """Agent, Grafana and `helm test` show the certificate, and ask below the path."""
    values = {
        "loki.mode": "external",
        "loki.external": {
            "url": "https://loki.example/logs/",
            "caSecret": "ca",
            "clientCertificateSecret": "client",
        },
    }
    resources = helm.render(*given(values))
    agent = variables(container(workloads(resources)["agent"]))
    assert agent["LOKI_PATH"] == "/logs"
    assert (agent["LOKI_HOST"], agent["LOKI_PORT"]) == ("loki.example", "443")
    assert agent["LOKI_CERT_FILE"] == "/etc/lokikit-client/tls.crt"
    (source,) = yaml.safe_load(
        config(resources, "lokikit-grafana-provisioning")["datasources__loki.yaml"]
    )["datasources"]
    assert source["secureJsonData"]["tlsClientKey"] == "$__file{/etc/lokikit-client/tls.key}"
    (test,) = of_kind(resources, "Pod")
    pods = [pod(resources, "agent")["spec"], pod(resources, "grafana")["spec"], test["spec"]]
    for spec in pods:
        mounted = {one["mountPath"] for one in spec["containers"][0]["volumeMounts"]}
        assert {"/etc/lokikit-ca", "/etc/lokikit-client"} <= mounted
        secrets = {one["secret"]["secretName"] for one in spec["volumes"] if "secret" in one}
        assert {"ca", "client"} <= secrets


# -- A Grafana that is there -----------------------------------------------------------------------


def test_for_the_sidecars_of_another_grafana(helm: Helm) -> None:
    """Dashboards, data source and rules carry the labels that the sidecars look for."""
    values = {"grafana.forYours.namespace": "monitoring"}
    resources = helm.render(profile("existing-grafana"), *given(values))
    found = {
        label: one
        for one in resources
        for label in one["metadata"]["labels"]
        if label.startswith("grafana_")
    }
    assert found.keys() == {"grafana_dashboard", "grafana_datasource", "grafana_alert"}
    assert {one["metadata"]["namespace"] for one in found.values()} == {"monitoring"}
    assert len(found["grafana_dashboard"]["data"]) == 5
    (source,) = yaml.safe_load(found["grafana_datasource"]["stringData"]["lokikit.yaml"])[
        "datasources"
    ]
    assert source["url"] == "http://lokikit-loki.logs.svc:3100"
    assert source["isDefault"] is False
    assert "grafana" not in workloads(resources)


def test_more_for_the_kit_s_own_grafana(helm: Helm) -> None:
    """Data sources and dashboards beside the kit's own are provisioned too, and roll the pod."""
    source = {"name": "Prometheus", "type": "prometheus", "url": "http://prometheus"}
    values = {"grafana.extraDatasources": [source], "grafana.extraDashboards": {"mine.json": "{}"}}
    resources = helm.render(*given(values))
    held = config(resources, "lokikit-grafana-provisioning")
    assert yaml.safe_load(held["datasources__extra.yaml"])["datasources"] == [source]
    assert config(resources, "lokikit-grafana-dashboards")["mine.json"] == "{}"
    items = pod(resources, "grafana")["spec"]["volumes"][0]["projected"]["sources"][0]["configMap"]
    assert {"key": "datasources__extra.yaml", "path": "datasources/extra.yaml"} in items["items"]


# -- GitOps ----------------------------------------------------------------------------------------


def test_rendered_twice_without_a_difference(helm: Helm) -> None:
    """Rendered without a cluster, as Argo CD and Flux do it, nothing is made up anew."""
    assert helm.template(profile("gitops")) == helm.template(profile("gitops"))


def test_claims_are_written_as_the_api_server_has_them(helm: Helm) -> None:
    """Claim templates have their kind, so a comparison by field finds no difference."""
    (template,) = workloads(helm.render())["loki"]["spec"]["volumeClaimTemplates"]
    assert (template["apiVersion"], template["kind"]) == ("v1", "PersistentVolumeClaim")


# -- On a real API server --------------------------------------------------------------------------


def refused(installing: Helm, namespace: str, *arguments: str, release: str = RELEASE) -> str:
    """Why Helm does not upgrade or install."""
    here = f"--namespace={namespace}"
    done = installing.run("upgrade", "--install", release, str(CHART), here, *arguments)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_a_namespace_that_takes_no_agent(cluster: Cluster, installing: Helm, level: str) -> None:
    """It is refused with the command that opens it."""
    namespace = cluster.namespace(level)
    result = refused(installing, namespace)
    assert f"kubectl label namespace {namespace} pod-security.kubernetes.io/enforce=priv" in result


def test_data_is_not_left_behind(cluster: Cluster, installing: Helm) -> None:
    """What Grafana or the agents have kept is not given up by a changed value."""
    namespace = cluster.namespace(PRIVILEGED)
    installing.check("install", RELEASE, str(CHART), f"--namespace={namespace}")
    for values, fix in (
        ({"grafana.persistence.enabled": False}, "leave it on, or delete the Deployment"),
        ({"agent.hostPath": "/other"}, "Set it to /var/lib/lokikit as it was"),
        ({"loki.persistence.labels": {"a": "b"}}, "labels cannot change on an installed release"),
    ):
        assert fix in refused(installing, namespace, *given(values))


def test_names_that_are_taken(cluster: Cluster, installing: Helm) -> None:
    """Releases `foo` and `foo-lokikit` would share names: the second is told to choose others."""
    namespace = cluster.namespace(PRIVILEGED)
    installing.check("install", "foo", str(CHART), f"--namespace={namespace}")
    result = refused(installing, namespace, release="foo-lokikit")
    assert "the release foo has the names" in result
    own = given({"fullnameOverride": "bar", "agent.hostPath": "/var/lib/bar"})
    installing.check("install", "foo-lokikit", str(CHART), f"--namespace={namespace}", *own)
