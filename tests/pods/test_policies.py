"""Network policies as a policy engine enforces them: who reaches Loki, Grafana and the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from tests.chart.cluster import PRIVILEGED
from tests.pods.release import FOUND, Release, arrived
from tests.stack.asking import recent_entries
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pods.conftest import Machine

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
CLIENT = {"lokikit/client": "true"}
TRYING = """
import sys, time, urllib.request
for _ in range({tries}):
    try:
        urllib.request.urlopen("http://{host}.svc:{port}{path}", timeout=3)
    except urllib.error.HTTPError:
        break
    except OSError as error:
        print(error)
        time.sleep(1)
    else:
        break
else:
    sys.exit(1)
"""
LOKI, GRAFANA, AGENT = ("lokikit-loki", 3100), ("lokikit-grafana", 3000), ("lokikit-logs", 9880)
DENY = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "deny"},
    "spec": {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "lokikit"}},
        "policyTypes": ["Egress"],
    },
}
"""What a namespace has that denies by default, for the pods of the chart: others here ask Loki."""
PATIENT, BRIEF = 60, 5
"""Tries of a pod that is let in, which may wait for the engine, and of a pod that is not."""


@pytest.fixture(scope="module")
def release(machine: Machine) -> Iterator[Release]:
    """The chart with its policies, for outgoing traffic too, and a service for `POST /logs`."""
    if machine.unenforced:
        pytest.skip(f"NETWORK POLICIES ARE NOT ENFORCED: {machine.unenforced}")
    kept = ("loki.persistence.enabled", "grafana.persistence.enabled")
    on = ("agent.intake.enabled", "events.enabled", "networkPolicy.egress")
    values = {**dict.fromkeys(kept, False), **dict.fromkeys(on, True)}
    port = urlsplit(machine.cluster.url).port
    one = Release(machine, {**values, "networkPolicy.apiServerPorts": [port]})
    one.cluster.apply(DENY, one.namespace)
    one.install()
    yield one
    one.uninstall()


def asks(
    release: Release, target: tuple[str, int], namespace: str, labels: dict[str, str], tries: int
) -> str:
    """A pod that asks a part of the release and ends well when that answers."""
    name, port = target
    script = TRYING.format(
        host=f"{name}.{release.namespace}", port=port, path="/ready", tries=tries
    )
    return release.prints(script, namespace, labels=labels)


def test_the_pipeline_works(release: Release) -> None:
    """Agent, API server, names and Loki are reached under the rules for outgoing traffic."""
    assert FOUND in release.test()
    pod = release.prints("print('hello')", labels={"app": "shop"})
    arrived(release.loki(), f'{{service_name="shop"}} | pod="{pod}"', 1)
    arrived(release.loki(), '{service_name="kubernetes-events"}', 1)


@pytest.mark.parametrize("where", ["beside it", "elsewhere"])
def test_loki_answers_to_clients_alone(release: Release, where: str) -> None:
    """A pod with the label reaches Loki from any namespace, and a pod without it from none."""
    namespace = release.namespace if where == "beside it" else release.cluster.namespace(PRIVILEGED)
    known = asks(release, LOKI, namespace, CLIENT, PATIENT)
    release.ended(known, namespace)
    stranger = asks(release, LOKI, namespace, {"app": "stranger"}, BRIEF)
    release.ended(stranger, namespace, "Failed")


@pytest.mark.parametrize("target", [GRAFANA, AGENT], ids=["grafana", "agent"])
def test_ways_in_are_open(release: Release, target: tuple[str, int]) -> None:
    """Grafana, which asks for a password, and `POST /logs` answer to any pod."""
    namespace = release.cluster.namespace(PRIVILEGED)
    release.ended(asks(release, target, namespace, {}, PATIENT), namespace)


def test_lines_go_on_without_the_api_server(release: Release) -> None:
    """A pod goes by its container while a policy keeps the agent from that server."""

    def service() -> str:
        pod = release.prints("print('hello')", labels={"app": "shop"})
        query = f'{{service_name=~"main|shop"}} | pod="{pod}"'
        (entry,) = eventually(lambda: recent_entries(release.loki(), query), within_s=120)
        return entry.labels["service_name"]

    release.upgrade(networkPolicy__apiServerPorts=[1])
    eventually(lambda: service() == "main", within_s=300)
    release.upgrade()
    eventually(lambda: service() == "shop", within_s=300)
