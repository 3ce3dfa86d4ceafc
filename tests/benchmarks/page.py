"""How soon the page shows something.

    python -m tests.benchmarks page

The demo's lines in an embedded store, the page over it, and a Chromium: milliseconds from the
navigation to the first paint with content, and to the first line.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.measurement import Table
from tests.page.browsing import find_chromium, running_browser
from tests.page.served import demo_store, running_page

from lokikit.errors import PrerequisiteError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, BrowserContext
    from tests.benchmarks.measurement import Cell

_ROUNDS = 9
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
_COLUMNS = ("browser", "first content, ms", "first line, ms")


def report(rounds: int = _ROUNDS) -> list[Table]:
    """Return milliseconds of a browser that has seen the page, and of new browsers.

    Raises:
        PrerequisiteError: no Chromium is on PATH.
    """
    program = find_chromium()
    if program is None:
        raise PrerequisiteError("no Chromium is on PATH")
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_store(Path(folder), "demo") as loki_url,
        running_page(loki_url, Path(folder) / "state") as url,
        running_browser(program) as browser,
    ):
        rows = _rows(browser, url, rounds)
    head = (
        f"From the navigation, with the demo's lines; medians of {rounds}. `seen` is a browser "
        "that has had the page before."
    )
    return [Table("first", _COLUMNS, rows, head)]


def _rows(browser: Browser, url: str, rounds: int) -> list[list[Cell]]:
    known = browser.new_context()
    _opened_ms(known, url)
    contexts: dict[str, Callable[[], BrowserContext]] = {
        "seen": lambda: known,
        "new": browser.new_context,
    }
    rows: list[list[Cell]] = []
    for name, context in contexts.items():
        found = [_opened_ms(context(), url) for _ in range(rounds)]
        rows.append([name, *map(statistics.median, zip(*found, strict=True))])
    return rows


def _opened_ms(context: BrowserContext, url: str) -> tuple[float, float]:
    """Return milliseconds to the first paint with content and to the first line."""
    page = context.new_page()
    start_s = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("main .row").first.wait_for()
    line_ms = (time.perf_counter() - start_s) * 1000
    paint_ms = float(page.evaluate(_PAINT))
    page.close()
    return paint_ms, line_ms
