"""What is logged stays text, nobody unasked reads it, and a lost store is reported."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import requests
from tests.page.served import running_page
from tests.stack.asking import push

from lokikit.page.access import OWN_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.page.browsing import Tab
    from tests.stack.engines import Running

MARKUP = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "</textarea><script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "<a href=javascript:alert(1)>click</a>",
    "\u202egnp.exe\u202c <b>bold</b> \x00\x1b[31mred",
    "<style>*{display:none}</style>",
    "<!-- --><script>alert(1)</script>",
    "&lt;b&gt;&#x3c;i&#x3e;",
)
MADE = "script:not([src]), img[onerror], svg[onload], iframe, b:text('bold'), a[href^='javascript']"


def write(store: Running, service: str, **line: object) -> None:
    """Have a service write a line now."""
    held = {"level": "error", "logger": "l", **line}
    push(store.url, {"service_name": service, "env": service}, [(time.time_ns(), json.dumps(held))])


def test_logged_markup_stays_text_everywhere(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    """In messages, fields, names of fields, services, exceptions, tracebacks, task names, ids."""
    for text in MARKUP:
        write(
            own_store,
            text.replace("\x00", ""),
            message=text,
            request_id=text,
            exc_type=text,
            exc_message=text,
            stacktrace=f"Traceback\n  {text}",
            task_name=text,
            action="fail",
            task_id=text,
            http_status=500,
            http_route=text,
            duration_ms=5,
            **{text: text},
        )
    tab = open_tab(own_page)
    tab.open()
    assert tab.rows.count() == len(MARKUP)
    for number, text in enumerate(reversed(MARKUP)):
        row = tab.rows.nth(number)
        assert text in (row.locator(".message").text_content() or "")
        row.click()
        row.locator("xpath=..").locator(".details table").wait_for()
    assert tab.at("pre.trace").count() == len(MARKUP)
    assert tab.at(MADE).count() == 0
    tab.at("details[data-name=var-service] > summary").click()
    for path in ("/d/lokikit-services", "/d/lokikit-service", "/d/lokikit-tasks", "/alerts"):
        tab.open(path)
        tab.page.keyboard.press("End")
        tab.at("[aria-busy]").first.wait_for(state="detached")
        assert tab.at(MADE).count() == 0


def test_a_value_with_quotes_and_markup_can_be_filtered_by(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    for text in MARKUP:
        write(own_store, "shop", message="m", note=text)
    tab = open_tab(own_page)
    for text in MARKUP:
        where = json.dumps(["field", "note", "=", text])
        asked = requests.get(f"{own_page}/api/lines", {"where": where}, timeout=60).json()
        assert len(asked["rows"]) == 1, text
    tab.open()


def test_every_answer_forbids_what_is_not_of_the_page(empty_page: str) -> None:
    for path in ("/explore", "/static/app.js", "/api/alerts", "/runbook", "/nowhere"):
        headers = requests.get(empty_page + path, timeout=60).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_nothing_is_loaded_from_elsewhere(tab: Tab, page_url: str) -> None:
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url))
    for path in ("/explore", "/d/lokikit-services", "/alerts"):
        tab.open(path)
    assert asked
    assert [url for url in asked if not url.startswith(page_url)] == []


def test_another_name_of_this_machine_is_not_answered(empty_page: str) -> None:
    """A web site whose name leads here would read the logs with its visitor's browser."""
    answer = requests.get(f"{empty_page}/api/lines", headers={"Host": "evil.example"}, timeout=60)
    assert answer.status_code == 421
    assert "rows" not in answer.text


def test_another_site_cannot_change_anything(empty_page: str) -> None:
    body = json.dumps({"rule": "all", "service": "", "for": "1h"})
    assert requests.post(f"{empty_page}/api/silence", body, timeout=60).status_code == 403
    headers = {OWN_REQUEST: "page"}
    assert requests.post(f"{empty_page}/api/silence", body, headers=headers, timeout=60).ok


def test_a_password_is_asked_for(demo_url: str, tmp_path: Path) -> None:
    with running_page(demo_url, tmp_path, PAGE_PASSWORD="s3cret ü") as url:  # noqa: S106 - its test
        refused = requests.get(f"{url}/api/lines", timeout=60)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        for told, status in (("x:s3cret ü", 200), ("x:wrong", 401), ("x:", 401)):
            word = base64.b64encode(told.encode()).decode()
            headers = {"Authorization": f"Basic {word}", "Host": "logs.example"}
            answer = requests.get(f"{url}/api/lines", headers=headers, timeout=60)
            assert answer.status_code == status, told
        bad = requests.get(f"{url}/api/lines", headers={"Authorization": "Basic ?"}, timeout=60)
        assert bad.status_code == 401


def test_other_machines_need_a_password() -> None:
    command = [sys.executable, "-m", "lokikit", "page", "--host", "0.0.0.0", "--port", "0"]  # noqa: S104 - refused
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "set PAGE_PASSWORD" in done.stderr


def test_a_store_that_goes_away_is_said_and_comes_back(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    write(own_store, "shop", message="before the outage")
    tab = open_tab(own_page)
    tab.open()
    tab.until_rows(having="before the outage")
    own_store.kill()
    tab.page.keyboard.press("r")
    tab.at("#away").filter(has_text="Trying again").wait_for()
    own_store.start()
    write(own_store, "shop", message="after the outage")
    tab.until_rows(having="after the outage")
    tab.at("#away").wait_for(state="hidden")


def test_a_page_that_is_opened_without_a_store_shows_it_later(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    own_store.kill()
    tab = open_tab(own_page)
    tab.page.goto(own_page)
    tab.at("#away").filter(has_text="Trying again").wait_for()
    own_store.start()
    write(own_store, "shop", message="at last")
    tab.until_rows(having="at last")
    tab.at("nav a").filter(has_text="Pipeline").wait_for()


def test_a_tail_goes_on_after_an_outage(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    write(own_store, "shop", message="before")
    tab = open_tab(own_page)
    tab.open()
    tab.page.keyboard.press("t")
    tab.page.get_by_role("button", name="Pause", exact=True).wait_for()
    write(own_store, "shop", message="the first")
    tab.until_rows(having="the first")
    own_store.kill()
    tab.at("#away").filter(has_text="Trying again").wait_for()
    own_store.start()
    write(own_store, "shop", message="the second")
    tab.until_rows(having="the second")
    tab.at("#away").wait_for(state="hidden")
    assert tab.at("button[aria-pressed=true]").inner_text() == "Tail"
    assert tab.rows.filter(has_text="the first").count() == 1


def test_a_choice_that_means_nothing_is_said_and_can_be_taken_away(
    open_tab: Callable[..., Tab], page_url: str
) -> None:
    tab = open_tab(page_url)
    tab.page.goto(f'{page_url}/explore?where={{&where=[ "field", "pid", "!=", "0" ]')
    tab.at(".problem").filter(has_text="is no choice of a field").wait_for()
    tab.page.get_by_role("button", name="Take away: { is").click()
    tab.rows.first.wait_for()
    tab.page.get_by_role("button", name="Take away: pid is not 0").click()
    tab.at(".chip").first.wait_for(state="detached")


def test_a_dashboard_that_is_not_there_is_said(open_tab: Callable[..., Tab], page_url: str) -> None:
    tab = open_tab(page_url)
    tab.page.goto(f"{page_url}/d/none")
    tab.at(".empty").filter(has_text="There is no such dashboard here.").wait_for()


def test_two_browsers_see_their_own_choice(open_tab: Callable[..., Tab], page_url: str) -> None:
    tabs = [open_tab(page_url), open_tab(page_url)]
    services = ("shop", "jobs")
    for tab, service in zip(tabs, services, strict=True):
        tab.open(f"/explore?var-service={service}")
    for tab in tabs:
        tab.page.keyboard.press("t")
    for tab, service in zip(tabs, services, strict=True):
        assert set(tab.texts("main .row .service")) == {service}


@pytest.mark.parametrize(
    "asked",
    [
        "from=nonsense",
        "from=now&to=now-1h",
        "where=[1]",
        "where={",
        "before=x",
        'where=["field","a]","=","1"]',
    ],
    ids=["time", "span", "where", "json", "cursor", "field"],
)
def test_a_url_that_means_nothing_is_refused_with_its_reason(page_url: str, asked: str) -> None:
    answer = requests.get(f"{page_url}/api/lines?{asked}", timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]
