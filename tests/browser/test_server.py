"""The server that the browser's tests have: when a test is over, so is what its pages asked for."""

import socket

from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import let_requests_end


def test_a_connection_on_which_nothing_is_asked_keeps_no_test_from_ending(
    alice_browser: Page, live_server: LiveServer
) -> None:
    with socket.create_connection((live_server.thread.host, live_server.thread.port)) as silent:
        silent.settimeout(60)
        let_requests_end()
        assert silent.recv(1) == b""
