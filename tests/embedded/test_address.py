import errno
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from badgerjobs.embedded import address


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [("127.0.0.1", 8000, "http://127.0.0.1:8000"), ("::1", 80, "http://[::1]:80"), ("x.test", 1, "http://x.test:1")],
)
def test_an_address_is_written_as_people_open_it(host: str, port: int, url: str) -> None:
    assert address.url_of(host, port) == url


def test_a_port_in_use_is_said_with_the_variable_to_set() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(address.UnusableAddressError, match=rf"port {port}: .* Set PORT .* PORT={port + 1} make up"):
            address.ensure_free("127.0.0.1", port)
    address.ensure_free("127.0.0.1", port)


@pytest.mark.parametrize(("port", "other"), [(80, 8080), (443, 8443), (1023, 8023)])
def test_a_port_that_only_root_may_have_is_answered_with_one_for_everybody(
    port: int, other: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(address.UnusableAddressError, match=rf"port {port}: Permission denied. .* PORT={other} make up"):
        address.ensure_free("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no such name"])
def test_a_host_that_is_not_this_machine_is_said(host: str) -> None:
    with pytest.raises(address.UnusableAddressError, match="HOST"):
        address.ensure_free(host, 8000)


class Answer(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        wanted = self.path == "/healthz" and self.headers["Host"] == "jobs.test"
        self.send_response(type(self).status if wanted else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "well"), [(200, True), (503, False), (404, False)])
def test_it_is_well_when_healthz_says_so(status: int, well: bool, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Answer, "status", status)
    assert address.is_well("127.0.0.1", port, "jobs.test") is well
    assert address.is_well("0.0.0.0", port, "jobs.test") is well


def test_where_nobody_listens_it_is_not_well() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert not address.is_well("127.0.0.1", port, "jobs.test")
