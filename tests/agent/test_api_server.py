"""Lines of pods while the API server is silent, refuses, or is not reached: they go on."""

from __future__ import annotations

import shutil
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.agent.gateway import Authority
from tests.agent.pods import ApiServer, Pods, dropping_port, following
from tests.stack.asking import recent_entries
from tests.waiting import eventually

from lokikit.query.client import Loki
from lokikit.stack.kit_files import kit_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.agent.running import RunningAgent

    MakePods = Callable[..., Pods]

PODS = 12
"""Pods that print at once. When each question held up all lines for 10 s, the last waited 2 min."""
SHOP: dict[str, Any] = {"labels": {"app": "shop"}}

EXCLUSIONS: list[tuple[dict[str, str], bool]] = [
    ({"exclude": "true"}, False),
    ({"exclude": "On"}, False),
    ({"exclude": "false"}, True),
    ({"exclude_stdout": "true"}, False),
    ({"exclude_stderr": "true"}, True),
    ({"exclude-main": "true"}, False),
    ({"exclude-side": "true"}, True),
    ({"exclude_stdout-main": "true"}, False),
    ({"exclude": "true", "exclude-main": "false"}, True),
    ({"exclude-main": "true", "exclude_stdout-main": "false"}, True),
]
"""Annotations `fluentbit.io/…`, and whether a line on stdout of the container `main` is sent."""


@pytest.fixture
def make_pods(loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path) -> MakePods:
    """Pods that an agent follows, which asks at `url`: `make_pods(api, url, NAME="value")`."""

    def make(api: ApiServer, url: str, **variables: str) -> Pods:
        folder = tmp_path / "pods"
        environ = {**following(folder, url), **variables}
        sooner(make_agent(loki_url, "kubernetes", **environ), tmp_path / "config").start()
        return Pods(api, folder, Loki(loki_url))

    return make


def sooner(agent: RunningAgent, folder: Path) -> RunningAgent:
    """Have it look for new files each second, so that no test waits five for each new pod."""
    shutil.copytree(kit_root() / "fluentbit", folder)
    inputs = folder / "inputs/kubernetes.yaml"
    inputs.write_text(inputs.read_text().replace("refresh_interval: 5\n", "refresh_interval: 1\n"))
    agent.command[-1] = str(folder / "kubernetes.yaml")
    return agent


def service_of(pods: Pods, **metadata: dict[str, str]) -> str:
    """The service of a line of a new pod."""
    mark = uuid.uuid4().hex
    pods.prints(mark, **metadata)
    return pods.found(mark).labels["service_name"]


def test_packets_are_dropped(api: ApiServer, make_pods: MakePods) -> None:
    """Lines of many pods arrive with what the names of their files say."""
    with dropping_port() as port:
        pods = make_pods(api, f"http://127.0.0.1:{port}")
        mark = uuid.uuid4().hex
        names = [pods.prints(f"{mark} {number}.", "side") for number in range(PODS)]
        for number, name in enumerate(names):
            entry = pods.found(f"{mark} {number}.")
            assert entry.labels == {"service_name": "side", "namespace": "default"}
            assert (entry.metadata["pod"], entry.metadata["container"]) == (name, "side")


def test_a_silent_server(api: ApiServer, make_pods: MakePods) -> None:
    """Lines arrive while it takes requests without an answer, and have labels once it answers."""
    api.speaks.clear()
    pods, name = make_pods(api, api.url), f"pod-{uuid.uuid4().hex}"
    api.pods[name] = SHOP
    file = pods.file(name)

    def service() -> str:
        mark = uuid.uuid4().hex
        pods.write(file, mark)
        return pods.found(mark).labels["service_name"]

    assert service() == "main"
    eventually(lambda: api.asked)
    api.speaks.set()
    eventually(lambda: service() == "shop", within_s=60)
    assert service_of(pods, labels={"app": "new"}) == "new"


def test_refusals(api: ApiServer, make_pods: MakePods) -> None:
    """A refusal is an answer: the line goes by its container, and the next pod is named."""
    api.refusals = [401, 403, 429, 500]
    pods = make_pods(api, api.url)
    marks = [uuid.uuid4().hex for _ in range(6)]
    for mark in marks:
        pods.prints(mark, **SHOP)
    services = Counter(pods.found(mark).labels["service_name"] for mark in marks)
    assert services == {"main": 4, "shop": 2}


def test_a_token_that_comes_later(api: ApiServer, make_pods: MakePods, tmp_path: Path) -> None:
    """Without a token lines go by their containers, and with it pods are named."""
    token = tmp_path / "later"
    pods = make_pods(api, api.url, KUBE_TOKEN_FILE=str(token))
    assert service_of(pods, **SHOP) == "main"
    token.write_text("here")
    assert service_of(pods, **SHOP) == "shop"


@pytest.mark.parametrize(("signer", "service"), [("known", "shop"), ("unknown", "main")])
def test_certificates(make_pods: MakePods, tmp_path: Path, signer: str, service: str) -> None:
    """Names come from a server whose certificate the authority has signed, and from no other."""
    for folder in ("known", "unknown"):
        (tmp_path / folder).mkdir()
    authority, other = Authority(tmp_path / "known"), Authority(tmp_path / "unknown")
    api = ApiServer(authority.server())
    file = (authority if signer == "known" else other).file
    assert service_of(make_pods(api, api.url, KUBE_CA_FILE=str(file)), **SHOP) == service
    api.close()


def test_a_pod_of_the_same_name(api: ApiServer, make_pods: MakePods) -> None:
    """Its labels are asked for anew, as those of a StatefulSet's pod after a rollout."""
    pods, name = make_pods(api, api.url), f"pod-{uuid.uuid4().hex}"
    for service in ("old", "new"):
        api.pods[name] = {"labels": {"app": service}}
        mark = uuid.uuid4().hex
        pods.write(pods.file(name), mark)
        assert pods.found(mark).labels["service_name"] == service


def test_exclusion(
    api: ApiServer, loki_url: str, make_agent: Callable[..., RunningAgent], tmp_path: Path
) -> None:
    """A pod keeps to itself what its annotations say: all, a stream, a container, or both."""
    folder = tmp_path / "pods"
    agent = make_agent(loki_url, "kubernetes", **following(folder, api.url))
    sooner(agent, tmp_path / "config").start()
    pods, mark = Pods(api, folder, Loki(loki_url)), uuid.uuid4().hex
    for number, (names, _) in enumerate(EXCLUSIONS):
        annotations = {f"fluentbit.io/{name}": value for name, value in names.items()}
        pods.prints(f"{mark} {number}.", annotations=annotations)
    sent = {number for number, (_, is_sent) in enumerate(EXCLUSIONS) if is_sent}
    for number in sent:
        pods.found(f"{mark} {number}.")
    agent.stop()
    found = recent_entries(Loki(loki_url), f'{{service_name="main"}} |= "{mark}"')
    assert {entry.line for entry in found} == {f"{mark} {number}." for number in sent}
