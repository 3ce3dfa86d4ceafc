"""The chart with real pods: it comes up, is changed, fails and goes, and no line is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chart.helming import RELEASE
from tests.pods.release import FOUND, POD, Release, arrived
from tests.stack.asking import recent_entries
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pods.conftest import Machine

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
CLAIMS = ("data-lokikit-loki-0", "lokikit-grafana")
LINES = 20_000
COUNTING = f"""
import json, time
for number in range({LINES}):
    print(json.dumps({{"service": "counting", "message": "line", "number": number}}))
    if number % 20 == 0:
        time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def release(machine: Machine) -> Iterator[Release]:
    """The chart as it comes, with its canary."""
    image = {"registry": "docker.io", "repository": "lokikit", "tag": machine.canary_tag}
    one = Release(machine, {"canary.enabled": True, "canary.image": image})
    one.volumes(*CLAIMS)
    one.install()
    yield one
    one.uninstall()


def test_install(release: Release) -> None:
    """Every part is there, ready, and was not restarted on its way."""
    for component in ("agent", "canary", "grafana", "loki"):
        (status,) = release.pod(component)["status"]["containerStatuses"]
        assert status["restartCount"] == 0, component


def test_helm_test(release: Release) -> None:
    """A line that a pod prints is found, by the chart's own test."""
    assert FOUND in release.test()


def test_canary(release: Release) -> None:
    """The canary's lines come back to it."""

    def in_time() -> bool:
        found = recent_entries(release.loki(), '{service_name="canary"} |= "canary_round_trip_s"')
        return any(one.fields["canary_lost"] == 0 for one in found)

    eventually(in_time, within_s=300)


def test_upgrade_and_rollback(release: Release) -> None:
    """Both leave lines and pods as they should be, and change what they should."""
    before = release.prints("print('before the upgrade')")
    found = arrived(release.loki(), f'{{service_name="main"}} | pod="{before}"', 1)
    release.upgrade(cluster="north", retention="240h")
    assert FOUND in release.test()
    assert recent_entries(release.loki(), '{service_name="helm-test", cluster="north"}')
    release.rollback(1)
    assert FOUND in release.test()
    assert recent_entries(release.loki(), '{service_name="helm-test", cluster=""}')
    assert arrived(release.loki(), f'{{service_name="main"}} | pod="{before}"', 1) == found


@pytest.mark.parametrize("part", ["loki", "agent", "grafana"])
def test_failed_upgrade(release: Release, part: str) -> None:
    """An upgrade to an image that is not there is taken back whole."""
    pods = {name: release.pod(name)["metadata"] for name in ("agent", "canary", "grafana", "loki")}
    release.fail("upgrade", **{f"{part}__image__tag": "none"})
    images = [
        container["image"] for name in pods for container in release.pod(name)["spec"]["containers"]
    ]
    assert not [image for image in images if image.endswith(":none")]
    unchanged = {name for name in pods if release.pod(name)["metadata"]["uid"] == pods[name]["uid"]}
    assert unchanged >= pods.keys() - {part}
    assert FOUND in release.test()


def test_failed_install(machine: Machine) -> None:
    """An install that cannot get ready leaves nothing but what holds data."""
    without_volumes = ("loki.persistence.enabled", "grafana.persistence.enabled")
    one = Release(machine, dict.fromkeys(without_volumes, False))
    one.fail("install", loki__image__tag="none")
    eventually(lambda: not one.cluster.pods(one.namespace), within_s=120)
    here = f"--namespace={one.namespace}"
    assert machine.helm.run("status", RELEASE, here).stderr == "Error: release: not found\n"
    one.install()
    assert FOUND in one.test()
    one.uninstall()


def test_nothing_is_lost(release: Release) -> None:
    """A pod prints while agent and Loki are killed: each line arrives, and once."""
    pod = release.prints(COUNTING)
    loki = release.loki()
    query = '{service_name="counting"}'
    arrived(loki, query, 1)
    for component in ("agent", "loki", "agent"):
        killed = release.pod(component)["metadata"]
        release.cluster.delete(POD, killed["name"], release.namespace, grace_s=0)
        eventually(
            lambda component=component, killed=killed: (
                release.pod(component)["metadata"]["uid"] != killed["uid"]
            ),
            within_s=120,
        )
    release.ended(pod)
    found = arrived(loki, query, LINES)
    assert len(found) == LINES
    assert set(found.values()) == {1}


def test_uninstall_keeps_the_data(release: Release) -> None:
    """The next install has the old lines, and sends none of them again."""
    query = '{service_name="helm-test"}'
    before = arrived(release.loki(), query, 1)
    release.uninstall()
    release.install()
    assert FOUND in release.test()
    after = arrived(release.loki(), query, len(before) + 1)
    assert {line: after[line] for line in before} == dict(before)
