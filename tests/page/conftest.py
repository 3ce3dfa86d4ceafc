"""A real Chromium on a page over an embedded store that holds the demo's lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.page.browsing import Tab, find_chromium, running_browser
from tests.page.served import demo_store, running_page
from tests.stack.engines import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from tests.stack.engines import Running

ENV = "demo"


# Of a module: where Playwright's own loop runs, asyncio.run() of any other test fails.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("NO BROWSER TRIES THE PAGE: no chromium on PATH")
    with running_browser(program) as started:
        yield started


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded store that the demo has written to."""
    with demo_store(tmp_path_factory.mktemp("store"), ENV) as url:
        yield url


@pytest.fixture(scope="session")
def page_url(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over that store."""
    with running_page(demo_url, tmp_path_factory.mktemp("state")) as url:
        yield url


@pytest.fixture(scope="module")
def kept_tab(browser: Browser) -> Iterator[Tab]:
    """The tab that each test of a module has anew."""
    made = Tab(browser, "about:blank")
    yield made
    made.close()


@pytest.fixture
def open_tab(browser: Browser, kept_tab: Tab) -> Iterator[Callable[..., Tab]]:
    """Open tabs: `open_tab(url, color_scheme="dark")`; none may have an error at the end."""
    tabs: list[Tab] = []

    def make(url: str, **options: object) -> Tab:
        tabs.append(Tab(browser, url) if tabs else kept_tab)
        tabs[-1].renew(url, **options)
        return tabs[-1]

    yield make
    complaints = [one for tab in tabs for one in tab.complaints]
    for tab in tabs[1:]:
        tab.close()
    assert complaints == []


@pytest.fixture
def tab(open_tab: Callable[..., Tab], page_url: str) -> Tab:
    """A tab on the page with the demo's lines."""
    return open_tab(page_url)


@pytest.fixture
def own_store(tmp_path: Path) -> Iterator[Running]:
    """An empty store of the test's own."""
    store = EMBEDDED.make(tmp_path, {}).start()
    yield store
    store.kill()


@pytest.fixture
def own_page(own_store: Running, tmp_path: Path) -> Iterator[str]:
    """A page over it."""
    with running_page(own_store.url, tmp_path / "state") as url:
        yield url


@pytest.fixture(scope="module")
def empty_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page over a store without a line, where neither lines nor alerts are written."""
    folder = tmp_path_factory.mktemp("empty")
    store = EMBEDDED.make(folder, {}).start()
    with running_page(store.url, folder / "state") as url:
        yield url
    store.kill()
