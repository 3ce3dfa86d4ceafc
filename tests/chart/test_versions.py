"""The chart on the oldest Kubernetes that it is for, and on the newest that there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.chart.api_types import ApiTypes
from tests.chart.helming import CHART, PROFILES
from tests.chart.odd_values import BASES, arguments
from tests.chart.snapshots import FOLDER
from tests.tools.programs import HELM, KUBE_OLDEST

if TYPE_CHECKING:
    from tests.chart.helming import Helm

Resources = list[dict[str, Any]]
PINS = {"oldest": KUBE_OLDEST, "newest": HELM}
"""Version -> the module of the tests whose `go.mod` names the types of that Kubernetes."""


def client_go(version: str) -> str:
    """The version of Kubernetes' types, such as `v0.28.15`."""
    text = (PINS[version].path / "go.mod").read_text()
    return re.findall(r"k8s\.io/client-go (v[\d.]+)", text)[-1]


@pytest.fixture(scope="module")
def rendered(helm: Helm) -> Resources:
    """Each profile, as `test_snapshot` holds it, and what values make that profiles leave off."""
    kept = [(FOLDER / f"{name}.yaml").read_text() for name in PROFILES]
    profiles = [one for text in kept for one in yaml.load_all(text, yaml.CSafeLoader)]
    # The names of a config map's files stand there in place of the files.
    profiles = [omit(one, "data", "stringData") for one in profiles]
    return profiles + [one for values in BASES.values() for one in helm.render(*arguments(values))]


def omit(resource: dict[str, Any], *keys: str) -> dict[str, Any]:
    """It without these keys."""
    return {key: value for key, value in resource.items() if key not in keys}


def test_oldest_is_what_the_chart_says() -> None:
    """The version that is tried is the first that `kubeVersion` admits."""
    admitted = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    minor = re.fullmatch(r">=1\.(\d+)\.0-0", admitted)
    assert minor
    assert client_go("oldest").startswith(f"v0.{minor[1]}.")
    assert KUBE_OLDEST.version.startswith(f"1.{minor[1]}.")


@pytest.mark.parametrize("version", PINS)
def test_every_field_is_one_of_kubernetes(rendered: Resources, version: str) -> None:
    """No field is unknown to the oldest or to the newest, and none has another type."""
    types = ApiTypes(client_go(version))
    own = [one for one in rendered if types.knows(one)]
    assert len({one["kind"] for one in own}) > 12
    assert sorted({problem for one in own for problem in types.problems(one)}) == []


def test_an_unknown_field_is_found() -> None:
    """Fields of other versions, misspelt ones and wrong types are named with their path."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "automount": True}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "spec": {"trafficDistribution": "PreferClose"},
    }
    ports = {"apiVersion": "v1", "kind": "Service", "spec": {"ports": [{"port": "80"}]}}
    oldest = ApiTypes(client_go("oldest"))
    assert oldest.problems(account) == ["ServiceAccount.automount is unknown"]
    assert oldest.problems(service) == ["Service.spec.trafficDistribution is unknown"]
    assert ApiTypes(client_go("newest")).problems(service) == []
    assert oldest.problems(ports) == ["Service.spec.ports[0].port is '80'"]
