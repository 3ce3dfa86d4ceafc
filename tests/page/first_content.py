"""How soon the page shows something: `python -m tests.page.first_content`.

The demo's lines in an embedded store, the page over it, and a Chromium: milliseconds from the
navigation to the first paint with content, and to the first line, medians.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.page.browsing import find_chromium, running_browser
from tests.page.served import demo_store, running_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

_ROUNDS = 9
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def opened_ms(context: BrowserContext, url: str) -> tuple[float, float]:
    """Milliseconds to the first paint with content and to the first line."""
    page = context.new_page()
    start_s = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator("main .row").first.wait_for()
    line_ms = (time.perf_counter() - start_s) * 1000
    paint_ms = float(page.evaluate(_PAINT))
    page.close()
    return paint_ms, line_ms


def measure(browser: Browser, url: str) -> None:
    """Print the medians of a browser that has seen the page, and of new ones."""
    known = browser.new_context()
    opened_ms(known, url)
    for name, context in (("seen before", lambda: known), ("new browser", browser.new_context)):
        found = [opened_ms(context(), url) for _ in range(_ROUNDS)]
        paint, line = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name}: first content {paint:.0f} ms, first line {line:.0f} ms")


def main() -> None:
    """Measure on this machine."""
    program = find_chromium()
    if program is None:
        raise SystemExit("no chromium on PATH")
    with (
        tempfile.TemporaryDirectory() as folder,
        demo_store(Path(folder), "demo") as loki_url,
        running_page(loki_url, Path(folder) / "state") as url,
        running_browser(program) as browser,
    ):
        measure(browser, url)


if __name__ == "__main__":
    main()
