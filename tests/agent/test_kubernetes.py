"""Lines of pods: whose they are, by what the API server says of the pod."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

import pytest
import requests
import yaml
from tests.agent.pods import Pods, following
from tests.stack.asking import HOUR_NS, recent_entries
from tests.stack.conftest import RunningLoki
from tests.stack.replicas import laid_over
from tests.waiting import eventually

from lokikit.query.client import Loki
from lokikit.stack.agent_metrics import METRICS_PATH
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.pods import ApiServer
    from tests.agent.running import RunningAgent


@pytest.fixture
def pods(
    api: ApiServer, loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> Pods:
    """With an agent that follows them."""
    folder = tmp_path / "pods"
    make_agent(loki_url, "kubernetes", CLUSTER="north", **following(folder, api.url)).start()
    return Pods(api, folder, Loki(loki_url))


def test_pods_are_named(pods: Pods) -> None:
    """Service by annotation, by app labels, by container; pod, namespace, node and cluster."""
    mark = uuid.uuid4().hex
    app = {"app.kubernetes.io/name": "shop", "app": "old"}
    override = {"lokikit/service": "checkout"}
    own = json.dumps({"service": "own", "message": f"{mark}-own"})
    printed = {
        "checkout": pods.prints(f"{mark}-checkout", labels=app, annotations=override),
        "shop": pods.prints(f"{mark}-shop", labels=app),
        "old": pods.prints(f"{mark}-old", labels={"app": "old"}),
        "side": pods.prints(f"{mark}-side", "side"),
        "own": pods.prints(own, labels=app, annotations=override),
    }
    for service, pod in printed.items():
        entry = pods.found(f"{mark}-{service}")
        assert entry.labels == {
            "service_name": service,
            "cluster": "north",
            "namespace": "default",
        }
        assert entry.metadata["pod"] == pod
        assert entry.metadata["container"] == ("side" if service == "side" else "main")
        assert entry.metadata["stream"] == "stdout"
        assert entry.metadata["node"] == "node-7"


def test_pods_are_told_apart_without_an_api_server(
    loki_url: str, api: ApiServer, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """While nobody answers there, pod, namespace and container come from the file's name."""
    folder = tmp_path / "pods"
    make_agent(loki_url, "kubernetes", **following(folder, "http://127.0.0.1:1")).start()
    mark, pods = uuid.uuid4().hex, Pods(api, folder, Loki(loki_url))
    pod = pods.prints(mark, "side")
    entry = pods.found(mark)
    assert entry.labels == {"service_name": "side", "namespace": "default"}
    assert (entry.metadata["pod"], entry.metadata["container"]) == (pod, "side")


def test_a_pod_may_keep_to_itself(pods: Pods) -> None:
    """With the annotation none of its lines is sent; others, printed later, are."""
    mark = uuid.uuid4().hex
    private = {"fluentbit.io/exclude": "true"}
    pods.prints(f"{mark}-private", labels={"app": mark}, annotations=private)
    pods.prints(f"{mark}-public", labels={"app": mark})
    assert pods.found(mark).line == f"{mark}-public"


def test_a_long_line_is_whole(pods: Pods) -> None:
    """The parts that the runtime makes of it are joined."""
    line = uuid.uuid4().hex + "x" * 100_000
    pods.prints(line, labels={"app": "long"})
    assert pods.found(line[:32]).line == line


def test_each_namespace_is_a_tenant(
    api: ApiServer,
    loki_program: Path,
    make_agent: Callable[..., RunningAgent],
    tmp_path: Path,
) -> None:
    """With tenants, a pod's lines are its namespace's, and no other tenant finds them."""
    files = (kit_root() / f"loki/{name}.yaml" for name in ("loki", "tenants"))
    base, over = (yaml.safe_load(path.read_text()) for path in files)
    config = tmp_path / "tenants.yaml"
    config.write_text(yaml.safe_dump(laid_over(base, over)))
    loki = RunningLoki(loki_program, tmp_path, {}).start(f"-config.file={config}")
    folder = tmp_path / "pods"
    tenants = {"LOKI_TENANT": "kit", "LOKI_TENANT_KEY": "$namespace"}
    try:
        make_agent(loki.url, "kubernetes", **tenants, **following(folder, api.url)).start()
        mark = uuid.uuid4().hex
        Pods(api, folder, Loki(loki.url)).prints(mark, labels={"app": "shop"})
        assert Pods(api, folder, Loki(loki.url, tenant="default")).found(mark).line == mark
        assert Pods(api, folder, Loki(loki.url, tenant="kit|default")).found(mark).line == mark
        assert recent_entries(Loki(loki.url, tenant="kit"), '{service_name=~".+"}') == []
    finally:
        loki.kill()


def test_rules_for_prometheus_ask_what_there_is(
    loki_program: Path, tmp_path: Path, make_agent: Callable[..., RunningAgent]
) -> None:
    """Each metric that the chart's PrometheusRule names is one of the agent's or of Loki's."""
    loki = RunningLoki(loki_program, tmp_path, {}).start()
    agent = make_agent(loki.url, "native").start()
    too_new = [[str(time.time_ns() + HOUR_NS), "refused"]]
    streams = [{"stream": {"service_name": "rules"}, "values": too_new}]
    requests.post(f"{loki.url}/loki/api/v1/push", json={"streams": streams}, timeout=70)
    rule = kit_root() / "deploy/chart/templates/monitoring/prometheusrule.yaml"
    asked = set(re.findall(r"\b((?:fluentbit|loki)_\w+)\{", rule.read_text()))
    assert len(asked) == 4

    def has_arrived() -> bool:
        output = requests.get(agent.admin_url + METRICS_PATH, timeout=60).text
        output += requests.get(f"{loki.url}/metrics", timeout=60).text
        return asked <= set(re.findall(r"^# TYPE (\w+)", output, re.MULTILINE))

    try:
        eventually(has_arrived, within_s=60)
    finally:
        loki.kill()


@pytest.mark.skipif(shutil.which("curl") is None, reason="`helm test` NOT TRIED: no curl")
def test_script_of_helm_test(loki_url: str, make_agent: Callable[..., RunningAgent]) -> None:
    """What `helm test` runs in its pod prints a line, finds it in Loki, and succeeds."""
    agent = make_agent(loki_url, "native").start()
    script = (kit_root() / "deploy/chart/files/find-line.sh").read_text()
    variables = {"LOKI_URL": loki_url, "LOKI_ORG_ID": "", "HOSTNAME": "pod"}
    with (agent.logs / "pod.log").open("w") as stdout:
        done = subprocess.run(
            ["/bin/sh", "-ec", script],
            env={"PATH": os.environ["PATH"], **variables},
            stdout=stdout,
            check=False,
        )
    assert done.returncode == 0
    assert "Found in Loki." in (agent.logs / "pod.log").read_text()
