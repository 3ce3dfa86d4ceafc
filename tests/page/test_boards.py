"""The dashboards, tasks, the pipeline and the alerts, as the page draws them."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from tests.page.served import running_page
from tests.stack.asking import push

from lokikit.alerts.silences import read_silences
from lokikit.alerts.state_file import (
    AlertState,
    RuleRecord,
    alerts_folder,
    make_folder,
    write_state,
)
from lokikit.monitoring.alert_rules import provisioned_rules
from lokikit.monitoring.rule_states import Instance
from lokikit.page.dashboards import dashboards
from lokikit.query.client import Loki
from lokikit.query.logql import ALL, exception_types, lines
from lokikit.tasks.run_query import task_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browsing import Tab
    from tests.stack.engines import Running

BOARDS = list(dashboards())
SHOTS = Path(os.environ.get("SCREENSHOTS", Path(__file__).parents[2] / "build/screenshots"))
VIEWS = ("/explore", *(f"/d/{uid}" for uid in BOARDS), "/alerts")
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
"""What passes is not described, node by node: that takes half of the time."""
CONTRAST = {**WCAG, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
WIDTHS = (400, 900, 1440, 3840)
MINUTE_NS = 60 * 10**9


def opened(tab: Tab, uid: str, asked: str = "") -> None:
    """Show a dashboard, all of its panels."""
    tab.page.set_viewport_size({"width": 1440, "height": 3000})
    tab.open(f"/d/{uid}?{asked}")
    for section in tab.at(".panel[aria-label]").all():
        section.locator(".body > *, .chart canvas").first.wait_for()
    tab.page.locator(".panel[aria-busy]").first.wait_for(state="detached")


@pytest.mark.parametrize("uid", BOARDS)
def test_every_panel_shows_something(tab: Tab, uid: str) -> None:
    opened(tab, uid)
    titles = [panel["title"] for panel in dashboards()[uid]["panels"]]
    assert tab.texts(".board .panel h2") == titles
    for panel in dashboards()[uid]["panels"]:
        body = tab.at(f".panel[aria-label={json.dumps(panel['title'])}] .body").last
        content = body.inner_text().strip() or body.locator("canvas").count()
        assert content, panel["title"]
        assert "is not a function" not in body.inner_text()


@pytest.mark.parametrize("uid", BOARDS)
def test_without_lines_every_panel_says_a_sentence(
    open_tab: Callable[..., Tab], empty_page: str, uid: str
) -> None:
    tab = open_tab(empty_page)
    opened(tab, uid)
    texts = tab.texts(".board .panel:not(.text):not(.alertlist) .body")
    zeros = re.compile(r"0( %)?\nnow\n0( %)?\nbefore")
    assert [one for one in texts if not one.endswith(".") and not zeros.match(one)] == []


def test_a_table_holds_what_the_store_answers(tab: Tab, demo_url: str) -> None:
    opened(tab, "lokikit-services", "from=now-6h")
    rows = tab.at(".panel[aria-label='Top exceptions'] tbody tr").all()
    shown = [[cell.inner_text() for cell in row.locator("td").all()] for row in rows]
    asked = Loki(demo_url).instant(exception_types(ALL, "6h"))
    counts = {(one.labels["service_name"], one.labels["exc_type"], one.value) for one in asked}
    assert {tuple(row) for row in shown} <= counts
    assert len(shown) == min(len(counts), 10)
    counts = [int(row[2]) for row in shown]
    assert counts == sorted(counts, reverse=True)


def test_a_graph_holds_what_the_store_answers(tab: Tab, demo_url: str) -> None:
    opened(tab, "lokikit-services", "from=now-6h")
    legend = tab.texts(".panel[aria-label='Lines by service'] .legend > *")
    shown = dict(re.fullmatch(r"(\S+) demo\s+([\d.]+)(?: K)?", one).groups() for one in legend)  # type: ignore[union-attr]
    counted = Loki(demo_url).instant(lines(ALL, "6h"))
    counts = {one.labels["service_name"]: int(one.value) for one in counted}
    assert shown.keys() == counts.keys()
    for service, text in shown.items():
        number = float(text) * (1000 if counts[service] >= 1000 else 1)
        assert number == pytest.approx(counts[service], rel=0.006)


def test_a_name_leads_to_its_service_with_the_time_that_is_shown(tab: Tab) -> None:
    opened(tab, "lokikit-services", "from=now-6h")
    tab.at(".panel[aria-label='Services'] a").filter(has_text="jobs").click()
    tab.until_url("/d/lokikit-service?", "var-service=jobs", "from=now-6h")
    tab.at("h1").filter(has_text="Service").wait_for()


def test_an_exception_leads_to_its_lines(tab: Tab) -> None:
    opened(tab, "lokikit-services", "from=now-6h")
    link = tab.at(".panel[aria-label='Top exceptions'] td:nth-child(2) a").first
    name = link.inner_text()
    link.click()
    tab.until_url("/d/lokikit-service?", f"var-search={quote(name)}")


def test_views_keep_what_is_chosen(tab: Tab) -> None:
    tab.open("/explore?var-service=jobs&from=now-6h")
    tab.at("nav a").filter(has_text="Tasks").click()
    tab.until_url("/d/lokikit-tasks", "var-service=jobs", "from=now-6h")


def test_runs_have_outcome_duration_and_traceback(tab: Tab, demo_url: str) -> None:
    opened(tab, "lokikit-tasks", "from=now-6h")
    rows = tab.at(".runs tbody tr:has(.state)")
    known = task_runs(Loki(demo_url)).since("6h").all()[::-1]
    assert tab.texts(".runs tbody .state") == [run.status for run in known]
    assert rows.nth(0).locator("td").nth(1).inner_text() == known[0].task_name
    failed = next(number for number, run in enumerate(known) if run.exception)
    rows.nth(failed).get_by_role("button").click()
    trace = tab.at(".runs pre.trace:visible")
    exception = known[failed].exception
    assert exception
    assert trace.inner_text().strip() == exception.stacktrace.strip()


def test_the_pipeline_says_how_the_store_is(tab: Tab) -> None:
    opened(tab, "lokikit-pipeline")
    store = tab.at(".part[aria-label=store]")
    assert store.locator(".state").inner_text() == "healthy"
    assert "lines received" in store.inner_text()


def test_a_spool_that_is_named_is_shown(
    open_tab: Callable[..., Tab], demo_url: str, tmp_path: Path
) -> None:
    with running_page(demo_url, tmp_path / "state", LOKI_SPOOL_DIR=str(tmp_path)) as url:
        tab = open_tab(url)
        opened(tab, "lokikit-pipeline")
        assert str(tmp_path) in tab.at(".part[aria-label=spool]").inner_text()


def keep(state: Path, *instances: Instance, problem: str = "") -> None:
    """Write the states of the rule `error-ratio` as `lokikit alerts` does."""
    folder = alerts_folder(state)
    make_folder(folder)
    now_ns = time.time_ns()
    record = RuleRecord(now_ns, "", list(instances))
    write_state(folder, AlertState(now_ns, problem, {"error-ratio": record}))


def test_alerts_have_state_value_threshold_start_and_runbook(
    open_tab: Callable[..., Tab], own_page: str, tmp_path: Path
) -> None:
    since_ns = time.time_ns() - 7 * MINUTE_NS - MINUTE_NS // 2
    keep(
        tmp_path / "state",
        Instance({"service_name": "shop", "env": "dev"}, "firing", 0.25, since_ns),
        Instance({"service_name": "jobs", "env": "dev"}, "pending", 0.06, since_ns),
    )
    tab = open_tab(own_page)
    tab.open("/alerts")
    first, second, *others = tab.at("[aria-label=Rules] tbody tr").all()
    cells = [cell.inner_text() for cell in first.locator("td").all()]
    assert cells[0] == "firing"
    assert cells[1].startswith("Many errors")
    assert cells[2].splitlines() == ["shop", "env dev"]
    assert cells[3:6] == ["0.25", "> 0.05 for 5 min", "7 min ago"]
    assert second.locator("td").first.inner_text() == "pending"
    assert {one.locator("td").first.inner_text() for one in others} == {"quiet"}
    assert len(others) == len(provisioned_rules()) - 1
    link = first.get_by_role("link", name="runbook").get_attribute("href")
    assert link == "/runbook#error-ratio"
    tab.page.goto(own_page + link)
    assert tab.at("h2:target").inner_text() == "error-ratio"


@pytest.mark.parametrize("rule", [rule.uid for rule in provisioned_rules()])
def test_every_rule_has_a_section_of_the_runbook(page_url: str, rule: str) -> None:
    assert f'<h2 id="{rule}">' in requests.get(f"{page_url}/runbook", timeout=60).text


def test_without_lokikit_alerts_the_page_says_what_is_over_a_threshold(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    line = json.dumps({"level": "critical", "message": "out of memory"})
    push(own_store.url, {"service_name": "shop", "env": "dev"}, [(time.time_ns(), line)])
    tab = open_tab(own_page)
    tab.open("/alerts")
    assert tab.at(".note").inner_text().startswith("lokikit alerts does not run here")
    row = tab.at("[aria-label=Rules] tbody tr").filter(has_text="any-critical")
    assert row.locator("td").first.inner_text() == "over threshold"
    assert row.locator("td").nth(2).inner_text().splitlines()[0] == "shop"


def test_an_alert_is_silenced_and_the_silence_lifted(
    open_tab: Callable[..., Tab], own_page: str, tmp_path: Path
) -> None:
    keep(tmp_path / "state", Instance({"service_name": "shop"}, "firing", 0.25, time.time_ns()))
    tab = open_tab(own_page)
    tab.open("/alerts")
    tab.page.get_by_label("Silence error-ratio shop for").select_option("2h")
    tab.page.get_by_role("button", name="Silence error-ratio shop").click()
    tab.page.get_by_text("firing, silenced").wait_for()
    (silence,) = read_silences(alerts_folder(tmp_path / "state"), time.time_ns())
    assert (silence.rule, silence.service) == ("error-ratio", "shop")
    assert silence.until_ns - silence.made_ns == 120 * MINUTE_NS
    tab.at("[aria-label=Silences] tbody tr").wait_for()
    tab.page.get_by_role("button", name="Lift silence 1").click()
    tab.at("[aria-label=Silences]").wait_for(state="detached")
    assert read_silences(alerts_folder(tmp_path / "state"), time.time_ns()) == []


@pytest.mark.parametrize("path", VIEWS)
def test_a_view_can_be_read_by_everyone(
    open_tab: Callable[..., Tab], page_url: str, path: str
) -> None:
    """Labels, names, roles and contrast, by axe-core's rules of WCAG 2 AA; in the dark, contrast.

    A picture of each is kept for looking at: `SCREENSHOTS` names another folder.
    """
    tab = open_tab(page_url)
    if path.startswith("/d/"):
        opened(tab, path.removeprefix("/d/"))
    else:
        # Among the lines of a checkout are all levels that a service has, and exceptions.
        tab.open(f"{path}?var-search=checkout")
    if path == "/explore":
        tab.rows.filter(has=tab.at(".exception")).first.click()
        tab.at(".details table").wait_for()
    SHOTS.mkdir(parents=True, exist_ok=True)
    for theme, rules in (("light", WCAG), ("dark", CONTRAST)):
        tab.page.emulate_media(color_scheme=theme)
        tab.at(f"html[data-theme={theme}]").wait_for()
        tab.page.screenshot(path=SHOTS / f"page-{path.rpartition('/')[2]}-{theme}.png")
        found = Axe().run(tab.page, options=rules)
        assert found.response["passes"]
        assert [
            (one["id"], node["html"][:200])
            for one in found.response["violations"]
            for node in one["nodes"][:3]
        ] == []


@pytest.mark.parametrize("path", VIEWS)
def test_a_view_fits_each_screen(open_tab: Callable[..., Tab], page_url: str, path: str) -> None:
    """It is opened on the narrowest screen, and then has more and more room."""
    tab = open_tab(page_url, viewport={"width": WIDTHS[0], "height": 1000})
    tab.open(path)
    for width in WIDTHS:
        tab.page.set_viewport_size({"width": width, "height": 1000})
        # Two frames: charts take their new size after the first.
        wide = tab.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
            "() => done(document.documentElement.scrollWidth))))"
        )
        assert wide <= width


def test_graphs_follow_the_theme_of_the_system(tab: Tab) -> None:
    opened(tab, "lokikit-service")
    tab.at("canvas").first.evaluate("drawn => drawn.dataset.of = 'the light theme'")
    tab.page.emulate_media(color_scheme="dark")
    tab.at("canvas[data-of]").wait_for(state="detached")
    tab.at("canvas").first.wait_for()


def test_the_theme_is_kept(tab: Tab) -> None:
    tab.open()
    assert tab.at("html").get_attribute("data-theme") == "light"
    tab.page.keyboard.press("d")
    tab.open("/alerts")
    assert tab.at("html").get_attribute("data-theme") == "dark"
