"""Who changes the same rows at the same moment locks them in one order: two never wait for each other in a ring.

In each test somebody has the first row locked. The second one must be free while that is waited for, in whatever order
the rows were given or lie in the table.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction
from django.db.models import Model

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle, quotas
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.models import Cause, Quota, Run, Runnable, State
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME, claimed, ended
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


# A batch of the usual size, for which the database goes through what it is given.
GONE = [Run(id=uuid7(), application_id=1, runnable_id=1, due_at=NOW) for _ in range(50)]


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        (waits,) = cursor.fetchone()
    return bool(waits)


def in_order(call: Callable[[], object], rows: Sequence[Model]) -> bool:
    """Whether the call leaves the second of these rows alone while it waits for the first one."""

    def calling() -> None:
        try:
            call()
        finally:
            connections.close_all()

    first, second = rows
    table = type(first)._default_manager
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            table.select_for_update(no_key=True).get(pk=first.pk)
            called = threads.submit(calling)
            until(somebody_waits)
            is_free = table.select_for_update(no_key=True, skip_locked=True).filter(pk=second.pk).exists()
        called.result(10)
    return is_free


@pytest.fixture
def running(runnable: Runnable) -> list[Run]:
    """Two of one runnable, of which the second one was made first."""
    ids = sorted(uuid7() for _ in range(2))
    return [make_run(runnable, State.RUNNING, id=one, worker=ME, cause=Cause.SCHEDULE) for one in ids[::-1]][::-1]


def test_results_are_written_in_order(running: list[Run]) -> None:
    batch = [ended(run) for run in [*running[::-1], *GONE]]
    assert in_order(lambda: lifecycle.finish(batch, worker=ME), running)


def test_runs_are_put_off_in_order(running: list[Run]) -> None:
    put_off = [PutOff(claimed(run), NOW) for run in [*running[::-1], *GONE]]
    assert in_order(lambda: lifecycle.postpone(put_off, worker=ME), running)


def test_runs_are_overtaken_in_order(running: list[Run]) -> None:
    def overtaking() -> None:
        with connection.cursor() as cursor:  # as they lie in the table
            cursor.execute("SET enable_indexscan = off; SET enable_bitmapscan = off")
        lifecycle.overtake([running[0].runnable_id or 0], now=NOW)

    assert in_order(overtaking, running)


def test_what_limits_took_is_given_back_in_order(db: None) -> None:
    owners = [make_runnable(make_application(name)).application for name in ("one", "two")]
    rows = [Quota.objects.create(application=owner, runs_per_minute=60, filled_at=NOW) for owner in owners[::-1]][::-1]
    given = [owner.pk for owner in owners[::-1]]

    def giving() -> None:
        with transaction.atomic():
            quotas.give_back(given)

    assert in_order(giving, rows)
    assert set(Quota.objects.values_list("tokens", flat=True)) == {1}
