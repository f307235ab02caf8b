"""What is deleted of syncs with age, and with what they belonged to; and counts of reads."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.runs import retention
from badgerjobs.runs.models import FINAL, Gone, Run, State
from badgerjobs.runs.services import delete_application, delete_runnables
from badgerjobs.workspaces.models import Application
from tasks.models import CacheReads, KeySync, Task
from tests.factories import NOW, make_application, make_key, make_run, make_runnable, make_source, make_sync, make_task

pytestmark = pytest.mark.django_db

KEPT, DAY = timedelta(days=30), timedelta(days=1)


def make_old(application: Application, age: timedelta = KEPT + DAY, state: str = "succeeded", **fields: Any) -> KeySync:
    """A sync of that age in a run that goes on, unless told otherwise."""
    run = fields.pop("run", None) or make_run(make_runnable(application), State.RUNNING)
    number = KeySync.objects.count()
    source = application.sources.first() or make_source(application)
    key = make_key(source, f"key-{number}")
    made = NOW - age
    ended = {} if state == "waiting" else {"finished_at": made}
    moment = uuid7_floor(made).int + number
    return make_sync(run, key, state, **{"id": type(uuid7_floor(made))(int=moment), **ended, **fields})


@pytest.mark.parametrize(("age", "left"), [(KEPT - DAY, 1), (KEPT + DAY, 0)])
def test_what_is_old_is_deleted(age: timedelta, left: int, shop: Application) -> None:
    make_old(shop, age)

    retention.prune(now=NOW)

    assert KeySync.objects.count() == left


def test_how_long_is_each_applications_choice(shop: Application) -> None:
    kept = make_old(shop, 2 * DAY)
    short = make_application("Charlie's")
    Application.objects.filter(pk=short.pk).update(retention_days=1)
    make_old(short, 2 * DAY)

    retention.prune(now=NOW)

    assert KeySync.objects.get() == kept


def test_age_counts_from_the_end(shop: Application) -> None:
    make_old(shop, 2 * KEPT, finished_at=NOW - DAY)

    retention.prune(now=NOW)

    assert KeySync.objects.exists()


@pytest.mark.parametrize(("state", "left"), [(State.RETRYING, 1), (State.RUNNING, 1), (State.ABORTED, 0)])
def test_what_waits_is_kept_as_long_as_its_run_goes_on(state: State, left: int, shop: Application) -> None:
    run = make_run(make_runnable(shop), state, finished_at=NOW - KEPT - DAY if state in FINAL else None)
    make_old(shop, state="waiting", run=run)

    retention.prune(now=NOW)

    assert KeySync.objects.count() == left


def test_it_goes_on_until_nothing_old_is_left(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    other = make_application("Charlie's")
    for _ in range(13):
        make_old(shop)
    make_old(other)

    retention.prune(now=NOW)

    assert not KeySync.objects.exists()


def make_of_task(application: Application, count: int) -> Task:
    task = make_task(application)
    run = make_run(task.runnable, State.SUCCEEDED, finished_at=NOW)
    for _ in range(count):
        make_old(application, DAY, run=run)
    return task


def test_a_deleted_task_leaves_nothing(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("badgerjobs.runs.remains.BATCH", 4)
    task = make_of_task(shop, 13)
    kept = make_old(shop, DAY)
    task.delete()
    delete_runnables([task.runnable_id])

    retention.prune(now=NOW)

    assert KeySync.objects.get() == kept
    assert not Gone.objects.exists()


def test_a_deleted_application_leaves_nothing(shop: Application) -> None:
    make_of_task(shop, 3)
    make_old(shop, DAY)
    kept = make_old(make_application("Charlie's"), DAY)
    delete_application(application=shop)

    retention.prune(now=NOW)

    assert KeySync.objects.get() == kept
    assert not Gone.objects.exists()
    assert Run.objects.count() == 1


def test_what_is_left_of_the_deleted_is_remembered_until_all_of_it_is_gone(shop: Application) -> None:
    task = make_of_task(shop, 6)
    task.delete()
    delete_runnables([task.runnable_id])

    retention.prune(now=NOW, seconds=0)
    assert (Gone.objects.count(), KeySync.objects.count()) == (1, 6)


def test_counts_of_reads_are_kept_for_over_a_year(shop: Application) -> None:
    for days in (399, 401):
        CacheReads.objects.create(application=shop, hour=NOW - days * DAY, hits=1)

    retention.prune(now=NOW)

    assert CacheReads.objects.get().hour == NOW - 399 * DAY


@pytest.mark.parametrize(
    ("state", "fields", "told"),
    [
        (State.ABORTED, {"error": "Aborted on request."}, ("failed", "aborted", "Aborted on request.")),
        (State.FAILED, {"error": "Lost.", "error_class": "lost"}, ("failed", "lost", "Lost.")),
        (State.RETRYING, {}, ("waiting", "", "")),
        (State.QUEUED, {}, ("waiting", "", "")),
        (State.RUNNING, {}, ("waiting", "", "")),
    ],
)
def test_keys_that_wait_in_a_run_that_is_over_have_failed(
    state: State, fields: dict[str, Any], told: tuple[str, str, str], shop: Application
) -> None:
    over = {"finished_at": NOW} if state in FINAL else {}
    run = make_run(make_runnable(shop), state, **fields, **over)
    make_old(shop, DAY, state="waiting", run=run)

    retention.prune(now=NOW)

    sync = KeySync.objects.get()
    assert (sync.state, sync.error_class, sync.error) == told
    assert sync.finished_at == over.get("finished_at")
