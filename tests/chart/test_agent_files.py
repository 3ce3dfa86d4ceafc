"""The agent's files as the chart gives them to its pods, read by a real Fluent Bit."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import ssl
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.agent.conftest import api, fluent_bit, make_agent
from tests.agent.running import HOST
from tests.agent.sink import Sink
from tests.chart.cluster import PRIVILEGED
from tests.chart.helming import config, container, given, variables, workloads
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.agent.pods import ApiServer
    from tests.agent.running import RunningAgent
    from tests.chart.cluster import Cluster
    from tests.chart.helming import Helm

    Run = Callable[..., RunningAgent]

__all__ = ["api", "fluent_bit", "make_agent"]

SOONER = ("interval_sec: 30", "interval_sec: 1")
"""The heartbeat comes every second: no test waits half a minute for the first."""
LINE = '2026-01-01T00:00:00.000000000Z stdout F {{"message":"{mark}"}}\n'


@pytest.fixture
def sink() -> Iterator[Sink]:
    """What takes the pushes."""
    started = Sink()
    yield started
    started.close()


@pytest.fixture
def run(helm: Helm, make_agent: Callable[..., RunningAgent], api: ApiServer, tmp_path: Path) -> Run:
    """Start an agent with the files that the chart renders for `values`."""

    def start(
        url: str,
        values: dict[str, Any],
        entry: str = "kubernetes",
        part: str = "agent",
        **own: str,
    ) -> RunningAgent:
        resources = helm.render(*given(values))
        folder = tmp_path / "config"
        spec = workloads(resources)[part]["spec"]["template"]["spec"]
        (items,) = (one["configMap"]["items"] for one in spec["volumes"] if one["name"] == "config")
        held = config(resources, "lokikit-agent")
        for item in items:
            path = folder / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(held[item["key"]].replace(*SOONER))
        (tmp_path / "pods").mkdir(exist_ok=True)
        token = tmp_path / "token"
        token.write_text("not asked for")
        rendered = variables(container(workloads(resources)[part]))
        names = ("LOKI_PATH", "NAMESPACE", "CLUSTER", "LOKI_TENANT", "LOKI_TENANT_KEY", "LOKI_TLS")
        environ = {
            **{name: rendered[name] for name in names if name in rendered},
            "FLUENTBIT_CONTAINERS": str(tmp_path / "pods"),
            "KUBE_URL": api.url,
            "KUBE_TOKEN_FILE": str(token),
            **own,
        }
        agent = make_agent(url, entry, **environ)
        agent.command[-1] = str(folder / f"{entry}.yaml")
        return agent.start()

    return start


def prints(folder: Path, namespace: str, name: str = "0.log") -> str:
    """A mark in a line that a pod of that namespace has printed."""
    mark = uuid.uuid4().hex
    path = folder / "pods" / f"{namespace}_pod-{mark[:8]}_{uuid.uuid4()}" / "main" / name
    path.parent.mkdir(parents=True)
    path.write_text(LINE.format(mark=mark))
    return mark


@pytest.mark.parametrize(
    ("namespaces", "read"),
    [
        ({"include": ["shop", "team-*"]}, {"shop", "team-a"}),
        ({"exclude": ["kube-*"]}, {"shop", "shop-b", "team-a"}),
        ({"include": ["shop*"], "exclude": ["shop-b"]}, {"shop"}),
    ],
)
def test_namespaces(
    run: Run, sink: Sink, tmp_path: Path, namespaces: dict[str, list[str]], read: set[str]
) -> None:
    """Files of other namespaces are not opened, also not those that were rotated."""
    everywhere = ("kube-system", "shop", "shop-b", "team-a")
    marks = {name: [prints(tmp_path, name), prints(tmp_path, name, "0.log.20260101-000000")]
             for name in everywhere}  # fmt: skip
    agent = run(sink.url, {f"agent.namespaces.{key}": value for key, value in namespaces.items()})
    last = prints(tmp_path, min(read))
    for name in read:
        sink.found(marks[name][0])
    sink.found(last)
    agent.stop()
    seen = "".join(one.line for one in sink.entries)
    assert {name for name in everywhere if any(mark in seen for mark in marks[name])} == read


def test_inputs_of_the_user(run: Run, sink: Sink, tmp_path: Path) -> None:
    """The input for audit logs in docs/kubernetes.md goes the way of the others."""
    page = (kit_root() / "docs/kubernetes.md").read_text()
    (example,) = re.findall(r"```yaml\n(agent:\n  extraInputs:\n.*?)```", page, re.DOTALL)
    values = yaml.safe_load(example)["agent"]
    inputs = {"audit.yaml": values["extraInputs"]["audit.yaml"]}
    audit = tmp_path / "audit.log"
    audit.write_text("")
    inputs["audit.yaml"] = inputs["audit.yaml"].replace(
        "/var/log/kubernetes/audit/audit.log", str(audit)
    )
    run(
        sink.url,
        {f"agent.{key}": value for key, value in {**values, "extraInputs": inputs}.items()},
    )
    mark = uuid.uuid4().hex
    with audit.open("a") as file:
        file.write(f'{{"message":"{mark}"}}\n')
    assert sink.found(mark).labels["service_name"] == "audit"


def test_heartbeats(run: Run, sink: Sink) -> None:
    """Without a canary the agent writes numbered lines of its own pod and namespace."""
    run(sink.url, {"cluster": "north"}, POD_NAME="lokikit-agent-x")
    beat = sink.found('"canary_seq":1')
    labels = {"service_name": "canary", "cluster": "north", "namespace": "logs"}
    assert beat.labels.items() >= labels.items()
    assert beat.metadata.items() >= {"pod": "lokikit-agent-x", "host": HOST}.items()


def test_posted_lines_have_cluster_and_namespace(run: Run, sink: Sink) -> None:
    """They are those of the agent, whatever the client says."""
    agent = run(sink.url, {"cluster": "north", "canary.enabled": True, "registry": "a.example"})
    mark = uuid.uuid4().hex
    body = {"service": "billing", "message": mark, "namespace": "victim", "cluster": "other"}
    body |= {"_lokikit_namespace": "victim", "_lokikit_cluster": "other"}
    requests.post(agent.logs_url, json=body, timeout=30).raise_for_status()
    found = sink.found(mark)
    assert found.labels.items() >= {"cluster": "north", "namespace": "logs"}.items()
    assert "_lokikit" not in found.line


def test_no_name_of_the_cluster(run: Run, sink: Sink) -> None:
    """Without one, what is posted has no label for it."""
    agent = run(sink.url, {})
    mark = uuid.uuid4().hex
    requests.post(agent.logs_url, json={"message": mark}, timeout=30).raise_for_status()
    assert "cluster" not in sink.found(mark).labels


def test_below_a_path(run: Run, sink: Sink) -> None:
    """A Loki behind a path is pushed to below it, by both outputs."""
    external = {"loki.mode": "external", "loki.external.url": f"{sink.url}/logs/"}
    agent = run(sink.url, {**external})
    mark = uuid.uuid4().hex
    requests.post(agent.logs_url, json={"message": mark}, timeout=30).raise_for_status()
    assert sink.found(mark).path == "/logs/loki/api/v1/push"
    assert sink.found('"canary_seq":1').path == "/logs/loki/api/v1/push"


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """The files of a new certificate, which is its own authority, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.timezone.utc)
    day = dt.timedelta(days=1)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / f"{name}.crt", folder / f"{name}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(public), str(private)


def test_certificate_of_the_client(run: Run, tmp_path: Path) -> None:
    """A Loki that asks for a certificate gets the agent's."""
    (server, server_key), (client, client_key) = (
        certificate(tmp_path, name) for name in ("server", "client")
    )
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=client)
    tls.load_cert_chain(server, server_key)
    tls.verify_mode = ssl.CERT_REQUIRED
    sink = Sink(tls=tls)
    external = {
        "loki.mode": "external",
        "loki.external": {"url": sink.url, "caSecret": "a", "clientCertificateSecret": "b"},
    }
    files = {"LOKI_CA_FILE": server, "LOKI_CERT_FILE": client, "LOKI_KEY_FILE": client_key}
    run(sink.url, external, **files)
    assert sink.found('"canary_seq":1')
    sink.close()


def test_events_of_the_cluster(cluster: Cluster, run: Run, sink: Sink, tmp_path: Path) -> None:
    """An event of the API server becomes a line of its namespace, with its level and its reason."""
    namespace = cluster.namespace(PRIVILEGED)
    mark = uuid.uuid4().hex
    now = f"{dt.datetime.now(dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    cluster.apply(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"pod-1.{mark}", "namespace": namespace},
            "involvedObject": {"kind": "Pod", "name": "pod-1", "namespace": namespace},
            "type": "Warning",
            "reason": "BackOff",
            "message": f'back-off "{mark}"\n\trestarting',
            "count": 3,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "source": {"component": "kubelet", "host": "node-1"},
        },
        namespace,
    )
    token = tmp_path / "kube-token"
    token.write_text(cluster.token)
    kube = {"KUBE_URL": cluster.url, "KUBE_CA_FILE": cluster.ca_file, "KUBE_TOKEN_FILE": str(token)}
    run(sink.url, {"events.enabled": True}, "kubernetes-events", "events", **kube)
    (found,) = eventually(lambda: [one for one in sink.entries if mark in one.line], within_s=60)
    assert found.labels["service_name"] == "kubernetes-events"
    assert found.labels["namespace"] == namespace
    assert found.metadata.items() >= {"pod": "pod-1", "node": "node-1"}.items()
    for part in ('"level":"warning"', '"reason":"BackOff"', '"count":3', '"component":"kubelet"'):
        assert part in found.line
    assert f'back-off \\"{mark}\\"\\n\\trestarting' in found.line
