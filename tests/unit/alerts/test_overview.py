from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.unit.alerts.watching import RULE, SHOP, START_NS

from lokikit.alerts.overview import alert_rows, is_running
from lokikit.alerts.silences import Silence
from lokikit.alerts.state_file import AlertState, RuleRecord, alive_file
from lokikit.monitoring.rule_states import Instance

if TYPE_CHECKING:
    from pathlib import Path


def state(*instances: Instance) -> AlertState:
    return AlertState(START_NS, rules={"many": RuleRecord(START_NS, "", list(instances))})


def test_rule_that_was_never_looked_at_has_a_row() -> None:
    (row,) = alert_rows([RULE], AlertState(), [], START_NS)
    assert (row.state, row.value, row.since_ns) == ("inactive", None, 0)


def test_quiet_rule_shows_its_greatest_value() -> None:
    held = state(Instance(SHOP, value=1), Instance({"service_name": "jobs"}, value=4))
    (row,) = alert_rows([RULE], held, [], START_NS)
    assert row.value == 4


def test_alerts_stand_before_those_that_wait_and_each_series_has_a_row() -> None:
    held = state(
        Instance(SHOP, "pending", 9, 1), Instance({"service_name": "jobs"}, "firing", 9, 2)
    )
    rows = alert_rows([RULE], held, [], START_NS)
    assert [(one.of, one.state, one.is_active) for one in rows] == [
        ("jobs", "firing", True),
        ("shop dev", "pending", False),
    ]


def test_silence_is_shown_where_it_covers() -> None:
    held = state(Instance(SHOP, "firing", 9, 1), Instance({"service_name": "jobs"}, "firing", 9, 2))
    silence = Silence(1, "many", "shop", START_NS + 1, 0)
    rows = alert_rows([RULE], held, [silence], START_NS)
    assert {one.of: one.silenced for one in rows} == {"shop dev": True, "jobs": False}


def test_alerts_run_while_their_file_is_young(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    alive_file(tmp_path).touch()
    assert is_running(tmp_path)
    os.utime(alive_file(tmp_path), (1, 1))
    assert not is_running(tmp_path)
