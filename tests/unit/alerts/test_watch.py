from __future__ import annotations

import dataclasses
import shutil
from typing import TYPE_CHECKING

import pytest
from tests.unit.alerts.watching import MINUTE_NS, RULE, SHOP, START_NS, Room

from lokikit.alerts.silences import add_silence, lift_silence
from lokikit.alerts.state_file import alive_file, read_state, state_file
from lokikit.errors import RefusedError, UnreachableError
from lokikit.times import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

WAITS = dataclasses.replace(RULE, for_ns=5 * MINUTE_NS)
HOUR_NS = 60 * MINUTE_NS


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def waiting(tmp_path: Path) -> Room:
    return Room(tmp_path, WAITS)


def test_message_comes_when_others_could_join_it(room: Room) -> None:
    room.step()
    room.pass_(20 * NS_PER_S)
    assert room.ways["a"].titles == []
    room.pass_(10 * NS_PER_S)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"]


def test_message_is_repeated_after_the_stated_time(room: Room) -> None:
    room.step()
    room.pass_(4 * HOUR_NS, MINUTE_NS)
    assert len(room.ways["a"].titles) == 1
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"] * 2


def test_end_is_told_once(room: Room) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    room.loki.values = [(SHOP, 1)]
    room.pass_(HOUR_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many", "[RESOLVED:1] shop: Many"]
    assert read_state(room.folder).sent == {"a": {}, "b": {}}


def test_what_ends_before_its_message_is_not_told(room: Room) -> None:
    room.step()
    room.loki.values = [(SHOP, 1)]
    room.now_ns += MINUTE_NS
    room.steady_ns += MINUTE_NS
    room.step()
    room.pass_(10 * MINUTE_NS)
    assert room.ways["a"].titles == []


def test_services_have_messages_of_their_own_and_rules_of_one_service_share_one(
    tmp_path: Path,
) -> None:
    other = dataclasses.replace(RULE, uid="other", title="Other")
    room = Room(tmp_path, RULE, other)
    room.loki.values = [(SHOP, 9), ({"service_name": "jobs"}, 9)]
    room.step()
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:2] jobs: Many, Other", "[FIRING:2] shop: Many, Other"]


def test_new_alert_of_a_service_is_told_five_minutes_after_the_last_message(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.step()
    room.pass_(MINUTE_NS)
    room.loki.values = [(SHOP, 9), ({**SHOP, "env": "prod"}, 9)]
    room.pass_(4 * MINUTE_NS)
    assert len(room.ways["a"].messages) == 1
    room.pass_(2 * MINUTE_NS)
    assert room.ways["a"].titles[1:] == ["[FIRING:2] shop: Many"]


def test_way_that_fails_is_tried_again_and_the_others_hear_it_once(room: Room) -> None:
    room.ways["a"].deaf = True
    room.step()
    room.pass_(10 * MINUTE_NS)
    assert room.said[0] == "alerts: a message by a did not go out: nobody listens"
    assert read_state(room.folder).sent["a"]["shop"].failure == "nobody listens"
    room.ways["a"].deaf = False
    room.pass_(10 * MINUTE_NS)
    assert len(room.ways["a"].messages) == len(room.ways["b"].messages) == 1
    assert read_state(room.folder).sent["a"]["shop"].failure == ""


def test_way_that_does_not_answer_is_tried_once_a_step(room: Room) -> None:
    room.loki.values = [({"service_name": str(number)}, 9) for number in range(20)]
    room.ways["a"].deaf = True
    room.step()
    room.pass_(30 * NS_PER_S, 30 * NS_PER_S)
    assert room.ways["a"].tries == 1
    room.pass_(HOUR_NS)
    assert len(read_state(room.folder).sent["a"]) == 20
    room.ways["a"].deaf = False
    room.pass_(HOUR_NS)
    assert len(room.ways["a"].messages) == 20


def test_newest_lines_are_asked_for_once_for_all_ways_and_not_for_hundreds_of_alerts(
    tmp_path: Path,
) -> None:
    room = Room(tmp_path)
    room.loki.values = [({"service_name": "shop", "n": str(number)}, 9) for number in range(200)]
    room.step()
    room.pass_(MINUTE_NS)
    assert len(room.loki.queries) == 10
    (message,) = room.ways["a"].messages
    assert len(message.firing) == 200
    assert "And 170 more" in message.text


def test_restart_repeats_no_message(room: Room) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    room.restart()
    room.pass_(HOUR_NS)
    assert len(room.ways["a"].messages) == 1


def test_restart_keeps_a_wait(waiting: Room) -> None:
    waiting.step()
    waiting.pass_(3 * MINUTE_NS)
    waiting.restart()
    waiting.pass_(MINUTE_NS)
    assert waiting.states() == ["pending"]
    waiting.pass_(MINUTE_NS)
    assert waiting.states() == ["firing"]


def test_end_during_a_restart_is_told(room: Room) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    room.loki.values = [(SHOP, 1)]
    room.now_ns += 20 * MINUTE_NS
    room.restart()
    room.step()
    assert room.ways["a"].titles[1:] == ["[RESOLVED:1] shop: Many"]


def test_rule_that_is_taken_away_ends_its_alerts(room: Room) -> None:
    room.step()
    room.pass_(6 * MINUTE_NS)
    room.rules = (dataclasses.replace(RULE, uid="other", query="none"),)
    room.loki.values = []
    room.restart()
    room.step()
    assert room.ways["a"].titles[1:] == ["[RESOLVED:1] shop: Many"]


def test_rule_that_repeats_under_a_new_way_is_told_to_it_alone(room: Room) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    room.ways["new"] = type(room.ways["a"])()
    room.restart()
    room.step()
    assert [len(one.messages) for one in room.ways.values()] == [1, 1, 1]


def test_file_that_means_nothing_begins_anew(room: Room) -> None:
    room.step()
    state_file(room.folder).write_text("{")
    room.restart()
    room.step()
    assert room.states() == ["firing"]


def test_silenced_alert_is_not_told_and_comes_once_the_silence_is_over(room: Room) -> None:
    add_silence(room.folder, "many", "shop", room.now_ns + HOUR_NS, room.now_ns)
    room.step()
    room.pass_(HOUR_NS - MINUTE_NS)
    assert room.ways["a"].titles == []
    room.pass_(2 * MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"]


def test_silence_of_a_service_leaves_the_others(room: Room) -> None:
    room.loki.values = [(SHOP, 9), ({"service_name": "jobs"}, 9)]
    add_silence(room.folder, "many", "shop", room.now_ns + HOUR_NS, room.now_ns)
    room.step()
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] jobs: Many"]


def test_silence_that_comes_after_the_message_ends_the_repetition_without_an_end(
    room: Room,
) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    made = add_silence(room.folder, "all", "", room.now_ns + 9 * HOUR_NS, room.now_ns)
    room.pass_(5 * HOUR_NS, MINUTE_NS)
    assert len(room.ways["a"].messages) == 1
    lift_silence(room.folder, made.number, room.now_ns)
    room.step()
    assert room.ways["a"].titles[1:] == ["[FIRING:1] shop: Many"]


def test_damaged_file_of_silences_stops_no_message(room: Room) -> None:
    (room.folder / "silences.json").write_text("{")
    room.step()
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"]
    assert "silences.json" in room.said[0]


def test_clock_that_is_set_back_lets_a_wait_go_on(waiting: Room) -> None:
    waiting.step()
    waiting.pass_(3 * MINUTE_NS)
    waiting.now_ns -= 2 * HOUR_NS
    waiting.pass_(MINUTE_NS)
    assert waiting.states() == ["pending"]
    waiting.pass_(2 * MINUTE_NS)
    assert waiting.states() == ["firing"]


def test_clock_that_is_set_forward_ends_no_wait(waiting: Room) -> None:
    waiting.step()
    waiting.pass_(MINUTE_NS)
    waiting.now_ns += 9 * HOUR_NS
    waiting.pass_(3 * MINUTE_NS)
    assert waiting.states() == ["pending"]
    waiting.pass_(2 * MINUTE_NS)
    assert waiting.states() == ["firing"]


def test_clock_that_is_set_back_repeats_in_time(room: Room) -> None:
    room.step()
    room.pass_(MINUTE_NS)
    room.now_ns -= 24 * HOUR_NS
    room.pass_(4 * HOUR_NS, MINUTE_NS)
    room.pass_(MINUTE_NS)
    assert len(room.ways["a"].messages) == 2


def test_clock_that_is_set_back_while_nothing_runs_lets_a_wait_go_on(waiting: Room) -> None:
    waiting.step()
    waiting.pass_(3 * MINUTE_NS)
    waiting.now_ns = START_NS - 9 * HOUR_NS
    waiting.restart()
    waiting.pass_(MINUTE_NS)
    assert waiting.states() == ["pending"]
    waiting.pass_(2 * MINUTE_NS)
    assert waiting.states() == ["firing"]


def test_rule_is_looked_at_once_in_its_interval(room: Room) -> None:
    room.step()
    room.pass_(3 * MINUTE_NS)
    room.restart()
    room.step()
    assert room.loki.asked == 4


def test_loki_that_is_away_is_asked_once_a_round(tmp_path: Path) -> None:
    rules = [dataclasses.replace(RULE, uid=str(number)) for number in range(5)]
    room = Room(tmp_path, *rules)
    room.loki.problem = UnreachableError("no answer")
    room.step()
    assert room.loki.asked == 1
    assert read_state(room.folder).problem == "no answer"
    assert {one.error for one in read_state(room.folder).rules.values()} == {"no answer"}


def test_query_that_is_refused_leaves_the_other_rules(tmp_path: Path) -> None:
    rules = [dataclasses.replace(RULE, uid=str(number)) for number in range(2)]
    room = Room(tmp_path, *rules)
    room.loki.problem = RefusedError("too many series", 400)
    room.step()
    assert room.loki.asked == 2
    assert read_state(room.folder).problem == ""


def test_firing_alert_stays_while_loki_is_away(room: Room) -> None:
    room.step()
    room.loki.problem = UnreachableError("no answer")
    room.pass_(HOUR_NS)
    assert room.states() == ["firing"]
    assert len(room.ways["a"].messages) == 1


@pytest.mark.parametrize(
    ("setting", "states", "titles"),
    [
        ("OK", ["inactive"], []),
        ("KeepLast", ["inactive"], []),
        ("Alerting", ["firing"], ["[FIRING:1] all services: Many"]),
        ("Error", ["error"], ["[FIRING:1] all services: Many"]),
    ],
)
def test_loki_that_is_away_counts_as_the_rule_says(
    tmp_path: Path, setting: str, states: list[str], titles: list[str]
) -> None:
    room = Room(tmp_path, dataclasses.replace(RULE, on_error=setting))
    room.loki.problem = UnreachableError("no answer")
    room.step()
    room.pass_(MINUTE_NS)
    assert room.states() == states
    assert room.ways["a"].titles == titles
    for message in room.ways["a"].messages:
        assert "no answer" in message.text


@pytest.mark.parametrize(
    ("setting", "states"),
    [
        ("OK", ["inactive"]),
        ("KeepLast", ["inactive"]),
        ("Alerting", ["firing"]),
        ("NoData", ["nodata"]),
    ],
)
def test_no_data_counts_as_the_rule_says(tmp_path: Path, setting: str, states: list[str]) -> None:
    room = Room(tmp_path, dataclasses.replace(RULE, no_data=setting))
    room.loki.values = []
    room.step()
    room.pass_(MINUTE_NS)
    assert room.states() == states
    assert [len(way.messages) for way in room.ways.values()] == [
        int(states[0] in {"firing", "nodata"})
    ] * 2


def test_own_alert_of_no_data_goes_on_over_a_restart(tmp_path: Path) -> None:
    room = Room(tmp_path, dataclasses.replace(RULE, no_data="NoData"))
    room.loki.values = []
    room.step()
    room.pass_(MINUTE_NS)
    room.restart()
    room.pass_(MINUTE_NS)
    assert room.states() == ["nodata"]
    assert len(room.ways["a"].messages) == 1


def test_disk_that_is_full_stops_no_message(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lokikit.alerts.watch.write_state", full)
    room.step()
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"]
    assert "No space left" in room.said[0]


def test_folder_that_is_gone_stops_no_message(room: Room) -> None:
    room.step()
    shutil.rmtree(room.folder)
    room.pass_(MINUTE_NS)
    assert room.ways["a"].titles == ["[FIRING:1] shop: Many"]
    assert "the state cannot be kept" in room.said[0]


def test_gone_series_are_forgotten(room: Room) -> None:
    room.loki.values = [({"service_name": str(number)}, 9) for number in range(50)]
    room.step()
    room.loki.values = [(SHOP, 1)]
    room.pass_(20 * MINUTE_NS)
    assert len(room.states()) == 1


def test_run_steps_until_it_is_stopped(room: Room) -> None:
    slept: list[float] = []
    room.watch.run(lambda: len(slept) == 3, slept.append)
    assert alive_file(room.folder).exists()
    assert max(slept) <= 5
