"""Several beats at once, while people edit: every occurrence has its one run."""

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction

from badgerjobs.runs import dispatch, fleet
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.runs.services import delete_runnables
from badgerjobs.workspaces.audit import OPERATOR
from jobs.models import Job
from jobs.services import update_job
from tests.factories import make_application, make_job
from tests.runs.together import together
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 400


def fill(count: int = COUNT) -> None:
    """Runnables of two applications that were due within the last minute, each once."""
    now = fleet.database_now()
    owners = [make_application("Alice's"), make_application("Charlie's")]
    Runnable.objects.bulk_create(
        Runnable(
            application=owners[n % 10 == 0],
            kind="http",
            name=str(n),
            anchor=now,
            next_run_at=now - timedelta(milliseconds=100 * n),
        )
        for n in range(count)
    )


def drain(limit: int = 20) -> int:
    """Tick, in small batches unless told otherwise, until nothing is due."""
    queued = 0
    while Runnable.objects.planned().exists():
        queued += dispatch.tick(limit=limit).queued.total()
    return queued


def test_three_beats_at_once_queue_each_occurrence_once() -> None:
    fill()

    queued = together(drain, drain, drain)

    assert sum(queued) == COUNT
    assert Run.objects.count() == COUNT
    assert Run.objects.values("runnable_id").distinct().count() == COUNT
    assert set(Runnable.objects.values_list("runs_made", flat=True)) == {1}


def test_two_beats_run_each_of_ten_thousand_that_are_due_once() -> None:
    fill(10_000)

    queued = together(*[partial(drain, dispatch.BATCH)] * 2)

    assert sum(queued) == Run.objects.count() == 10_000
    assert Run.objects.values("runnable_id").distinct().count() == 10_000
    assert set(Runnable.objects.values_list("runs_made", flat=True)) == {1}


def test_edits_meanwhile_lose_no_run_and_no_count() -> None:
    now = fleet.database_now()
    jobs = [make_job(make_application(str(n)), now=now, run_every="PT0.05S") for n in range(4)]
    deadline = now + timedelta(seconds=1)

    def edit() -> int:
        dice, edits = random.Random(4), 0
        while fleet.database_now() < deadline:
            job = Job.objects.get(pk=dice.choice(jobs).pk)
            update_job(job=job, by=OPERATOR, now=fleet.database_now(), endpoint=f"https://example.com/{edits}")
            edits += 1
        return edits

    def tick() -> int:
        queued = 0
        while fleet.database_now() < deadline:
            queued += dispatch.tick().queued.total()
        return queued

    edits, *queued = together(edit, tick, tick, tick)

    assert edits > 0
    assert Run.objects.count() == sum(queued) > 0
    for job in jobs:
        numbers = Run.objects.of(job.runnable_id).order_by("occurrence").values_list("number", flat=True)
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert Runnable.objects.get(pk=job.runnable_id).runs_made == len(numbers)


def test_a_row_that_somebody_edits_is_passed_over_and_taken_afterwards() -> None:
    fill(2)
    held = Runnable.objects.earliest("id")
    with transaction.atomic():
        Runnable.objects.select_for_update().get(pk=held.pk)
        assert together(dispatch.tick)[0].queued.total() == 1
        assert not Run.objects.filter(runnable=held).exists()

    assert dispatch.tick().queued.total() == 1
    assert Run.objects.filter(runnable=held).count() == 1


def somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_a_job_that_is_deleted_while_it_is_dispatched_leaves_nothing() -> None:
    fill(1)
    runnable = Runnable.objects.get()

    with ThreadPoolExecutor(1) as aside:
        with transaction.atomic():
            dispatch.tick()
            deleting = aside.submit(together, partial(delete_runnables, [runnable.pk]))
            until(somebody_waits_for_a_lock)
        deleting.result(10)

    assert not Runnable.objects.exists()
    assert not Run.objects.exists()
