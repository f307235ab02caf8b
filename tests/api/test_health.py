"""`/healthz`: 200 while all of it works, 503 with what is wrong when a part does not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from badgerjobs.runs import broker
from badgerjobs.runs.models import Queue, Worker
from tests.callers import Answer, Caller
from tests.factories import make_application, make_runnable

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _worker() -> None:
    now = timezone.now()
    Worker.objects.create(name="worker", queue=Queue.IO, started_at=now, seen_at=now)


def health() -> Answer:
    return Caller().get("http://testserver/healthz")


def raises(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def test_while_all_is_well_it_is_a_200() -> None:
    answer = health()
    assert answer.status == 200
    assert answer.body == {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "dispatcher_lag_ms": 0,
        "workers": 1,
    }


@pytest.mark.parametrize(("seconds_late", "status"), [(-5, 200), (1, 200), (9, 200), (12, 503), (3600, 503)])
def test_dispatch_that_is_more_than_ten_seconds_late_is_failing(seconds_late: int, status: int) -> None:
    now = timezone.now()
    make_runnable(make_application(), next_run_at=now + timedelta(days=1))
    make_runnable(make_application("other"), next_run_at=now - seconds_late * SECOND)
    answer = health()
    assert (answer.status, answer.body["status"]) == (status, "ok" if status == 200 else "failing")
    late = max(0, seconds_late) * 1000
    assert late <= answer.body["dispatcher_lag_ms"] < late + 1000


@pytest.mark.parametrize(("seconds_ago", "workers"), [(0, 1), (25, 1), (29, 1), (31, 0), (3600, 0)])
def test_a_worker_counts_for_thirty_seconds_after_it_was_seen(seconds_ago: int, workers: int) -> None:
    Worker.objects.update(seen_at=timezone.now() - seconds_ago * SECOND)
    answer = health()
    assert (answer.body["workers"], answer.status) == (workers, 200 if workers else 503)


def test_no_worker_at_all_is_failing() -> None:
    Worker.objects.all().delete()
    assert health().status == 503


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_without_the_database_it_says_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("django.db.backends.utils.CursorWrapper.execute", raises(error))
        answer = health()
    assert answer.status == 503
    assert answer.body == {
        "status": "failing",
        "database": "down",
        "broker": "ok",
        "dispatcher_lag_ms": None,
        "workers": None,
    }


@pytest.fixture
def new_connection() -> Iterator[None]:
    """The broker's connection is made anew, from the settings of the test."""
    broker.connection.cache_clear()
    yield
    broker.connection.cache_clear()


@pytest.mark.usefixtures("new_connection")
def test_a_broker_that_is_not_there_is_noticed_by_asking_it(settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    answer = health()
    assert (answer.status, answer.body["broker"], answer.body["database"]) == (503, "down", "ok")
