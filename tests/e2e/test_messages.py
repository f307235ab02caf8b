"""Messages in real processes: a worker that dies between reading, storing and acknowledging loses none of them."""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from tests.e2e.checkpoint import Checkpoint
from tests.e2e.collecting import make_collection, post
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

# More than are asked for at once at first, so that some are read when it dies and others are not.
MESSAGES = 120
# The database of the stack's Valkey that is other people's here.
THEIRS = 9
# How AMQP says that somebody takes no more messages, which is said before they are acknowledged.
CANCEL = b"\x00\x3c\x00\x1e"


@pytest.fixture
def checkpoint(stack: Stack) -> Iterator[Checkpoint]:
    """A door to the stack's Valkey."""
    with Checkpoint(str(stack.layout.valkey_socket)) as door:
        yield door


@pytest.fixture
def theirs(stack: Stack) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(stack.layout.redis_url.replace("?db=0", f"?db={THEIRS}")) as client:
        yield client


class Shop:
    """A job that adds the messages of one place to a collection, and workers that die at the door of its server."""

    def __init__(self, stack: Stack, door: Checkpoint, **place: Any) -> None:
        self.stack, self.door = stack, door
        given = {"name": "orders", "host": "127.0.0.1", "port": door.port, "tls": "none", **place}
        make_collection(stack, "orders", mode="accumulative", source={"type": "STREAM", "configuration": given})
        self._workers = 0
        stack.start("beat-1")
        self.start_worker()

    def start_worker(self) -> None:
        self._workers += 1
        self.stack.start(f"worker-{self._workers}", EGRESS_ALLOW=f"127.0.0.1:{self.door.port}")

    def run(self, *, dies_at: bytes = b"", nth: int = 1) -> list[int]:
        """One run; whoever asks this for the nth time is killed before it is heard. Returns what was stored then."""
        if dies_at:
            self.door.hold(dies_at, nth=nth)
        run = post(self.stack, "async-jobs/orders/run/")["id"]
        stored: list[int] = []
        if dies_at:
            self.stack.until(self.door.held.is_set, "the worker is at the door")
            stored = self.stored()
            self.stack.kill_worker(f"worker-{self._workers}")
            self.door.let_through()
            self.start_worker()
        self.stack.until(lambda: self.stack.get(f"runs/{run}/")["state"] == "succeeded", "the run succeeded")
        return stored

    def stored(self) -> list[int]:
        """The messages of the collection, each as often as it is there."""
        return sorted(int(row["id"]) for row in self.stack.get("collections/orders/?$limit=1000"))


def test_of_a_stream_each_is_stored_once(stack: Stack, checkpoint: Checkpoint, theirs: redis.Redis) -> None:
    for number in range(MESSAGES):
        theirs.xadd("orders", {"id": number})
    shop = Shop(stack, checkpoint, place="stream", database=THEIRS, password=stack.layout.secret("valkey_password"))
    assert shop.run(dies_at=b"XRANGE", nth=2) == []
    assert shop.stored() == list(range(MESSAGES))
    theirs.xadd("orders", {"id": MESSAGES})
    shop.run()
    assert shop.stored() == list(range(MESSAGES + 1))


def test_of_a_list_each_is_stored_once_or_comes_again(
    stack: Stack, checkpoint: Checkpoint, theirs: redis.Redis
) -> None:
    first, second = range(MESSAGES), range(MESSAGES, 2 * MESSAGES)
    theirs.rpush("orders", *(f'{{"id": {number}}}' for number in first))
    shop = Shop(stack, checkpoint, place="list", database=THEIRS, password=stack.layout.secret("valkey_password"))
    assert shop.run(dies_at=b"LRANGE", nth=2) == []
    assert shop.stored() == list(first)
    assert theirs.llen("orders") == 0

    theirs.rpush("orders", *(f'{{"id": {number}}}' for number in second))
    assert shop.run(dies_at=b"EVAL") == [*first, *second]
    shop.run()
    _all_are_there_and_none_of_these_twice(shop, [*first, *second], list(first))
    assert theirs.llen("orders") == 0


@pytest.mark.skipif(
    not os.environ.get("RABBITMQ_URL"),
    reason="it needs a RabbitMQ on loopback: set RABBITMQ_URL, like amqp://guest:guest@127.0.0.1:5672",
)
def test_of_a_real_queue_each_is_stored_once_or_comes_again(stack: Stack) -> None:
    from kombu import Connection  # noqa: PLC0415  only where there is one

    url = os.environ["RABBITMQ_URL"]
    parts = urlsplit(url)
    who = {"user": parts.username or "guest", "password": parts.password or "guest"}
    first, second = range(MESSAGES), range(MESSAGES, 2 * MESSAGES)
    with Checkpoint(parts.port or 5672) as door, Connection(url) as server:
        queue = server.SimpleQueue("badger-jobs-killed")
        queue.clear()
        for number in first:
            queue.put({"id": number})
        shop = Shop(stack, door, place="queue", **{**who, "name": "badger-jobs-killed"})
        assert shop.run(dies_at=CANCEL) == list(first)
        for number in second:
            queue.put({"id": number})
        shop.run()
        _all_are_there_and_none_of_these_twice(shop, [*first, *second], [])
        assert queue.qsize() == 0
        queue.queue.delete()


def _all_are_there_and_none_of_these_twice(shop: Shop, expected: list[int], once: list[int]) -> None:
    counted = Counter(shop.stored())
    assert sorted(counted) == expected
    assert [number for number in once if counted[number] > 1] == []
