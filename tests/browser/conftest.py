"""A real browser on a real server: Debian's Chromium, driven by Playwright, on the pages as gunicorn would give them.

The server is a thread of the test's own process (pytest-django's `live_server`): the rows that a test makes are
those that the page shows. What needs beat and workers is in tests/e2e.
"""

import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from typing import Any
from unittest.mock import patch

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.conf import settings
from django.core.servers.basehttp import ServerHandler, WSGIRequestHandler
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from badgerjobs.workspaces.models import Application, Role, User
from tests.chromium import PATIENCE_MS, Complaints, launched, profile
from tests.factories import make_application, make_member


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a browser's test and may use the database from the server's thread."""
    for item in items:
        if "/tests/browser/" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests; each test has profiles of its own in it."""
    # Playwright keeps an event loop in this thread, which Django would take for a sign of asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with launched() as browser:
        yield browser
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


class Profiles:
    """Browsers of people: when a test is over the next one has them, with styles and scripts in their cache.

    Nothing else is left in them: pages are closed and cookies cleared, and our scripts store nothing. One whose clock
    was set cannot be set right again, and goes.
    """

    def __init__(self, chromium: Browser, base_url: str) -> None:
        self._chromium, self._base_url = chromium, base_url
        self._free: dict[bool, list[BrowserContext]] = {True: [], False: []}

    def take(self, *, scripts: bool) -> BrowserContext:
        free = self._free[scripts]
        allowed = ["clipboard-read", "clipboard-write"]
        return free.pop() if free else profile(
            self._chromium, self._base_url, java_script_enabled=scripts, permissions=allowed
        )  # fmt: skip

    def give_back(self, context: BrowserContext, *, scripts: bool) -> None:
        is_spoilt = any(page.evaluate("'__pwClock' in globalThis") for page in context.pages)
        for page in context.pages:
            page.close()
        if is_spoilt:
            context.close()
            return
        context.clear_cookies()
        self._free[scripts].append(context)


@pytest.fixture(scope="session")
def profiles(chromium: Browser, live_server: LiveServer) -> Iterator[Profiles]:
    """Profiles whose server closes each connection with its answer: a thread that is left is one that still answers."""
    with (
        patch.object(ServerHandler, "cleanup_headers", _and_close(ServerHandler.cleanup_headers)),
        patch.object(WSGIRequestHandler, "handle_one_request", _if_asked(WSGIRequestHandler.handle_one_request)),
    ):
        yield Profiles(chromium, live_server.url)


def _and_close(cleanup_headers: Callable[[Any], None]) -> Callable[[Any], None]:
    def closing(self: Any) -> None:
        cleanup_headers(self)
        self.headers["Connection"] = "close"
        self.request_handler.close_connection = True

    return closing


def _if_asked(handle_one_request: Callable[[Any], None]) -> Callable[[Any], None]:
    """Hang up on a connection on which nothing is asked: a page that is left while it connects leaves those behind."""

    def asked(self: Any) -> None:
        readable, _, _ = select.select([self.connection], [], [], SILENCE_S)
        if readable:
            handle_one_request(self)

    return asked


@pytest.fixture
def open_browser(profiles: Profiles, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Opens a browser of its own for a person, signed in, or for nobody: `open_browser(user, width=390, dark=True)`.

    Paths are enough for its `goto`. What the console says while the test lasts, and what the policy blocks, fails it;
    so does an answer that is an error, unless its status is `expected`.
    """
    opened_ones: list[tuple[BrowserContext, bool]] = []
    complaints = Complaints()

    def opened(
        user: User | None = None,
        *,
        width: int = 1440,
        dark: bool = False,
        scripts: bool = True,
        expected: Collection[int] = (),
    ) -> Page:
        complaints.awaited.update(expected)
        context = profiles.take(scripts=scripts)
        opened_ones.append((context, scripts))
        if user:
            context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": live_server.url}])
        page = context.new_page()
        see_as(page, width, "dark" if dark else "light")
        return complaints.listen_to(page)

    yield opened
    for context, scripts in opened_ones:
        profiles.give_back(context, scripts=scripts)
    let_requests_end()
    assert complaints.heard == []


def see_as(page: Page, width: int, theme: str) -> None:
    """Make the window so wide, and the system's theme `light` or `dark`."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")


# A browser that has connected asks at once, if at all.
SILENCE_S = 2.0
# A page that is left may have asked for what waits for the sandbox, and for its start: on a busy machine half a minute.
ANSWERS_S = 60.0


def let_requests_end() -> None:
    """Wait until the server has answered everything: its threads use rows that the next test begins without."""
    patience = time.monotonic() + ANSWERS_S
    while answering := [thread for thread in threading.enumerate() if "process_request_thread" in thread.name]:
        assert time.monotonic() < patience, f"the server is still answering:\n{_stacks_of(answering)}"
        for thread in answering:
            if thread.is_alive():  # one that is about to begin cannot be joined yet, and is met again
                thread.join(PATIENCE_MS / 1000)


def _stacks_of(threads: list[threading.Thread]) -> str:
    frames = sys._current_frames()
    return "\n".join(
        "".join(traceback.format_stack(frames[thread.ident])) for thread in threads if thread.ident in frames
    )


def session_of(user: User) -> str:
    """The value of the cookie that somebody has who signed in just now, by their password."""
    client = Client()
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[0])
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time(), "email": user.email}]
    session.save()
    return client.cookies["sessionid"].value


@pytest.fixture
def shop(transactional_db: None) -> Application:
    """Alice's application: she owns its workspace, Bob may only look."""
    application = make_application("Example Shop", "shop")
    make_member(application.workspace, Role.OWNER, "alice@example.com")
    make_member(application.workspace, Role.VIEWER, "bob@example.com")
    return application


@pytest.fixture
def alice_browser(shop: Application, open_browser: Callable[..., Page]) -> Page:
    """A browser in which Alice is signed in."""
    return open_browser(User.objects.get(email="alice@example.com"))
