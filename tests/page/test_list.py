"""A list of twenty thousand lines, and of a million, in flat memory."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from tests.page.served import running_page
from tests.stack.asking import push
from tests.stack.engines import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.page.browsing import Tab
    from tests.stack.engines import Running

SECOND_NS = 10**9
MAX_ROWS = 2200
"""Some pages of 200 around what is seen."""
COUNT = 20_000
TIED = 450
"""Lines of one nanosecond: more than two pages."""


def fill(store: Running, count: int) -> None:
    """Store numbered lines, the newest a minute ago; a bunch of them has one time."""
    step_ns = 1800 * SECOND_NS // count
    start_ns = time.time_ns() - 60 * SECOND_NS - count * step_ns
    tied = range(count - 1500, count - 1500 + TIED)
    for first in range(0, count, 50_000):
        rows = [
            (
                start_ns + (tied.start if number in tied else number) * step_ns,
                json.dumps({"level": "info", "message": f"line {number}"}),
            )
            for number in range(first, min(first + 50_000, count))
        ]
        push(store.url, {"service_name": "many", "env": "test"}, rows)


def numbers(tab: Tab) -> list[int]:
    """Of the lines that are in the document, from the top."""
    texts = tab.rows.evaluate_all(
        "rows => rows.map((row) => row.querySelector('.message').textContent)"
    )
    return [int(text.split()[1]) for text in texts]


def last(tab: Tab) -> int:
    """Of the oldest line that is in the document."""
    return int((tab.rows.last.locator(".message").text_content() or "").split()[1])


def heap_bytes(tab: Tab) -> int:
    """What the JavaScript of the page holds, after a collection of garbage."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


def scrolled(tab: Tab, pages: int) -> Iterator[list[int]]:
    """Scroll to the end again and again; what is in the document each time more came."""
    oldest = numbers(tab)[-1]
    for _ in range(pages):
        tab.page.evaluate("() => scrollTo(0, document.body.scrollHeight)")
        while last(tab) == oldest:
            tab.page.wait_for_timeout(20)
        shown = numbers(tab)
        oldest = shown[-1]
        yield shown


def check_scrolling(tab: Tab, count: int, pages: int, max_grown_bytes: int) -> None:
    """Scroll through pages of a list of so many lines; the memory is held against page 10."""
    tab.open()
    assert numbers(tab)[0] == count - 1
    seen, held = set(numbers(tab)), 0
    for turn, shown in enumerate(scrolled(tab, pages)):
        # Lines of one nanosecond have no order.
        assert sorted(shown) == list(range(min(shown), max(shown) + 1))
        assert len(shown) <= MAX_ROWS
        seen.update(shown)
        if turn == 10:
            held = heap_bytes(tab)
    assert seen == set(range(min(seen), count))
    assert heap_bytes(tab) - held < max_grown_bytes
    tab.page.evaluate("() => scrollTo(0, 0)")
    tab.until_rows(having=f"line {count - 1}")


@pytest.fixture(scope="module")
def many_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over a store of `COUNT` lines."""
    folder = tmp_path_factory.mktemp("many")
    store = EMBEDDED.make(folder, {}).start()
    fill(store, COUNT)
    with running_page(store.url, folder / "state") as url:
        yield url
    store.kill()


def test_scrolling_shows_each_line_once_in_flat_memory(
    open_tab: Callable[..., Tab], many_page: str
) -> None:
    check_scrolling(open_tab(many_page), COUNT, pages=25, max_grown_bytes=2**20)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_scrolling_through_a_million_lines_takes_flat_memory(
    open_tab: Callable[..., Tab], own_page: str, own_store: Running
) -> None:
    fill(own_store, 1_000_000)
    check_scrolling(open_tab(own_page), 1_000_000, pages=4990, max_grown_bytes=40 * 2**20)


def test_lines_of_one_nanosecond_come_each_once_over_pages(
    open_tab: Callable[..., Tab], many_page: str
) -> None:
    tab = open_tab(many_page)
    tab.open()
    seen = list(numbers(tab))
    for shown in scrolled(tab, 6):
        seen += [one for one in shown if one not in seen]
    assert sorted(seen, reverse=True) == list(range(COUNT - 1, min(seen) - 1, -1))
    assert min(seen) <= COUNT - 1500


def test_the_histogram_of_many_lines_counts_them_all(
    open_tab: Callable[..., Tab], many_page: str
) -> None:
    tab = open_tab(many_page)
    tab.open()
    tab.at(".tools").get_by_text(f"{COUNT:,} lines").wait_for()
