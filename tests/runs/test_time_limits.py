"""A database that does not answer at all: its process stands still, and so would whoever waits for it."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from badgerjobs.celery import app
from badgerjobs.lib.time_limits import within
from badgerjobs.runs import beat, dispatch, fleet
from badgerjobs.runs.models import Run, Runnable
from tests.factories import make_application, make_runnable

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_connection() -> Iterator[None]:
    """What a test did to its connection is nobody else's."""
    yield
    connection.close()


def value(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        (found,) = cursor.fetchone()
    return found


@contextmanager
def stalled() -> Iterator[None]:
    """The server's process of this thread's connection is stopped meanwhile."""
    pid = value("SELECT pg_backend_pid()")
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def locked_and_let_go(runnable: Runnable) -> int:
    """Lock it beside whoever has it."""
    try:
        with within(5), transaction.atomic():
            return Runnable.objects.select_for_update().get(pk=runnable.pk).pk
    finally:
        connection.close()


@transaction.atomic
def lock_and_stand_still(runnable: Runnable, locked_beside: list[int]) -> None:
    """Until another one got the lock."""
    Runnable.objects.select_for_update().get(pk=runnable.pk)
    with ThreadPoolExecutor(1) as aside:
        locked_beside.append(aside.submit(locked_and_let_go, runnable).result(10))
    value("SELECT 1")


def many(sql: str) -> None:
    for _ in range(100):
        value(sql)


@transaction.atomic
def change_and_stall(runnable: Runnable) -> None:
    Runnable.objects.filter(pk=runnable.pk).update(name="changed")
    with stalled():
        value("SELECT 1")


def took(begun: float) -> float:
    return time.monotonic() - begun


def test_a_statement_that_is_not_answered_is_given_up_and_the_next_one_gets_a_new_connection() -> None:
    begun = time.monotonic()
    with stalled():
        with pytest.raises(OperationalError, match="did not answer in time"), within(0.3):
            value("SELECT 1")
        assert took(begun) < 2
        connection.close()
        with within(5):
            assert value("SELECT 1") == 1
    assert value("SELECT 1") == 1


def test_a_transaction_that_is_not_answered_is_rolled_back() -> None:
    runnable = make_runnable(make_application())
    with pytest.raises(OperationalError), within(0.3):
        change_and_stall(runnable)
    connection.close()
    runnable.refresh_from_db()
    assert runnable.name != "changed"


def test_time_is_given_for_all_statements_together() -> None:
    with pytest.raises(OperationalError), within(0.3):
        many("SELECT pg_sleep(0.01)")


@pytest.mark.parametrize(("outer", "inner"), [(0.3, 60), (60, 0.3)])
def test_of_two_limits_the_one_that_ends_first_holds(outer: float, inner: float) -> None:
    begun = time.monotonic()
    with within(outer):
        with pytest.raises(OperationalError), within(inner):
            value("SELECT pg_sleep(5)")
        assert took(begun) < 2


def test_when_the_time_is_over_it_is_given_anew() -> None:
    with pytest.raises(OperationalError), within(0.2):
        value("SELECT pg_sleep(5)")
    connection.close()
    assert value("SELECT 1") == 1


LIMITS = "SELECT current_setting('statement_timeout') || ' ' || current_setting('idle_in_transaction_session_timeout')"


def test_the_server_knows_the_limit_of_a_transaction() -> None:
    with within(5), transaction.atomic():
        assert 4 < float(value("SELECT current_setting('statement_timeout')").removesuffix("ms")) / 1000 <= 5
    assert value(LIMITS) == "1min 1min"


def test_what_a_process_that_stands_still_has_locked_is_free_when_its_time_is_over() -> None:
    runnable = make_runnable(make_application())
    locked_beside: list[int] = []
    with pytest.raises(OperationalError, match="did not answer in time"), within(0.5):
        lock_and_stand_still(runnable, locked_beside)
    assert locked_beside == [runnable.pk]


def test_through_a_pooler_each_transaction_says_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a session holds there, and at its start no option may be said."""
    connection.close()
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pooled", "1")
    monkeypatch.delitem(connection.settings_dict["OPTIONS"], "options")
    assert "pooled" not in connection.get_connection_params()
    try:
        assert value(LIMITS) == "0 0"
        with transaction.atomic():
            assert value(LIMITS) == "1min 1min"
        with transaction.atomic(), within(60):
            assert value(LIMITS) == "1min 1min"
        assert value(LIMITS) == "0 0"
    finally:
        connection.close()


def test_a_beat_whose_connection_stalls_dispatches_again_in_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "ANSWER_S", 0.3)
    monkeypatch.setattr(beat, "ring", lambda _: None)
    one = beat.Scheduler(app=app)
    one._finalize.cancel()
    one._pulse.turn = lambda: None  # type: ignore[method-assign]
    make_runnable(make_application(), next_run_at=fleet.database_now())
    begun = time.monotonic()
    try:
        with stalled():
            assert one.tick() == 1.0
            assert one._batch == dispatch.BATCH // beat.SMALLER
            one.tick()
        assert took(begun) < 5
        assert Run.objects.count() == 1
        one.tick()
        assert one._batch > dispatch.BATCH // beat.SMALLER
    finally:
        one._listener.close()
