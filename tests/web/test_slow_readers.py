"""Answers that are not taken: nobody waits for their readers for long, and what is taken in time comes whole."""

import threading
from collections.abc import Iterable, Iterator
from socket import socket, socketpair
from typing import Any

import pytest

from badgerjobs.web import slow_readers
from badgerjobs.web.slow_readers import PIECE_BYTES, Taken, taken_in_time

# Longer than anything here takes, in seconds; and more than any socket holds, in bytes.
PATIENCE_S = 30
LONG = b"x" * 20_000_000


@pytest.fixture
def ends() -> Iterator[tuple[socket, socket]]:
    """Ours, which blocks as a server's does, and theirs."""
    ours, theirs = socketpair()
    theirs.settimeout(PATIENCE_S)
    with ours, theirs:
        yield ours, theirs


def served(ours: socket, answer: Iterable[bytes]) -> Any:
    """What the server iterates over."""
    return taken_in_time(lambda *_: answer)({"gunicorn.socket": ours}, print)


def send(ours: socket, answer: Iterable[bytes]) -> int:
    """As a server does: how many bytes were taken before the reader was cut off, or all."""
    sent = 0
    try:
        for piece in answer:
            ours.sendall(piece)
            sent += len(piece)
    except BrokenPipeError:
        pass
    finally:
        answer.close()  # type: ignore[attr-defined]  # theirs have one
    return sent


class Made:
    """An answer that is made while it is sent, and says when nobody wants the rest."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces, self.is_closed = pieces, False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        self.is_closed = True


def test_a_reader_who_takes_nothing_is_cut_off_and_what_was_being_made_for_it_is_let_go_of(
    ends: tuple[socket, socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_readers, "REST_S", 0.0)
    ours, _ = ends
    made = Made(LONG)
    sending = threading.Thread(target=send, args=(ours, served(ours, made)), daemon=True)
    sending.start()
    sending.join(PATIENCE_S)
    assert (sending.is_alive(), made.is_closed) == (False, True)


def test_what_a_reader_has_taken_gives_it_time_for_the_rest(ends: tuple[socket, socket]) -> None:
    ours, _ = ends
    answer = Taken([], ours)
    answer._sent, answer._waited = 30 * slow_readers.LEAST_PER_S, 20.0
    began = answer._begin()
    answer.close()
    assert answer.until - began == pytest.approx(slow_readers.REST_S + 10.0)


def test_what_is_taken_comes_whole_in_pieces_and_its_connection_is_left_alone(ends: tuple[socket, socket]) -> None:
    ours, theirs = ends
    whole = bytes(range(256)) * 1000
    answer = served(ours, [b"head", whole, b""])
    pieces = list(answer)
    answer.close()
    assert (b"".join(pieces), max(map(len, pieces))) == (b"head" + whole, PIECE_BYTES)
    ours.sendall(b"next")
    assert theirs.recv(4) == b"next"


def test_nobody_is_watched_whose_answer_is_over_or_still_being_made(ends: tuple[socket, socket]) -> None:
    ours, _ = ends
    seen = []

    def made() -> Iterator[bytes]:
        for piece in (b"1", b"2"):
            seen.append(len(slow_readers.WATCH._waiting))
            yield piece

    answer = served(ours, made())
    assert [len(slow_readers.WATCH._waiting) for _ in answer] == [1, 1]
    answer.close()
    assert (seen, slow_readers.WATCH._waiting) == ([0, 0], set())


def test_an_answer_of_another_server_stays_as_it_is() -> None:
    answer = [b"1"]
    assert taken_in_time(lambda *_: answer)({}, print) is answer
