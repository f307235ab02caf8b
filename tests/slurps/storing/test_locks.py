"""Who stores rows and who deletes what they belong to take their locks in one order, and never wait in a ring."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.audit import OPERATOR
from slurps.collecting.services import activate, delete_collection, update_collection
from slurps.models import AsyncJob, Collection, Version
from slurps.services import delete_async_job
from slurps.storing.faults import SupersededError
from slurps.storing.loading import Loader
from slurps.storing.staging import begin, left_tables, table_of
from slurps.storing.swapping import approve, hold, loaded_by, show
from tests.factories import NOW, make_application, make_collection
from tests.runs.together import waiting
from tests.slurps.storing.loads import running, staged

pytestmark = pytest.mark.django_db(transaction=True)


def beginning(collection: Collection) -> Callable[[], Any]:
    run = running(collection)
    return lambda: begin(collection=collection, run_id=run.pk, worker=run.worker, now=NOW)


def showing(collection: Collection) -> Callable[[], Any]:
    version, loader = staged(collection, [{"id": 1}])
    return lambda: show(version, loaded(loader), worker=version.worker, remembered={"a": 1})


def holding(collection: Collection) -> Callable[[], Any]:
    version, loader = staged(collection, [{"id": 1}])
    return lambda: hold(version, loaded(loader), [], worker=version.worker)


def approving(collection: Collection) -> Callable[[], Any]:
    version = holding(collection)()
    return lambda: approve(version)


def changing(collection: Collection) -> Callable[[], Any]:
    return lambda: update_collection(collection=collection, by=OPERATOR, now=database_now(), indexed=["id"])


def activating(collection: Collection) -> Callable[[], Any]:
    return lambda: activate(collection=collection, by=OPERATOR, now=database_now())


def loaded(loader: Loader) -> Any:
    return loaded_by(loader.encoder, read=1)


@pytest.mark.parametrize("storing", [beginning, showing, holding, approving, changing, activating])
def test_who_waits_for_the_job_holds_nothing_that_its_deletion_needs(storing: Any) -> None:
    call = storing(make_collection(make_application()))
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            AsyncJob.objects.select_for_update().get()
            begun = waiting(threads, call)
            for model in (Runnable, Run, Collection, Version):
                list(model.objects.select_for_update(nowait=True))
        begun.result()


def test_a_collection_is_changed_while_others_wait_to_activate_it() -> None:
    collection = make_collection(make_application())
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            changing(collection)()
            begun = waiting(threads, activating(collection))
        begun.result()
    collection.refresh_from_db()
    assert (collection.is_active, collection.indexed) == (True, ["id"])


def test_a_job_is_deleted_while_a_run_of_it_is_about_to_show_its_rows() -> None:
    collection = make_collection(make_application())
    version, loader = staged(collection, [{"id": 1}])

    def showing() -> str:
        try:
            show(version, loaded(loader), worker=version.worker, remembered={"a": 1})
        except SupersededError:
            return "superseded"
        return "shown"

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            AsyncJob.objects.select_for_update().get()
            begun = waiting(threads, showing)
            delete_async_job(job=collection.async_job, by=OPERATOR, now=database_now())
        assert begun.result() == "superseded"
    assert not Collection.objects.exists()


@pytest.mark.parametrize("is_shown", [False, True], ids=["before its first version", "with versions"])
def test_who_deletes_a_job_waits_for_its_collections_before_it_holds_their_versions(is_shown: bool) -> None:
    collection = make_collection(make_application())
    if is_shown:
        showing(collection)()
    else:
        staged(collection, [{"id": 1}])
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            Collection.objects.select_for_update().get()
            begun = waiting(
                threads, lambda: delete_async_job(job=collection.async_job, by=OPERATOR, now=database_now())
            )
            list(Version.objects.select_for_update(nowait=True))
        begun.result()
    assert not Collection.objects.exists()


def test_a_collection_is_deleted_while_rows_are_being_sent_for_it() -> None:
    collection = make_collection(make_application(), mode="upserted", key=["id"])
    version, _ = staged(collection, [{"id": 1}])
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic(), connection.cursor() as cursor:
            Version.objects.select_for_update(no_key=True).get()
            begun = waiting(threads, lambda: delete_collection(collection=collection, by=OPERATOR, now=database_now()))
            cursor.execute(f"INSERT INTO {table_of(version)} (n) VALUES (2)")
        begun.result()
    assert not left_tables()
    assert not Collection.objects.exists()
