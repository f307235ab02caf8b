"""A beat that sleeps hears at once of what is due sooner."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.runs import dispatch, fleet, services
from badgerjobs.runs.beat import Listener
from badgerjobs.runs.models import Runnable
from tests.factories import make_application

pytestmark = pytest.mark.django_db(transaction=True)

LONG_S = 20.0


@pytest.fixture
def listener() -> Iterator[Listener]:
    """One that listens already."""
    made = Listener()
    made.wait(0)
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


def test_after_a_fault_it_listens_again(listener: Listener) -> None:
    listener.close()
    listener.wait(0)
    notify()

    assert woken(listener)


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
