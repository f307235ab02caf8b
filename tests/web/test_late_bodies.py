"""Bodies that do not arrive: nobody waits for them for long, and what arrives in time is read as it came."""

from collections.abc import Iterator
from socket import socket, socketpair
from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory

from badgerjobs.web import late_bodies
from badgerjobs.web.late_bodies import Arriving, in_time

# Longer than anything here takes, in seconds.
PATIENCE_S = 30


class Body:
    """What a server reads from a connection: so many bytes, or fewer where that ends."""

    def __init__(self, connection: socket) -> None:
        self.connection, self.failed = connection, False

    def read(self, size: int) -> bytes:
        whole = b""
        while len(whole) < size and (piece := self.connection.recv(size - len(whole))):
            whole += piece
        return whole

    readline = read


@pytest.fixture
def ends() -> Iterator[tuple[socket, socket]]:
    """Ours and theirs."""
    ours, theirs = socketpair()
    ours.settimeout(PATIENCE_S)
    with ours, theirs:
        yield ours, theirs


def served(ours: socket, **environ: str) -> Any:
    """What stands where the application looks for a body."""
    given: dict[str, Any] = {"gunicorn.socket": ours, "wsgi.input": Body(ours), **environ}
    in_time(lambda *_: [])(given, print)
    return given["wsgi.input"]


@pytest.mark.parametrize("read", ["read", "readline"])
@pytest.mark.parametrize("said", [{"CONTENT_LENGTH": "10"}, {"HTTP_TRANSFER_ENCODING": "chunked"}], ids=str)
def test_a_body_that_stops_in_the_middle_is_not_waited_for(
    ends: tuple[socket, socket], monkeypatch: pytest.MonkeyPatch, said: dict[str, str], read: str
) -> None:
    monkeypatch.setattr(late_bodies, "BODY_S", 0.0)
    ours, theirs = ends
    theirs.sendall(b"123")
    with pytest.raises(BadRequest, match="did not arrive in time"):
        getattr(served(ours, **said), read)(10)


def test_who_is_late_can_still_be_answered_and_asks_nothing_more(
    ends: tuple[socket, socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_bodies, "BODY_S", 0.0)
    ours, theirs = ends
    body = Body(ours)
    with pytest.raises(BadRequest):
        Arriving(body, ours).read(1)
    ours.sendall(b"no")
    assert (theirs.recv(2), body.failed) == (b"no", True)


def test_what_arrives_in_time_is_read_as_it_came_and_its_connection_is_left_alone(ends: tuple[socket, socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"1234567890")
    body = served(ours, CONTENT_LENGTH="10")
    assert (body.read(4), body.read(6)) == (b"1234", b"567890")
    theirs.sendall(b"next")
    assert ours.recv(4) == b"next"


def test_all_reads_of_a_body_have_one_time_together(ends: tuple[socket, socket]) -> None:
    ours, theirs = ends
    theirs.sendall(b"12")
    body = served(ours, CONTENT_LENGTH="10")
    body.read(1)
    before = body.until
    body.read(1)
    assert body.until == before
    body.hurry(0.0)
    with pytest.raises(BadRequest):
        body.read(1)


@pytest.mark.parametrize("environ", [{}, {"CONTENT_LENGTH": ""}, {"CONTENT_LENGTH": "0"}], ids=str)
def test_a_request_without_a_body_is_served_as_it_is(ends: tuple[socket, socket], environ: dict[str, str]) -> None:
    assert isinstance(served(ends[0], **environ), Body)


def test_without_a_socket_the_server_is_left_to_itself() -> None:
    given: dict[str, Any] = {"wsgi.input": "theirs", "CONTENT_LENGTH": "3"}
    in_time(lambda *_: [])(given, print)
    assert given["wsgi.input"] == "theirs"


@pytest.mark.django_db
def test_whoever_is_late_anywhere_is_told_that_the_request_could_not_be_read(
    ends: tuple[socket, socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(late_bodies, "BODY_S", 0.0)
    ours, _ = ends
    cookie = f"{settings.CSRF_COOKIE_NAME}={'x' * 32}"
    given: dict[str, Any] = {"wsgi.input": Body(ours), "gunicorn.socket": ours, "HTTP_COOKIE": cookie}
    environ = RequestFactory().post("/accounts/login/", {"login": "a"}, **given).META
    said: list[str] = []
    in_time(get_wsgi_application())(environ, lambda status, _: said.append(status))
    assert said == ["400 Bad Request"]
