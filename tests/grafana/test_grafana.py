from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
import pytest
from tests.dashboards import DASHBOARDS, Chosen, load, rules, targets
from tests.grafana.conftest import MAIL_TO
from tests.waiting import eventually

from lokikit import fields
from lokikit.alerts.dispatch import Timing
from lokikit.alerts.state_file import make_folder, read_state
from lokikit.alerts.watch import Watch
from lokikit.monitoring.rule_files import read_rule_file
from lokikit.query.client import Loki
from lokikit.stack.grafana.provisioning import provisioning_folder

if TYPE_CHECKING:
    from tests.grafana.conftest import Watched

    from lokikit.monitoring.rule_definition import Rule

pytestmark = pytest.mark.timeout(1200)

SOON_S = 300
"""Generous: rules are looked at every 10 s here."""
RANGE_S = 3600
SCREENS = {"laptop": (1366, 768), "wall": (1920, 1080)}
OF_NO_DATA = {("datasource_uid", "loki"), ("ref_id", "A")}
"""Labels with which Grafana says which query had no data."""
SHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "build/screenshots"))


def line(level: str, **more: object) -> str:
    """A line of the contract."""
    return orjson.dumps({"level": level, "logger": "app", "message": "gone", **more}).decode()


def test_it_starts_without_an_error_in_provisioning(watched: Watched) -> None:
    """Its log tells of no error in the kit's files, and of no folder that is missing."""
    lines = watched.grafana.log.read_text().splitlines()
    bad = [one for one in lines if "level=error" in one]
    assert [one for one in bad if re.search("provision|path|folder|plugin", one.lower())] == []


def test_data_source_is_healthy(watched: Watched) -> None:
    """It reaches Loki under the uid that dashboards and rules name."""
    health = watched.grafana.get("/api/datasources/uid/loki/health")
    assert health["status"] == "OK", health


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboard_loads(watched: Watched, path: Path) -> None:
    """It is there under its uid, in the kit's folder, with all of its panels."""
    held = watched.grafana.get(f"/api/dashboards/uid/{load(path)['uid']}")
    assert held["meta"]["provisioned"]
    assert held["meta"]["folderTitle"] == "lokikit"
    wanted = [panel["title"] for panel in load(path)["panels"]]
    assert [panel["title"] for panel in held["dashboard"]["panels"]] == wanted


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_queries_pass_grafana(watched: Watched, path: Path) -> None:
    """Grafana's own data source takes each query to Loki and back without an error."""
    now_ms = time.time_ns() // 1_000_000
    chosen = Chosen({"id": "none"}, range_s=RANGE_S)
    for target in targets(path):
        query = {
            "refId": "A",
            "datasource": {"type": "loki", "uid": "loki"},
            "expr": chosen.fill(target.expr, path),
            "queryType": target.kind,
            "maxLines": target.max_lines or 1000,
            "intervalMs": 60_000,
            "maxDataPoints": 500,
        }
        result = watched.grafana.query(query, now_ms - RANGE_S * 1000, now_ms)
        assert "error" not in result, (target.panel, result)


def test_every_rule_is_evaluated(watched: Watched) -> None:
    """All rules that are on are looked at, and none of them fails."""
    titles = {rule["title"] for rule in rules().values() if not rule["isPaused"]}

    def looked_at() -> bool:
        now = watched.grafana.rules()
        assert titles <= set(now)
        healths = {title: now[title]["health"] for title in titles}
        assert "error" not in healths.values(), now
        return set(healths.values()) <= {"ok", "nodata"}

    eventually(looked_at, within_s=SOON_S)


def test_alert_reaches_webhook_and_mail(watched: Watched) -> None:
    """One critical line: both are told of the service, with summary and dashboard."""
    watched.write("doomed", line("critical"))
    eventually(
        lambda: watched.webhook.told("any-critical", "firing", service_name="doomed"),
        within_s=SOON_S,
    )
    eventually(
        lambda: any(MAIL_TO in mail and "doomed" in mail for mail in watched.mail.mails),
        within_s=SOON_S,
    )
    (output,) = [
        alert
        for alert in watched.webhook.alerts
        if alert["labels"].get("service_name") == "doomed"
        and alert["labels"]["rule"] == "any-critical"
    ][:1]
    assert output["annotations"]["summary"] == "doomed logged 1 critical lines"
    assert "lokikit-service" in output["dashboardURL"]


def test_breach_waits_for_its_time(watched: Watched) -> None:
    """A rule with a `for` is pending first, and then tells."""
    watched.write("failing", *[line("error", n=number) for number in range(200)])
    title = rules()["error-ratio"]["title"]

    def state() -> str:
        alerts = watched.grafana.rules()[title].get("alerts") or ()
        states = [one["state"] for one in alerts if one["labels"]["service_name"] == "failing"]
        return str(states[0]).lower() if states else ""

    eventually(lambda: state() == "pending", within_s=SOON_S)
    assert not watched.webhook.told("error-ratio", "firing", service_name="failing")
    eventually(
        lambda: watched.webhook.told("error-ratio", "firing", service_name="failing"),
        within_s=SOON_S,
    )


def test_silence_alarms_and_recovers(watched: Watched) -> None:
    """Without a canary the pipeline is told as silent; its first line ends the alarm."""
    eventually(lambda: watched.webhook.told("pipeline-silent", "firing"), within_s=SOON_S)
    numbered = line("info", **{fields.CANARY_SEQ: 1})
    watched.write(fields.CANARY_SERVICE, numbered)
    eventually(lambda: watched.webhook.told("pipeline-silent", "resolved"), within_s=SOON_S)


def grafana_states(watched: Watched) -> dict[frozenset[tuple[str, str]], str]:
    """Labels -> state of each alert that Grafana's scheduler has and that is not normal."""
    names = {"alerting": "firing", "pending": "pending", "nodata": "nodata", "error": "error"}
    return {
        frozenset(alert["labels"].items() - OF_NO_DATA): names[state]
        for rule in watched.grafana.rules().values()
        for alert in rule.get("alerts") or ()
        # The reason follows the state: `Alerting (NoData)`.
        if (state := alert["state"].lower().partition(" ")[0]) in names
    }


def own_states(folder: Path, rules_now: dict[str, Rule]) -> dict[frozenset[tuple[str, str]], str]:
    """The same of `lokikit alerts`."""
    state = read_state(folder)
    assert state
    return {
        frozenset({**rules_now[uid].alert_labels(one.labels), **one.own_labels}.items()): one.state
        for uid, record in state.rules.items()
        for one in record.instances
        if one.state != "inactive"
    }


def test_states_are_those_of_lokikit_alerts(watched: Watched, tmp_path: Path) -> None:
    """The same file of rules over the same Loki: pending and firing alerts with the same labels."""
    file = provisioning_folder(watched.grafana.log.parents[1]) / "alerting/rules.yaml"
    read = {rule.uid: rule for rule in read_rule_file(file) if not rule.is_paused}
    make_folder(tmp_path)
    loki = Loki(watched.loki_url, timeout_s=60)
    watch = Watch(read.values(), loki, tmp_path, {}, timing=Timing.of("4h"))
    watched.write("equal", *[line("error", n=number) for number in range(200)], line("critical"))
    seen: set[str] = set()

    def are_equal(state: str) -> bool:
        watch.step()
        ours, theirs = own_states(tmp_path, read), grafana_states(watched)
        mine = {one for labels, one in ours.items() if ("rule", "error-ratio") in labels}
        seen.update(mine)
        return ours == theirs and state in mine

    eventually(lambda: are_equal("pending"), within_s=SOON_S)
    eventually(lambda: are_equal("firing"), within_s=SOON_S)
    loki.close()
    assert seen == {"pending", "firing"}


@pytest.mark.parametrize("view", ["laptop-light", "laptop-dark", "wall-light", "wall-dark"])
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_screenshot(watched: Watched, browser: str, tmp_path: Path, path: Path, view: str) -> None:
    """A picture of each dashboard, for looking at: `SCREENSHOTS` names another folder."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    shot = SHOTS / f"{path.stem}-{view}.png"
    screen, theme = view.split("-")
    width, height = SCREENS[screen]
    subprocess.run(
        [
            browser,
            "--headless=new",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--user-data-dir={tmp_path}",
            f"--window-size={width},{height * 2}",
            "--virtual-time-budget=30000",
            f"--screenshot={shot}",
            f"{watched.grafana.url}/d/{load(path)['uid']}?kiosk&theme={theme}",
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )
    assert shot.stat().st_size > 10_000
