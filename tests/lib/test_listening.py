import socket

import pytest

from badgerjobs.lib import listening


@pytest.mark.parametrize(
    ("host", "reached", "everywhere"),
    [
        ("127.0.0.1", "127.0.0.1", False),
        ("192.0.2.7", "192.0.2.7", False),
        ("0.0.0.0", "127.0.0.1", True),
        ("::", "::1", True),
        ("::1", "::1", False),
        ("0:0:0:0:0:0:0:1", "::1", False),
        ("localhost", "127.0.0.1", False),
    ],
)
def test_a_server_is_reached_where_it_listens_or_on_loopback(host: str, reached: str, everywhere: bool) -> None:
    assert listening.reached_at(host) == reached
    assert listening.is_everywhere(host) is everywhere


@pytest.mark.parametrize("fault", [socket.gaierror("unknown"), UnicodeError("label too long")])
def test_a_name_that_nobody_knows_stays_as_it_is(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_up(_: str) -> str:
        raise fault

    monkeypatch.setattr(socket, "gethostbyname", look_up)
    assert listening.reached_at("nobody.example") == "nobody.example"


@pytest.mark.parametrize(
    ("host", "port", "written"), [("127.0.0.1", 80, "127.0.0.1:80"), ("::1", 80, "[::1]:80"), ("x.test", 1, "x.test:1")]
)
def test_host_and_port_are_written_in_one(host: str, port: int, written: str) -> None:
    assert listening.location(host, port) == written
