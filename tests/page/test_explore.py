"""Explore: lines of the demo chosen, opened, followed, copied and saved."""

from __future__ import annotations

import csv
import json
import re
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from tests.stack.asking import environment, push

from lokikit.page.lines import FIRST_LINES
from lokikit.query.client import Loki

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Download
    from tests.page.browsing import Tab
    from tests.stack.engines import Running

ROW = "main .row"


def chosen(url: str) -> dict[str, list[str]]:
    """The parameters of a URL."""
    return parse_qs(urlsplit(url).query)


def test_the_newest_line_stands_first(tab: Tab) -> None:
    tab.open()
    stamps = tab.rows.evaluate_all("rows => rows.map((row) => row.dataset.ts)")
    assert len(stamps) == FIRST_LINES
    assert stamps == sorted(stamps, key=int, reverse=True)


def test_a_row_says_time_level_service_message_and_exception(tab: Tab) -> None:
    tab.open("/explore?var-service=shop&var-detected_level=error")
    row = tab.rows.filter(has=tab.at(".exception")).first
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}", row.locator("time").inner_text())
    assert row.locator(".level").inner_text() == "ERROR"
    assert row.locator(".service").inner_text() == "shop"
    assert row.locator(".message").inner_text().strip()
    assert ": " in row.locator(".exception").inner_text()


@pytest.mark.parametrize(
    ("menu", "value", "cell"),
    [("var-service", "jobs", ".service"), ("var-detected_level", "warn", ".level")],
    ids=["service", "level"],
)
def test_a_menu_chooses(tab: Tab, menu: str, value: str, cell: str) -> None:
    tab.open()
    tab.choose(menu, value)
    assert chosen(tab.until_url(f"{menu}={value}")) == {menu: [value]}
    tab.at(f"{ROW}:not(:has({cell}:text-is('{value}')))").first.wait_for(state="detached")
    assert tab.rows.count()


def test_text_in_small_letters_finds_any_case(tab: Tab) -> None:
    tab.open("/explore?var-search=order+placed")
    assert tab.rows.count()
    tab.open("/explore?var-search=ORDER+PLACED")
    assert tab.at(".empty").inner_text().startswith("No lines with this choice in this time.")


def test_an_absolute_time_chooses_nanoseconds_of_a_line(tab: Tab) -> None:
    tab.open()
    stamp = int(tab.rows.nth(5).get_attribute("data-ts") or 0)
    tab.open(f"/explore?from={stamp}&to={stamp + 1}")
    assert tab.rows.evaluate_all("rows => rows.map((row) => row.dataset.ts)") == [str(stamp)]


def test_a_quick_time_and_a_typed_time(tab: Tab) -> None:
    tab.open()
    tab.at("details[data-name=time] > summary").click()
    tab.page.get_by_role("button", name="last 5m", exact=True).click()
    assert chosen(tab.until_url("from=now-5m")) == {"from": ["now-5m"]}
    tab.at("details[data-name=time] > summary").click()
    tab.page.get_by_label("From").fill("2026-01-02T03:04:05")
    tab.page.get_by_label("To", exact=True).fill("2026-01-02T04:00:00")
    tab.page.get_by_role("button", name="Take this time").click()
    span = chosen(tab.until_url("to="))
    assert int(span["to"][0]) - int(span["from"][0]) == (55 * 60 + 55) * 1000
    tab.at(".empty").wait_for()


def test_a_time_that_is_typed_stays_when_an_answer_comes(tab: Tab) -> None:
    """The bar is drawn again for the services of the answer; a quick time closes the menu."""
    tab.open()
    tab.at("details[data-name=time] > summary").click()
    box = tab.page.get_by_label("From")
    box.fill("2026-01-02T03:04:05")
    tab.page.evaluate("dispatchEvent(new Event('chosen'))")
    assert box.input_value() == "2026-01-02T03:04:05"
    assert box.evaluate("box => box === document.activeElement")
    tab.page.get_by_role("button", name="last 5m", exact=True).click()
    box.wait_for(state="hidden")


def test_a_drag_on_the_chart_chooses_its_time(tab: Tab) -> None:
    tab.open("/explore?from=now-15m")
    over = tab.at(".chart .u-over")
    box = over.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    tab.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=5)
    tab.page.mouse.up()
    span = chosen(tab.until_url("from=1", "to="))
    assert int(span["to"][0]) - int(span["from"][0]) == pytest.approx(0.4 * 900_000, rel=0.1)


def test_a_click_on_a_level_keeps_it_and_another_lets_go(tab: Tab) -> None:
    tab.open()
    tab.at(".legend button").filter(has_text="error").click()
    tab.until_url("var-detected_level=error")
    tab.at(f"{ROW}:not(.error-row)").first.wait_for(state="detached")
    tab.at(".legend button").filter(has_text="error").click()
    tab.at(f"{ROW}:not(.error-row)").first.wait_for()
    assert chosen(tab.page.url) == {}


def test_a_click_on_a_bar_keeps_its_level(tab: Tab) -> None:
    """The lines of the demo lie at the right end: there the highest part of a bar is `info`."""
    stamp = int((tab.open() and tab.rows.first.get_attribute("data-ts")) or 0) // 10**6
    tab.open(f"/explore?from={stamp - 60_000}&to={stamp + 1}")
    over = tab.at(".chart .u-over")
    over.wait_for()
    box = over.bounding_box()
    assert box
    bottom = box["y"] + box["height"] - 3
    for step in range(1, 100):
        tab.page.mouse.click(box["x"] + box["width"] * (1 - step / 100), bottom)
        if "var-detected_level" in tab.page.url:
            break
    assert chosen(tab.page.url)["var-detected_level"][0] in {"error", "critical", "warn", "info"}


def test_a_line_opens_to_all_fields_and_its_traceback(tab: Tab, demo_url: str) -> None:
    tab.open("/explore?var-service=shop&var-detected_level=error")
    row = tab.rows.filter(has=tab.at(".exception")).first
    row.click()
    tab.at(".details table").wait_for()
    stamp = int(row.get_attribute("data-ts") or 0)
    (entry,) = Loki(demo_url).query_range('{service_name="shop"}', stamp, stamp + 1)
    names = tab.texts(".details th")
    fields = [name for name in entry.fields if name != "stacktrace"]
    assert names[: len(fields)] == fields
    assert {"detected_level", "service_name"} <= set(names)
    trace = tab.at(".details pre.trace").first
    assert trace.inner_text().rstrip("\n") == entry.fields["stacktrace"].rstrip("\n")
    assert trace.evaluate("box => getComputedStyle(box).whiteSpace") == "pre"
    row.click()
    tab.at(".details").wait_for(state="detached")


def test_values_filter_for_and_without(tab: Tab) -> None:
    tab.open("/explore?var-service=shop")
    tab.rows.filter(has_text="GET /products").first.click()
    tab.page.get_by_role("button", name="Only with http_status 200").click()
    tab.until_url("where=")
    tab.page.get_by_text("http_status is 200").wait_for()
    tab.at(".details").wait_for(state="detached")
    tab.rows.first.click()
    tab.page.get_by_role("button", name="Without http_route", exact=False).click()
    tab.page.get_by_text("http_route is not").wait_for()
    assert [json.loads(one)[:3] for one in chosen(tab.page.url)["where"]] == [
        ["field", "http_status", "="],
        ["field", "http_route", "!="],
    ]
    tab.page.get_by_role("button", name="Take away: http_status is 200").click()
    tab.page.get_by_text("http_status is 200").wait_for(state="detached")


def test_a_request_leads_to_all_of_its_lines(tab: Tab, demo_url: str) -> None:
    tab.open("/explore?var-service=shop&var-detected_level=error")
    row = tab.rows.filter(has=tab.at(".exception")).first
    row.click()
    request = tab.at(".details tr").filter(has=tab.at("th:text-is('request_id')")).first
    wanted = request.locator("td pre").inner_text()
    tab.page.get_by_role("button", name="All of its request").click()
    tab.until_url("/d/lokikit-request", f"var-id={wanted}")
    lines = Loki(demo_url).query(f'{{service_name=~".+"}} | request_id="{wanted}"')
    panel = tab.at("section[aria-label='Lines in order']")
    panel.locator(".row").nth(len(lines) - 1).wait_for()
    assert panel.locator(".row").count() == len(lines) > 1


def test_the_lines_around_one_are_those_of_its_stream(tab: Tab) -> None:
    tab.open("/explore?var-search=order+placed")
    row = tab.rows.nth(3)
    stamp = row.get_attribute("data-ts")
    row.click()
    tab.page.get_by_role("button", name="Lines around it").click()
    tab.until_url("at=")
    here = tab.at("li.here .row")
    here.wait_for()
    assert here.get_attribute("data-ts") == stamp
    stamps = tab.rows.evaluate_all("rows => rows.map((row) => row.dataset.ts)")
    assert stamps == sorted(stamps, key=int, reverse=True)
    assert 0 < stamps.index(stamp) < len(stamps) - 1
    assert set(tab.texts(f"{ROW} .service")) == {"shop"}


def test_a_typed_query_is_asked(tab: Tab) -> None:
    tab.open()
    box = tab.page.get_by_role("textbox", name="LogQL")
    box.fill('{service_name="jobs"} |= "success"')
    box.press("Enter")
    tab.until_url("logql=")
    tab.at(f"{ROW}:not(:has(.service:text-is('jobs')))").first.wait_for(state="detached")
    assert set(tab.texts(f"{ROW} .service")) == {"jobs"}


@pytest.mark.parametrize(
    ("query", "place"),
    [('{service_name="shop"} | jsn | x', "|"), ('{service_name="a"}\n|= 5', "5"), ("{", "⏎")],
    ids=["stage", "second-line", "end"],
)
def test_an_error_of_a_query_is_shown_at_its_place(tab: Tab, query: str, place: str) -> None:
    tab.open()
    tab.page.goto(f"{tab.url}/explore?logql={quote(query)}")
    tab.at(".problem .place").wait_for()
    assert "syntax error" in tab.at(".problem").inner_text()
    assert tab.at(".problem .place").inner_text() == place
    assert tab.page.get_by_role("textbox", name="LogQL").input_value() == query


def test_a_query_that_counts_shows_its_values(tab: Tab) -> None:
    tab.open()
    query = 'sum by (service_name) (rate({service_name=~".+"}[1m]))'
    tab.page.goto(f"{tab.url}/explore?logql={quote(query)}")
    tab.at(".legend").filter(has_text="service_name=shop").wait_for()
    assert tab.at(".empty").inner_text().startswith("This query counts")


def test_the_copied_command_finds_the_same_lines(tab: Tab, demo_url: str) -> None:
    tab.open("/explore?var-service=shop&var-detected_level=error")
    shown = tab.at(".tools").get_by_text(re.compile(r"^\d+ lines$")).inner_text().split()[0]
    tab.at("summary").filter(has_text="Copy as").click()
    tab.page.get_by_role("button", name="lokikit query").click()
    tab.at("#said").filter(has_text="Command copied").wait_for(state="attached")
    _, *arguments = shlex.split(tab.copied())
    done = subprocess.run(
        [sys.executable, "-m", "lokikit", *arguments, "--limit", "0", "-o", "raw"],
        env=environment(demo_url),
        capture_output=True,
        check=True,
    )
    assert len(done.stdout.splitlines()) == int(shown)


def test_the_copied_curl_finds_the_same_lines(tab: Tab) -> None:
    tab.open("/explore?var-service=jobs&var-detected_level=error")
    shown = tab.at(".tools").get_by_text(re.compile(r"^\d+ lines$")).inner_text().split()[0]
    tab.at("summary").filter(has_text="Copy as").click()
    tab.page.get_by_role("button", name="curl").click()
    tab.at("#said").filter(has_text="Command copied").wait_for(state="attached")
    done = subprocess.run(shlex.split(tab.copied()), capture_output=True, check=True)
    streams = json.loads(done.stdout)["data"]["result"]
    assert sum(len(one["values"]) for one in streams) == int(shown)


def saved(tab: Tab, form: str) -> str:
    """The text of a download."""
    tab.at("summary").filter(has_text="Download").click()
    with tab.page.expect_download() as waiting:
        tab.page.get_by_role("button", name=form).click()
    download: Download = waiting.value
    return download.path().read_text()


def test_a_download_holds_all_lines_as_json(tab: Tab, demo_url: str) -> None:
    tab.open("/explore?var-service=shop")
    lines = [json.loads(line)["line"] for line in saved(tab, "JSON lines").splitlines()]
    entries = Loki(demo_url).query_range('{service_name="shop"}', direction="backward")
    assert lines == [entry.line for entry in entries]


def test_a_download_as_csv_has_a_row_for_each_line(tab: Tab) -> None:
    tab.open("/explore?var-service=jobs")
    shown = tab.at(".tools").get_by_text(re.compile(r"^\d+ lines$")).inner_text().split()[0]
    head, *rows = csv.reader(saved(tab, "CSV").splitlines())
    assert head[:5] == ["timestamp", "level", "service", "env", "message"]
    assert len(rows) == int(shown)
    assert {row[2] for row in rows} == {"jobs"}


def test_the_url_is_the_whole_state(tab: Tab, open_tab: Callable[..., Tab], page_url: str) -> None:
    tab.open("/explore?var-service=shop&var-service=jobs&from=now-30m")
    tab.choose("var-detected_level", "error")
    tab.until_url("var-detected_level=error")
    tab.at(f"{ROW}:not(.error-row)").first.wait_for(state="detached")
    other = open_tab(page_url)
    other.open(tab.page.url.removeprefix(page_url))
    assert other.texts(f"{ROW} .message") == tab.texts(f"{ROW} .message")
    assert other.texts(".bar summary b") == ["shop, jobs", "all", "error", "last 30m"]


def test_back_shows_what_was_shown_before(tab: Tab) -> None:
    tab.open()
    tab.choose("var-service", "jobs")
    tab.until_url("var-service=jobs")
    tab.page.go_back()
    tab.at(f"{ROW} .service:text-is('shop')").first.wait_for()
    assert chosen(tab.page.url) == {}


def test_keys_search_move_open_and_change_the_view(tab: Tab) -> None:
    tab.open()
    keyboard = tab.page.keyboard
    keyboard.press("j")
    keyboard.press("j")
    keyboard.press("j")
    keyboard.press("k")
    assert tab.at("li.chosen .row").get_attribute("data-ts") == tab.rows.nth(1).get_attribute(
        "data-ts"
    )
    keyboard.press("Enter")
    tab.at("li.chosen .details table").wait_for()
    keyboard.press("/")
    keyboard.type("placed")
    keyboard.press("Enter")
    tab.until_url("var-search=placed")
    keyboard.press("Escape")
    keyboard.press("?")
    tab.at("dialog").wait_for()
    keyboard.press("Escape")
    tab.at("dialog").wait_for(state="detached")
    keyboard.press("2")
    tab.until_url("/d/lokikit-services", "var-search=placed")


def write(store: Running, message: str) -> None:
    """Have a service write a line now."""
    line = json.dumps({"level": "info", "message": message})
    push(store.url, {"service_name": "live", "env": "test"}, [(time.time_ns(), line)])


def test_the_tail_shows_lines_as_they_come_and_pauses(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    """Each once: those since the list was read, and those that come again as the tail begins."""
    write(own_store, "before")
    tab = open_tab(own_page)
    tab.open()
    tab.until_rows(having="before")
    write(own_store, "since the list was read")
    tab.page.keyboard.press("t")
    tab.page.get_by_role("button", name="Pause", exact=True).wait_for()
    tab.until_rows(having="since the list was read")
    write(own_store, "first of the tail")
    tab.until_rows(having="first of the tail")
    assert "first of the tail" in tab.rows.first.inner_text()
    tab.page.keyboard.press("p")
    tab.page.get_by_role("button", name="Go on").wait_for()
    write(own_store, "while paused")
    tab.page.get_by_role("button", name="Go on (1 new)").click()
    tab.until_rows(having="while paused")
    for message in ("before", "since the list was read", "first of the tail", "while paused"):
        assert tab.rows.filter(has_text=message).count() == 1
    tab.page.keyboard.press("t")
    tab.page.get_by_role("button", name="Pause", exact=True).wait_for(state="hidden")


def test_without_a_line_a_sentence_says_what_to_do(
    open_tab: Callable[..., Tab], empty_page: str
) -> None:
    tab = open_tab(empty_page)
    tab.open()
    assert tab.at(".empty").inner_text().startswith("No lines in this time. A service writes here")
