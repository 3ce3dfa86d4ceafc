"""A release of an earlier chart with real pods, upgraded to this one and rolled back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests import chart
from tests.pods.release import FOUND, Release, arrived

if TYPE_CHECKING:
    from tests.pods.conftest import Machine

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
RELEASED = sorted((Path(chart.__path__[0]) / "released").glob("*.tgz"))
CLAIMS = ("data-lokikit-loki-0", "lokikit-grafana")


@pytest.mark.parametrize("package", RELEASED, ids=lambda one: one.stem)
def test_upgrade_from_a_release(machine: Machine, package: Path) -> None:
    """What was stored stays, no line is sent again, and lines go on, there and back."""
    one = Release(machine, {})
    one.volumes(*CLAIMS)
    one.install(package)
    pod = one.prints("for number in range(1000): print('before', number)")
    query = f'{{service_name="main"}} | pod="{pod}"'
    before = arrived(one.loki(), query, 1000)
    for step in (one.upgrade, lambda: one.rollback(1)):
        step()
        assert FOUND in one.test()
        assert arrived(one.loki(), query, 1000) == before
        assert set(before.values()) == {1}
    one.uninstall()
