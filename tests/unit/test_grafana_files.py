"""The generated files: each part has its partner."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.dashboards import DASHBOARDS, GRAFANA, Chosen, load, rules, targets
from tests.panel_layout import panel_px

from lokikit.fields import DETECTED_LEVELS
from lokikit.times import NS_PER_S, parse_duration_ns

BOARDS = {load(path)["uid"]: load(path) for path in DASHBOARDS}
RUNBOOKS = (GRAFANA / "RUNBOOKS.md").read_text()
WITHOUT_QUERY = {"alertlist", "text"}
"""Types of panels that show what Grafana itself has, or words."""
ALERT_TESTS = Path(__file__).parents[1] / "stack/test_grafana_rules.py"


def panels() -> list[Any]:
    """Each panel of each dashboard."""
    return [
        pytest.param(panel, id=f"{uid}: {panel['title']}")
        for uid, board in BOARDS.items()
        for panel in board["panels"]
    ]


def graphs() -> list[Any]:
    """Each panel that draws values over time."""
    return [one for one in panels() if one.values[0]["type"] == "timeseries"]


def test_uids_are_unique() -> None:
    """No uid stands twice; a second one stops Grafana."""
    uids = [load(path)["uid"] for path in DASHBOARDS] + list(rules())
    assert [uid for uid, count in Counter(uids).items() if count > 1] == []
    text = (GRAFANA / "provisioning/alerting/rules.yaml").read_text()
    assert len(re.findall(r"^  - uid: ", text, re.MULTILINE)) == len(rules())


@pytest.mark.parametrize("panel", panels())
def test_panel_is_described_and_says_what_is_missing(panel: dict[str, Any]) -> None:
    """Each panel has a description, a hint for when it is empty, and a query."""
    assert panel["description"].endswith(".")
    if panel["type"] not in WITHOUT_QUERY:
        assert panel["fieldConfig"]["defaults"]["noValue"].endswith(".")
        assert panel["targets"]


@pytest.mark.parametrize("range_s", [300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400])
@pytest.mark.parametrize(
    "panel", [one for one in panels() if one.values[0]["type"] == "timeseries"]
)
def test_points_of_a_graph_can_be_told_apart(panel: dict[str, Any], range_s: int) -> None:
    """Each has four pixels or more on a laptop, however long the time shown is."""
    least_s = parse_duration_ns(panel["interval"], "interval") / NS_PER_S
    # Grafana rounds the step to a usual one, at the most by half.
    step_s = max(least_s, range_s / panel["maxDataPoints"] / 1.5)
    assert panel_px(panel) / (range_s / step_s) >= 4


@pytest.mark.parametrize(
    "panel", [one for one in panels() if one.values[0]["type"] == "timeseries"]
)
def test_an_hour_has_a_course(panel: dict[str, Any]) -> None:
    """The least step leaves enough points of the time that is shown at first."""
    least_s = parse_duration_ns(panel["interval"], "interval") / NS_PER_S
    assert 3600 / least_s >= 30
    assert panel["maxDataPoints"] >= 30


@pytest.mark.parametrize("title", ["Delay", "Dropped by the agent"])
def test_what_the_canary_says_once_a_minute_is_a_line(title: str) -> None:
    """No point stands alone where a minute has no value."""
    (panel,) = [one for one in BOARDS["lokikit-pipeline"]["panels"] if one["title"] == title]
    assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] >= 2 * 60 * 1000


@pytest.mark.parametrize("panel", [one for one in panels() if one.values[0]["type"] == "logs"])
def test_panel_of_lines_says_what_it_means_to_have_none(panel: dict[str, Any]) -> None:
    """Grafana writes "No data" there whatever the panel is told, so the description says it."""
    assert re.search(r"\bnone when\b", panel["description"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_variables_are_used(path: Path) -> None:
    """A variable that no query reads does nothing when somebody chooses."""
    variables = {one["name"] for one in load(path)["templating"]["list"]}
    assert {"service", "env", "detected_level", "search"} <= variables
    asked = " ".join(target.expr for target in targets(path))
    assert [one for one in variables if not re.search(rf"\$\{{?{one}\b", asked)] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_variables_in_queries_exist(path: Path) -> None:
    """Whatever a query reads is a variable of its dashboard: filling in finds all of them."""
    for target in targets(path):
        assert "$" not in Chosen().fill(target.expr, path)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboard_is_reached_and_leads_on(path: Path) -> None:
    """Every dashboard links to all of the folder, and every address in it is one of ours."""
    board = load(path)
    (link,) = board["links"]
    assert link["tags"] == board["tags"] == ["lokikit"]
    addressed = set(re.findall(r"/d/([\w-]+)", json.dumps(board)))
    assert addressed <= set(BOARDS)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_panels_lie_beside_each_other(path: Path) -> None:
    """No panel covers another or leaves the grid, so that a laptop shows them all."""
    taken: set[tuple[int, int]] = set()
    for panel in load(path)["panels"]:
        x, y, w, h = (panel["gridPos"][key] for key in "xywh")
        assert x + w <= 24
        area = {(x + right, y + down) for right in range(w) for down in range(h)}
        assert not area & taken
        taken |= area


def test_shared_answers_are_those_of_a_panel() -> None:
    """A panel that asks nothing itself takes the answers of one that does."""
    shared = [
        (board, target)
        for board in BOARDS.values()
        for panel in board["panels"]
        for target in panel.get("targets", ())
        if "panelId" in target
    ]
    assert shared
    for board, target in shared:
        (source,) = [one for one in board["panels"] if one["id"] == target["panelId"]]
        assert "expr" in source["targets"][0]


def test_every_level_can_be_chosen() -> None:
    """The levels of the contract are values of the variable."""
    for board in BOARDS.values():
        (levels,) = [v for v in board["templating"]["list"] if v["name"] == "detected_level"]
        assert set(DETECTED_LEVELS.values()) <= set(levels["query"].split(","))


@pytest.mark.parametrize("uid", rules())
def test_rule_is_whole(uid: str) -> None:
    """It has a `for`, a severity, a summary, a dashboard with that panel, and a runbook."""
    rule = rules()[uid]
    assert re.fullmatch(r"\d+[sm]", rule["for"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    value = rule["annotations"]
    assert value["summary"]
    board = BOARDS[value["__dashboardUid__"]]
    assert value["__panelId__"] in {str(panel["id"]) for panel in board["panels"]}
    page, _, section = value["runbook"].partition("#")
    assert page == "grafana/RUNBOOKS.md"
    assert f"\n## {section}\n" in RUNBOOKS


def test_every_runbook_has_its_rule() -> None:
    """A section without a rule tells of an alarm that cannot come."""
    sections = re.findall(r"^## (.+)$", RUNBOOKS, re.MULTILINE)
    assert sections == [uid for uid in _in_order() if uid in rules()]


def _in_order() -> list[str]:
    """The rules in the order of the settings."""
    text = (GRAFANA / "settings.yaml").read_text()
    return re.findall(r"^  ([a-z-]+):\n", text, re.MULTILINE)


def test_every_rule_has_a_test() -> None:
    """The histories that are pushed into a real Loki are those of all rules."""
    tree = ast.parse(ALERT_TESTS.read_text())
    tested = {
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Case"
        for keyword in node.keywords
        if keyword.arg == "rule" and isinstance(keyword.value, ast.Constant)
    }
    assert tested == set(rules())


def test_silence_alarms_and_errors_do_not() -> None:
    """No data is an alarm of the two silences alone: elsewhere it means that nothing is wrong."""
    states = {uid: rule["noDataState"] for uid, rule in rules().items()}
    silences = {"service-silent", "pipeline-silent"}
    assert {uid for uid, state in states.items() if state == "Alerting"} == silences
    assert set(states.values()) == {"OK", "Alerting"}


def test_one_rule_tells_of_a_loki_that_is_away() -> None:
    """The others keep their state, so that one failure is one alarm."""
    states = {uid: rule["execErrState"] for uid, rule in rules().items()}
    assert {uid for uid, state in states.items() if state == "Alerting"} == {"pipeline-silent"}
    assert set(states.values()) == {"KeepLast", "Alerting"}


def test_any_error_is_off() -> None:
    """It is for who wants it; all others are on."""
    assert [uid for uid, rule in rules().items() if rule["isPaused"]] == ["any-error"]


@pytest.mark.parametrize("uid", rules())
def test_rule_holds_no_dollar(uid: str) -> None:
    """Grafana's releases differ in where they take `$` for a variable, so there is none."""
    assert "$" not in json.dumps(rules()[uid])
