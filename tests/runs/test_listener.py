"""A beat that sleeps hears at once of what is due sooner."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.runs import dispatch, fleet, services
from badgerjobs.runs.listener import Listener, way_past_poolers
from badgerjobs.runs.models import Runnable
from tests.factories import make_application
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

LONG_S = 20.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.runs.listener.LOOKS_UP_S", 0.02)
    monkeypatch.setattr("badgerjobs.runs.listener.AGAIN_S", 0.02)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One that listens already."""
    made = Listener()
    made.wait(0)
    assert made.is_listening.wait(LONG_S)
    yield made
    made.close()


def woken(listener: Listener, seconds: float = LONG_S) -> bool:
    """Whether something wakes it before its time."""
    begun = time.monotonic()
    listener.wait(seconds)
    return time.monotonic() - begun < seconds * 0.9


def notify() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [dispatch.CHANNEL])


def test_a_notification_wakes_it_also_when_it_came_before_the_wait(listener: Listener) -> None:
    notify()

    assert woken(listener)


def test_many_notifications_wake_it_once_and_not_for_ever(listener: Listener) -> None:
    for _ in range(5):
        notify()

    wakings = [woken(listener, 0.05) for _ in range(10)]

    assert wakings[0]
    assert not wakings[-1]


def test_silence_lasts_as_long_as_was_asked_for(listener: Listener) -> None:
    assert not woken(listener, 0.05)


def test_nobody_is_woken_before_it_is_committed(listener: Listener) -> None:
    with transaction.atomic():
        notify()
        assert not woken(listener, 0.05)
    assert woken(listener)


LISTENERS = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()"


def pids() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(LISTENERS)
        return [pid for (pid,) in cursor.fetchall()]


def test_after_a_fault_it_listens_again(listener: Listener) -> None:
    [broken] = pids()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [broken])

    until(lambda: pids() not in ([], [broken]))
    assert listener.is_listening.wait(LONG_S)
    notify()

    assert woken(listener)


def test_a_connection_that_died_without_a_word_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.runs.listener.ASKED_EVERY_S", 0.1)
    monkeypatch.setattr("badgerjobs.runs.listener.ANSWER_S", 0.2)
    made = Listener()
    made.wait(0)
    assert made.is_listening.wait(LONG_S)
    [stopped] = pids()
    os.kill(stopped, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        made.wait(0.05)
        assert time.monotonic() - begun < 1  # whatever becomes of it, nobody waits for longer than they asked
        until(lambda: len(pids()) == 2)  # the one that stands still, and a new one
        assert made.is_listening.wait(LONG_S)
        notify()
        assert woken(made)
    finally:
        os.kill(stopped, signal.SIGCONT)
        made.close()


@pytest.mark.parametrize(
    ("pooled", "direct", "hears"), [(False, None, True), (True, None, False), (True, {"CONN_MAX_AGE": None}, True)]
)
def test_through_a_pooler_it_hears_only_by_a_way_past_it(
    pooled: bool, direct: dict[str, Any] | None, hears: bool, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pooled", pooled)
    settings.DATABASE_DIRECT = direct
    assert (way_past_poolers() is not None) is hears


def test_without_a_way_past_the_pooler_it_sleeps_as_long_as_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "pooled", "1")
    assert not woken(Listener(), 0.05)


@pytest.mark.parametrize(
    ("fields", "ahead", "wakes"),
    [
        pytest.param({"run_at": True}, timedelta(0), True, id="due now"),
        pytest.param({"run_at": True}, timedelta(milliseconds=500), True, id="due before beat looks again"),
        pytest.param({"run_at": True}, timedelta(hours=1), False, id="due later"),
        pytest.param({"run_every": "PT1H"}, timedelta(0), True, id="a series that begins now"),
        pytest.param({"run_at": True, "enabled": False}, timedelta(0), False, id="disabled"),
        pytest.param({}, timedelta(0), False, id="by hand only"),
    ],
)
def test_only_what_is_due_soon_wakes_it(
    fields: dict[str, Any], ahead: timedelta, wakes: bool, listener: Listener
) -> None:
    now = fleet.database_now()
    fields = fields | ({"run_at": now + ahead} if "run_at" in fields else {})

    services.add_runnable(Runnable(application=make_application(), kind="http", name="a-job", **fields), now=now)

    assert woken(listener, LONG_S if wakes else 0.05) is wakes
