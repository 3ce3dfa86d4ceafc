"""What real pods print, by real containers' log files, as Loki has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.chart.cluster import PRIVILEGED
from tests.pods.node import NAME
from tests.pods.release import FOUND, Release, arrived
from tests.stack.asking import recent_entries
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pods.conftest import Machine

    from lokikit.query.results import LogEntry

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
SMALL = {
    "cluster": "south",
    "loki.persistence.enabled": False,
    "grafana.enabled": False,
    "agent.intake.enabled": True,
}
TRACEBACK = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    open("/nowhere")
FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'"""


@pytest.fixture(scope="module")
def release(machine: Machine) -> Iterator[Release]:
    """The chart without volumes and Grafana."""
    one = Release(machine, SMALL)
    one.install()
    yield one
    one.uninstall()


def the_entry(release: Release, query: str) -> LogEntry:
    """The only entry of a query, waited for."""
    (entry,) = eventually(lambda: recent_entries(release.loki(), query), within_s=120)
    return entry


def test_whose_line_it_is(release: Release) -> None:
    """Labels and metadata name the pod; the line is byte for byte what it printed."""
    line = json.dumps({"level": "info", "message": "grüße", "n": 1.50}, ensure_ascii=False)
    pod = release.prints(f"print({line!r})")
    entry = the_entry(release, f'{{namespace="{release.namespace}"}} | pod="{pod}"')
    assert entry.line == line
    assert entry.labels == {
        "service_name": "main",
        "namespace": release.namespace,
        "cluster": "south",
    }
    told = {key: entry.metadata[key] for key in ("pod", "container", "node", "host", "stream")}
    assert told == {
        "pod": pod,
        "container": "main",
        "node": NAME,
        "host": NAME,
        "stream": "stdout",
    }


@pytest.mark.parametrize(
    ("labels", "annotations", "service"),
    [
        ({"app": "shop"}, {}, "shop"),
        ({"app": "shop", "app.kubernetes.io/name": "checkout"}, {}, "checkout"),
        ({"app": "shop"}, {"lokikit/service": "till"}, "till"),
    ],
    ids=["app", "name", "annotation"],
)
def test_service(
    release: Release, labels: dict[str, str], annotations: dict[str, str], service: str
) -> None:
    """A line that names no service has the one of the pod's annotation or labels."""
    pod = release.prints("print('hello')", labels=labels, annotations=annotations)
    entry = the_entry(release, f'{{service_name="{service}"}} | pod="{pod}"')
    assert entry.line == "hello"


def test_opted_out(release: Release) -> None:
    """Not one line of a pod that is excluded is sent."""
    quiet = release.prints("print('hush')", annotations={"fluentbit.io/exclude": "true"})
    release.ended(quiet)
    loud = release.prints("print('heard')")
    the_entry(release, f'{{service_name="main"}} | pod="{loud}"')
    assert recent_entries(release.loki(), f'{{namespace=~".+"}} | pod="{quiet}"') == []


def test_foreign_traceback(release: Release) -> None:
    """The lines of a traceback that was printed as it is are one entry."""
    pod = release.prints(f"print({TRACEBACK!r})")
    entry = the_entry(release, f'{{service_name="main"}} | pod="{pod}"')
    assert entry.line == TRACEBACK


def test_long_line(release: Release) -> None:
    """What the runtime cut into many pieces is one line again."""
    start, count = '{"service": "long", "message": "', 100_000
    pod = release.prints(f"print({start!r} + 'ä' * {count} + '\"}}')")
    entry = the_entry(release, f'{{service_name="long"}} | pod="{pod}"')
    assert entry.line == f'{start}{"ä" * count}"}}'


def test_intake(release: Release) -> None:
    """`POST /logs` takes lines by its service."""
    event = {"service": "billing", "level": "info", "message": "invoice 17 sent"}
    assert release.cluster.post("lokikit-logs:http", release.namespace, "logs", event) == 201
    entry = the_entry(release, '{service_name="billing"}')
    assert entry.fields["message"] == "invoice 17 sent"


def test_heartbeats(release: Release) -> None:
    """Without a canary the agent's numbered lines are there, which `pipeline-silent` counts."""
    query = f'{{service_name="canary", namespace="{release.namespace}"}} |= "canary_seq"'
    beats = eventually(lambda: recent_entries(release.loki(), query), within_s=120)
    metadata = beats[0].metadata
    assert metadata["host"] == NAME
    assert metadata["pod"] == release.pod("agent")["metadata"]["name"]


def test_tenants(machine: Machine) -> None:
    """With a tenant for each namespace, lines are read by their own namespace's alone."""
    one = Release(
        machine,
        {
            "tenants.byNamespace": True,
            "loki.persistence.enabled": False,
            "grafana.enabled": False,
        },
    )
    one.install()
    other = machine.cluster.namespace(PRIVILEGED)
    one.prints("print('of the other')", other)
    one.prints("print('of the release')")
    for tenant, line in ((other, "of the other"), (one.namespace, "of the release")):
        assert arrived(one.loki(tenant), '{service_name="main"}', 1) == {line: 1}
    assert FOUND in one.test()
    one.uninstall()
