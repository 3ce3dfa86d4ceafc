"""The commands of the pages, as they stand there, on a real API server.

What needs a pod that runs is run in `tests/pods`; no command is left out without a word.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.helming import RELEASE
from tests.chart.test_installing import CLAIM, DAEMON_SET, DEPLOYMENT, STATEFUL_SET
from tests.waiting import eventually

from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.chart.cluster import Cluster

NAMESPACE = "logging"
"""The pages' own."""
ELSEWHERE = {
    "helm test": "tests/pods",
    "kubectl exec": "tests/pods",
    "kubectl rollout status": "tests/pods",
    "curl": "test_intake of tests/pods, and tests/stack for the flush of Loki",
    "docker build": "tests/compose builds the image",
    "make package": "test_package_is_complete of test_rendering.py packs the same",
    "helm push": "nothing: it needs a registry",
    "helm install lokikit oci:": "nothing: it needs a registry",
    "kubectl port-forward": "nothing: Kubernetes' own",
    "helm install loki loki": "nothing: the community's chart would have to be fetched",
}
"""Beginning of a command -> where it is run, if anywhere."""


def commands(page: str) -> list[str]:
    """The shell commands of a page of `docs`, in their order."""
    text = (kit_root() / f"docs/{page}.md").read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for one in blocks for line in one.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line]


def can_run(command: str) -> bool:
    """Whether it needs an API server alone."""
    return not command.startswith(tuple(ELSEWHERE))


@pytest.fixture(scope="module")
def run(
    cluster: Cluster, helm_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., str]:
    """Runs a command as an operator does, in a checkout, and gives what it prints."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("THE COMMANDS OF THE PAGES ARE NOT TESTED: kubectl is not on PATH")
    folder = tmp_path_factory.mktemp("programs")
    (folder / "helm").symlink_to(helm_program)
    (folder / "kubectl").symlink_to(kubectl)
    environ = {
        **os.environ,
        "KUBECONFIG": str(cluster.kubeconfig),
        "HELM_CACHE_HOME": str(folder / "cache"),
        "GOGC": "off",
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
    }

    def command(text: str, *arguments: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", f"{text} {' '.join(arguments)}"],  # noqa: S607 - of this machine
            cwd=kit_root(),
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{text}: {done.stderr[-2000:]}"
        return done.stdout

    return command


@pytest.fixture
def logging(cluster: Cluster, run: Callable[..., str]) -> Iterator[None]:
    """The pages' namespace is free, and claims have a class that can be expanded."""
    cluster.apply(
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "example.com/none",
            "allowVolumeExpansion": True,
        }
    )
    yield
    run("kubectl delete storageclass standard")
    run(f"helm uninstall {RELEASE} --namespace {NAMESPACE}")
    run(f"kubectl delete pvc,secret --all --wait=false --namespace {NAMESPACE}")


def found(cluster: Cluster, kind: dict[str, Any], part: str) -> dict[str, Any]:
    """The resource of a part of the release."""
    resource = cluster.get(kind, f"{RELEASE}-{part}", NAMESPACE)
    assert resource, part
    return resource


def bind_claim(cluster: Cluster, run: Callable[..., str], name: str) -> None:
    """Have the API server believe that a volume is there: nothing makes volumes here."""
    eventually(lambda: cluster.get(CLAIM, name, NAMESPACE), within_s=60)
    status = '{"status":{"phase":"Bound","capacity":{"storage":"20Gi"}}}'
    run(f"kubectl patch pvc {name} --namespace {NAMESPACE} --subresource=status --patch '{status}'")


def test_each_command_is_run_or_named() -> None:
    """A command of a new kind is noticed; each kind that is left out stands on a page."""
    every = [*commands("kubernetes"), *commands("growing")]
    kinds = {" ".join(one.split()[:2]) for one in every if can_run(one)}
    assert kinds <= {
        "helm install",
        "helm upgrade",
        "kubectl create",
        "kubectl delete",
        "kubectl label",
        "kubectl patch",
        "kubectl rollout",
        "kubectl wait",
    }
    assert [one for one in ELSEWHERE if not any(line.startswith(one) for line in every)] == []


@pytest.mark.usefixtures("logging")
def test_page_of_kubernetes(cluster: Cluster, run: Callable[..., str]) -> None:
    """Installed, with the password read, replaced, restarted, with a canary and a larger volume."""
    claim = f"data-{RELEASE}-loki-0"
    for command in filter(can_run, commands("kubernetes")):
        if command.startswith("kubectl patch pvc"):
            bind_claim(cluster, run, claim)
        done = run(command)
        if command.startswith("helm install"):
            (shown,) = re.findall(r"^ *(kubectl get secret .*)$", done, re.MULTILINE)
            assert re.fullmatch(r"[A-Za-z0-9]{32}", run(shown))
    own = found(cluster, DEPLOYMENT, "grafana")
    mounted = [one.get("secret", {}).get("secretName") for one in volumes(own)]
    assert "grafana-admin" in mounted
    assert "restartedAt" in yaml.safe_dump(found(cluster, DAEMON_SET, "agent"))
    assert found(cluster, DEPLOYMENT, "canary")
    (template,) = found(cluster, STATEFUL_SET, "loki")["spec"]["volumeClaimTemplates"]
    grown = cluster.get(CLAIM, claim, NAMESPACE)
    assert grown
    for one in (template, grown):
        assert one["spec"]["resources"]["requests"]["storage"] == "50Gi"


def volumes(workload: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of its pods."""
    return list(workload["spec"]["template"]["spec"]["volumes"])


@pytest.mark.usefixtures("logging")
def test_page_of_growing(cluster: Cluster, run: Callable[..., str], tmp_path: Path) -> None:
    """From one replica to three, to a Loki elsewhere, and back with what they held."""
    page = (kit_root() / "docs/growing.md").read_text()
    three = tmp_path / "three.yaml"
    three.write_text(re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0])
    run(f"kubectl create namespace {NAMESPACE} --dry-run=client -o yaml | kubectl apply -f -")
    for verb in ("install", "upgrade"):
        values = f"--values={three}" if verb == "upgrade" else ""
        run(f"helm {verb} {RELEASE} deploy/chart --namespace {NAMESPACE}", values)
    names = {f"data-{RELEASE}-loki-{number}" for number in range(3)}
    eventually(lambda: names <= claims(cluster), within_s=60)
    for command in filter(can_run, commands("growing")):
        run(command)
    assert cluster.get(STATEFUL_SET, f"{RELEASE}-loki", NAMESPACE) is None
    assert not any("loki-" in name for name in cluster.pods(NAMESPACE))
    assert names <= claims(cluster)
    run(f"helm rollback {RELEASE} --namespace {NAMESPACE}")
    assert found(cluster, STATEFUL_SET, "loki")["spec"]["replicas"] == 3


def claims(cluster: Cluster) -> set[str]:
    """The names of the release's volumes."""
    return {one["metadata"]["name"] for one in cluster.all(CLAIM, NAMESPACE)}
