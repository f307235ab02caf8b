"""The browser that tests drive: Debian's Chromium, by Playwright, and what its pages complain of."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
# HEADED=1 shows the browser, slowly enough to be watched.
HEADED, SLOW_MS = bool(os.environ.get("HEADED")), 400

# How long a page may take to show what a test waits for, in milliseconds: far more than it does.
PATIENCE_MS = 10_000

_running: list[Browser] = []


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser for the block. Where none is installed the test is skipped; CI has one, so there it fails."""
    if not CHROMIUM:
        if os.environ.get("CI"):
            pytest.fail("There is no Chromium here: .ci/install-browser brings it.")
        pytest.skip("There is no Chromium here: .ci/install-browser says how it comes.")
    if _running:  # a thread has one Playwright at a time: who comes second shares it
        yield _running[0]
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(QUIET), headless=not HEADED, slow_mo=SLOW_MS if HEADED else 0
        )
        _running.append(browser)
        yield browser
        _running.clear()
        browser.close()


def profile(browser: Browser, base_url: str, **more: Any) -> BrowserContext:
    """Somebody's own browser, in which paths are enough for `goto`; `more` goes over what is usual."""
    usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "timezone_id": "Europe/Zurich"}
    return browser.new_context(base_url=base_url, **{**usual, **more})


class Complaints:
    """What the pages' consoles say, and what their policy blocks; not the errors whose status is `awaited`."""

    def __init__(self) -> None:
        self.awaited: set[int] = set()
        self.heard: list[str] = []

    def listen_to(self, page: Page) -> Page:
        """Hear what this page says from now on, and have patience with it."""
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        # What a test itself lets run in the page has no address: axe, for one, measures with inline styles.
        if message.type in {"error", "warning"} and message.location["url"] and not self._is_awaited(message.text):
            self.heard.append(f"{message.type}: {message.text} ({message.location})")

    def _is_awaited(self, text: str) -> bool:
        # A page that is left gives up what it was asking for; errors of answers are told in other words.
        if text.startswith(("htmx:sendAbort", "htmx:afterRequest")):
            return True
        # The browser says it, and so does htmx.
        said = ("responded with a status of {} ", "Response Status Error Code {} ")
        return any(words.format(status) in text for status in self.awaited for words in said)
