"""Helm and a real API server for the tests of the chart, both built from their Go modules."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.chart.cluster import Cluster
from tests.chart.crds import definitions
from tests.chart.helming import Helm
from tests.stack.conftest import loki_program
from tests.tools.programs import programs_or_skip
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["loki_program"]


@pytest.fixture(scope="session")
def helm_program() -> Path:
    """The pinned `helm`."""
    return programs_or_skip(["helm"], "THE CHART IS")["helm"]


@pytest.fixture(scope="session")
def helm(helm_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """A Helm that knows no cluster."""
    return Helm(helm_program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with a node by name and the operators' definitions; use namespaces of your own."""
    program = programs_or_skip(["kube"], "INSTALLING THE CHART IS")["kube"]
    with started_cluster(program, tmp_path_factory.mktemp("cluster")) as started:
        yield started


@contextmanager
def started_cluster(program: Path, folder: Path) -> Iterator[Cluster]:
    """A cluster as `cluster` is, of the control plane `program` of any version."""
    started = Cluster(program, folder)
    try:
        started.start()
        started.add_node()
        for one in definitions():
            started.apply(one)
        for one in definitions():
            eventually(lambda one=one: _is_served(started, one), within_s=60)
        yield started
    finally:
        started.stop()


def _is_served(cluster: Cluster, definition: dict[str, object]) -> bool:
    found = cluster.get(definition, definition["metadata"]["name"], "")
    conditions = found.get("status", {}).get("conditions", ()) if found else ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


@pytest.fixture(scope="session")
def installing(
    helm_program: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Helm:
    """A Helm on the cluster."""
    return Helm(helm_program, tmp_path_factory.mktemp("helm"), cluster.kubeconfig)
