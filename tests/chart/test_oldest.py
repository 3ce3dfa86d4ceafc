"""What is shown on the newest API server, on the oldest that the chart is for (`make soak`).

It is built for this alone, which takes ten minutes; its types are compared in `test_versions.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.chart.conftest import started_cluster
from tests.chart.helming import Helm
from tests.chart.test_installing import (  # noqa: F401 - they run here too, on the cluster below
    test_every_resource_is_valid,
    test_from_one_replica_to_three,
    test_life_of_a_release,
    test_pod_security,
    test_upgrade_from_a_release,
)
from tests.tools.programs import programs_or_skip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.chart.cluster import Cluster

pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of the oldest version."""
    program = programs_or_skip(["kube-oldest"], "THE OLDEST KUBERNETES IS")["kube-oldest"]
    with started_cluster(program, tmp_path_factory.mktemp("oldest")) as started:
        yield started


@pytest.fixture(scope="module")
def installing(
    helm_program: Path, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Helm:
    """A Helm on it."""
    return Helm(helm_program, tmp_path_factory.mktemp("helm"), cluster.kubeconfig)
