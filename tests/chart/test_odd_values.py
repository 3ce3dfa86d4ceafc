"""Each value at odd settings: what is rendered is valid, the rest is refused with the fix."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from tests.chart.cluster import PRIVILEGED
from tests.chart.helming import read
from tests.chart.odd_values import arguments, odd_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chart.cluster import Cluster
    from tests.chart.helming import Helm
    from tests.chart.odd_values import Odd

_SENTENCE = re.compile(
    r"values don't meet the specifications of the schema"
    r"|execution error at \(lokikit/\S+\): [^:]+: "
    r".*\b(set|write|leave|choose|add|install|give)\b",
    re.DOTALL,
)
"""A refusal of the chart's own: the schema's place, or what is wrong and what to do."""
_AT_ONCE = 4


class Trial:
    """Settings of values, tried one by one.

    Args:
        helm: renders.
        cluster: says what is valid.
    """

    def __init__(self, helm: Helm, cluster: Cluster) -> None:
        self._helm, self._cluster = helm, cluster
        self._namespace = cluster.namespace(PRIVILEGED)
        self._here = [f"--namespace={self._namespace}"]
        self._before: dict[str, list[dict[str, Any]]] = {}

    def faults(self, odds: Iterable[Odd]) -> list[str]:
        """Settings that are neither refused with a sentence nor valid, each with what is wrong."""
        tried = list(odds)
        for base in {str(one.base): one.base for one in tried}.values():
            self._before[str(base)] = self._helm.render(*arguments(base), *self._here)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            said = pool.map(self._fault, tried)
            return [f"{odd}: {fault}" for odd, fault in zip(tried, said, strict=True) if fault]

    def _fault(self, odd: Odd) -> str:
        result = self._helm.try_template(*odd.arguments, *self._here)
        if result.returncode != 0:
            return "" if _SENTENCE.search(result.stderr) else result.stderr[-500:]
        before = self._before[str(odd.base)]
        changed = [one for one in read(result.stdout) if one not in before]
        found = (self._validate(one) for one in changed)
        return " ".join(text[:300] for text in found if text)

    def _validate(self, resource: dict[str, Any]) -> str:
        # Namespaces of other names are not there: what goes there is tried in the one that is.
        metadata = {key: one for key, one in resource["metadata"].items() if key != "namespace"}
        said = self._cluster.validate({**resource, "metadata": metadata}, self._namespace)
        return "" if "not configured for dual-stack" in said else said


@pytest.fixture
def trial(installing: Helm, cluster: Cluster) -> Trial:
    """Settings, tried on the API server."""
    return Trial(installing, cluster)


def test_some(trial: Trial) -> None:
    """Every hundredth odd setting, as a sample."""
    assert "\n".join(trial.faults(list(odd_values())[::100])) == ""


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_all(trial: Trial) -> None:
    """Every value, null, empty, long, a number, beyond ASCII, with quotes and a line's end."""
    assert "\n".join(trial.faults(odd_values())) == ""
