"""Several processes' worth of work at once: a thread and a database connection for each."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from typing import TypeVar

from django.db import connection, connections, transaction

from tests.waiting import until

T = TypeVar("T")


def together(*calls: Callable[[], T]) -> list[T]:
    """Make the calls at the same moment; give what they returned, in their order. Raises what one of them raised."""
    start = threading.Barrier(len(calls))

    def one(call: Callable[[], T]) -> T:
        try:
            start.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(one, calls))


def behind(hold: Callable[[], object], *calls: Callable[[], T]) -> list[T]:
    """Make the calls while what `hold` locks is locked, and then let go of it; give what they returned, in their order.

    Each begins when the one before waits for a lock, so that all are where they are meant to be: no luck is needed.
    Raises what one of them raised.
    """
    with ThreadPoolExecutor(len(calls)) as threads:
        with transaction.atomic():
            hold()
            begun = [waiting(threads, call) for call in calls]
        return [one.result() for one in begun]


def waiting(threads: ThreadPoolExecutor, call: Callable[[], T]) -> Future[T]:
    """Begin with the call. Comes back when it waits for a lock that somebody else holds."""
    pids: Queue[int] = Queue()

    def one() -> T:
        try:
            pids.put(_asked("SELECT pg_backend_pid()"))
            return call()
        finally:
            connections.close_all()

    begun = threads.submit(one)
    pid = pids.get(timeout=10)
    until(lambda: _asked("SELECT cardinality(pg_blocking_pids(%s))", pid))
    return begun


def _asked(statement: str, *given: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return int(cursor.fetchone()[0])
