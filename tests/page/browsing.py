"""A tab of a real Chromium on the page, and what it complained of."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import sync_playwright

from lokikit.stack.native.page import HEALTH_PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page, ViewportSize

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WITHIN_MS = 60_000
"""The machine may be busy with other tests."""
_SIZE: ViewportSize = {"width": 1440, "height": 900}
_FORBIDDEN = ("Content Security Policy", "TrustedHTML", "TrustedScript")


def find_chromium() -> str | None:
    """The Chromium on PATH; `None` when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


class Tab:
    """One tab, in a profile of its own.

    Args:
        browser: it runs in.
        url: of the page.
        options: of the profile: its size, its theme.
    """

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self._context = browser.new_context(**{"viewport": _SIZE, "locale": "en-GB", **options})
        self._context.set_default_timeout(WITHIN_MS)
        self._context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.page: Page = self._context.new_page()
        self.url = url
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self._hear(message.text))
        self.page.on("dialog", self._hear_dialog)

    def renew(
        self,
        url: str,
        viewport: ViewportSize = _SIZE,
        color_scheme: Literal["dark", "light"] = "light",
    ) -> None:
        """Make it a tab as new on the page at `url`: a new profile costs a second of the CPU."""
        self.url = url
        self.page.set_viewport_size(viewport)
        self.page.emulate_media(color_scheme=color_scheme)
        self.page.mouse.move(0, 0)
        self.page.goto(url + HEALTH_PATH)
        self.page.evaluate("() => localStorage.clear()")
        self.complaints.clear()

    def open(self, path: str = "/explore") -> Page:
        """The page at that path, once it shows something."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector("body[data-shown]")
        return self.page

    def at(self, selector: str) -> Locator:
        """Elements of the page."""
        return self.page.locator(selector)

    @property
    def rows(self) -> Locator:
        """Of the lines that are shown."""
        return self.at("main .row")

    def texts(self, selector: str) -> list[str]:
        """Those of the elements."""
        return self.at(selector).all_inner_texts()

    def choose(self, menu: str, value: str) -> None:
        """Tick a value of a menu of the bar, and close it."""
        self.at(f"details[data-name='{menu}'] > summary").click()
        self.at(f"details[data-name='{menu}'] label").filter(has_text=value).click()
        self.page.keyboard.press("Escape")

    def until_url(self, *parts: str) -> str:
        """The URL once it holds all of these."""
        self.page.wait_for_url(lambda url: all(part in url for part in parts))
        return self.page.url

    def until_rows(self, *, having: str = "", count: int | None = None) -> None:
        """Return once the first row has that text, or there are so many rows."""
        if having:
            self.rows.filter(has_text=having).first.wait_for()
        while count is not None and self.rows.count() != count:
            self.page.wait_for_timeout(50)

    def copied(self) -> str:
        """What is in the clipboard."""
        return str(self.page.evaluate("() => navigator.clipboard.readText()"))

    def close(self) -> None:
        """Close the profile."""
        self._context.close()

    def _hear(self, text: str) -> None:
        if any(word in text for word in _FORBIDDEN):
            self.complaints.append(text)

    def _hear_dialog(self, dialog: Any) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()
