"""The receiver of the benchmark: what it answers, and what it remembers."""

import asyncio
import json
import time

import pytest

from bench import receiver

CALL = b"POST /x HTTP/1.1\r\nHost: h\r\nWebhook-Id: run-1\r\nContent-Length: 3\r\n\r\nabc"


class Wire(asyncio.Transport):
    """What would have been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))


@pytest.fixture
def wire() -> Wire:
    receiver.arrivals.clear()
    return Wire()


def receive(wire: Wire, *pieces: bytes) -> None:
    connection = receiver.Connection()
    connection.connection_made(wire)
    for piece in pieces:
        connection.data_received(piece)


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([CALL], 1),
        ([CALL + CALL], 2),
        ([CALL[:20], CALL[20:]], 1),
        ([CALL[:-1]], 0),
        ([b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"], 1),
    ],
)
def test_each_complete_request_is_answered_once(wire: Wire, pieces: list[bytes], answers: int) -> None:
    receive(wire, *pieces)
    assert wire.sent == [receiver.ANSWER] * answers


def test_the_time_of_a_call_is_kept_under_its_webhook_id(wire: Wire) -> None:
    before = time.time()
    receive(wire, CALL, CALL)
    assert list(receiver.arrivals) == ["run-1"]
    first, second = receiver.arrivals["run-1"]
    assert before <= first <= second <= time.time()


def test_the_arrivals_are_told_once(wire: Wire) -> None:
    receive(wire, CALL)
    asked = b"GET /arrivals HTTP/1.1\r\nHost: h\r\n\r\n"
    receive(wire, asked, asked)
    first, second = (json.loads(sent.partition(b"\r\n\r\n")[2]) for sent in wire.sent[1:])
    assert list(first) == ["run-1"]
    assert second == {}


def test_the_answer_has_a_hundred_bytes() -> None:
    head, _, body = receiver.ANSWER.partition(b"\r\n\r\n")
    assert b"Content-Length: 100" in head
    assert len(body) == 100
