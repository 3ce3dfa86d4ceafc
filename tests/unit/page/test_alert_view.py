from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from lokikit.alerts.silences import add_silence
from lokikit.alerts.state_file import AlertState, RuleRecord, write_state
from lokikit.errors import SettingsError
from lokikit.monitoring.alert_rules import provisioned_rules
from lokikit.monitoring.rule_states import Instance
from lokikit.page.alert_view import alerts_now, silence_end
from lokikit.query.results import Sample

if TYPE_CHECKING:
    from pathlib import Path

RULE = next(rule for rule in provisioned_rules() if rule.uid == "error-ratio")
SHOP = {"service_name": "shop", "env": "dev"}


class FakeLoki:
    """Answers the query of `RULE` with a breach, and other queries with nothing."""

    def instant(self, query: str, _at: int) -> list[Sample]:
        return [Sample(SHOP, 0, "0.9")] if query == RULE.query else []


def rule_of(answer: dict[str, Any], uid: str) -> dict[str, Any]:
    (found,) = (rule for rule in answer["rules"] if rule["uid"] == uid)
    return dict(found)


def keep(folder: Path, evaluated_ns: int) -> None:
    """Write a state with a firing series."""
    firing = Instance(SHOP, "firing", 0.9, since_ns=1)
    rules = {RULE.uid: RuleRecord(evaluated_ns, "", [firing, Instance({"service_name": "jobs"})])}
    write_state(folder, AlertState(evaluated_ns, rules=rules))


def test_kept_states_have_their_start(tmp_path: Path) -> None:
    keep(tmp_path, time.time_ns())
    answer = alerts_now(FakeLoki(), tmp_path)  # type: ignore[arg-type]
    (series,) = rule_of(answer, RULE.uid)["series"]
    assert series == {
        "labels": SHOP,
        "service": "shop",
        "state": "firing",
        "value": 0.9,
        "problem": "",
        "silenced": False,
        "since": "1",
    }
    assert (answer["rules"][0]["uid"], answer["note"]) == (RULE.uid, "")


def test_old_states_give_way_to_the_answers_of_loki(tmp_path: Path) -> None:
    keep(tmp_path, 1)
    answer = alerts_now(FakeLoki(), tmp_path)  # type: ignore[arg-type]
    (series,) = rule_of(answer, RULE.uid)["series"]
    assert (series["state"], series["labels"], "since" in series) == ("over", SHOP, False)
    assert answer["note"].startswith("lokikit alerts does not run here")


def test_silenced_breach_is_marked(tmp_path: Path) -> None:
    now_ns = time.time_ns()
    add_silence(tmp_path, RULE.uid, "shop", now_ns + 3600 * 10**9, now_ns)
    answer = alerts_now(FakeLoki(), tmp_path)  # type: ignore[arg-type]
    (series,) = rule_of(answer, RULE.uid)["series"]
    assert series["silenced"]
    assert [silence["rule"] for silence in answer["silences"]] == [RULE.uid]


def test_unknown_rule_cannot_be_silenced() -> None:
    with pytest.raises(SettingsError, match="there is no rule 'nothing'"):
        silence_end({"rule": "nothing", "for": "2h"}, 0)
