"""Reading values from a real web server: a source is called once, and no reader of an old value waits for it."""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest

from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Reply, Stack

pytestmark = pytest.mark.e2e

READERS = 6
# Of the 16 threads of the web process four may wait, and so many of these for one application.
SEATS = 2
TABLES = "tasks_keysync, tasks_cachedvalue, tasks_cachekey, tasks_cachereads, sources_datasource"


@pytest.fixture
def stack(one_of_each: Stack) -> Stack:
    """The same beat and worker for all tests of this file, with nothing to do."""
    return one_of_each


@pytest.fixture(autouse=True)
def _key(stack: Stack, receiver: Receiver) -> Iterator[None]:
    """A key that was never filled, of a source that is the receiver."""
    stack.sql(f"TRUNCATE {TABLES} CASCADE".encode())
    source = {"tag": "shop", "type": "REST", "configuration": {"url": f"{receiver.url}/{{{{ID}}}}"}}
    assert stack.request("POST", "sources/", source).status == 201
    key = {"name": "product-1", "source": "shop", "variables": {"ID": "1"}}
    assert stack.request("POST", "keys/", key).status == 201
    yield
    stack.sql(f"TRUNCATE {TABLES} CASCADE".encode())


def read(stack: Stack) -> Reply:
    return stack.request("GET", "cache/product-1")


def test_a_first_value_is_fetched_once_while_an_eighth_of_the_threads_wait_for_it(
    stack: Stack, receiver: Receiver
) -> None:
    receiver.answer = lambda _: Answer(gate="source", body=b'{"price": 12}')
    with ThreadPoolExecutor(READERS) as pool:
        waiting = {pool.submit(read, stack) for _ in range(READERS)}
        refused: list[int] = []
        while len(refused) < READERS - SEATS:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            refused += [one.result().status for one in done]
        stack.until(lambda: receiver.calls, "the source is called")
        assert stack.get("runs/")["results"]  # others are answered meanwhile
        receiver.open("source")
        served = [(one.result().status, one.result().data) for one in waiting]
    assert refused == [503] * (READERS - SEATS)
    assert served == [(200, {"price": 12})] * SEATS
    assert len(receiver.calls) == 1


def test_an_old_value_is_served_while_its_source_hangs_and_after_valkey_was_emptied(
    stack: Stack, receiver: Receiver
) -> None:
    assert (read(stack).status, len(receiver.calls)) == (200, 1)
    receiver.answer = lambda _: Answer(gate="source", body=b'"new"')
    an_hour_ago = ", ".join(f"{name} = {name} - interval '1 hour'" for name in ("fetched_at", "tried_at", "asked_at"))
    stack.sql(f"UPDATE tasks_cachedvalue SET {an_hour_ago}".encode())
    assert stack.request("PATCH", "keys/product-1/", {"ttl": 60}).status == 200
    stack.until(lambda: read(stack).data == "ok" and len(receiver.calls) == 2, "it is fetched anew")
    with stack.valkey() as client:
        client.flushall()
    assert [read(stack).data for _ in range(5)] == ["ok"] * 5
    receiver.open("source")
    stack.until(lambda: read(stack).data == "new", "the new value is read")
    assert len(receiver.calls) == 2


def test_what_was_read_is_written_down_when_web_ends(stack: Stack, receiver: Receiver) -> None:
    stack.end("web")  # with what it has counted so far
    stack.sql("TRUNCATE tasks_cachereads")
    stack.start("web")
    assert [read(stack).status for _ in range(4)] == [200] * 4
    stack.end("web")
    try:
        assert stack.sql("SELECT sum(hits), sum(stale), sum(misses) FROM tasks_cachereads") == [(3, 0, 1)]
    finally:
        stack.start("web")
