"""What runs leave half done, and what the deleted leave behind, a tick takes back: and nothing else."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application
from slurps import leftovers
from slurps.models import Collection, Row, Stage, Version
from slurps.storing import pruning, staging
from slurps.storing.staging import left_tables, table_of
from slurps.storing.swapping import loaded_by, show
from tests.factories import make_collection
from tests.slurps.storing.loads import load, seen, staged

pytestmark = pytest.mark.django_db

ROWS = [{"id": 1}, {"id": 2}]
MODES = [("normal", {}), ("upserted", {"key": ["id"]}), ("accumulative", {})]


def run_of(version: Version) -> Any:
    assert version.run_id
    return Run.objects.filter(pk=version.run_id)


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'collections\\_staged\\_%'")
        return {name for (name,) in cursor.fetchall()}


@pytest.mark.parametrize(("mode", "fields"), MODES)
@pytest.mark.parametrize(
    "change",
    [{"state": State.FAILED}, {"state": State.ABORTED}, {"state": State.RETRYING}, {"state": State.QUEUED},
     {"worker": uuid4()}],
    ids=["failed", "aborted", "retrying", "queued", "another worker"],
)  # fmt: skip
def test_what_an_attempt_left_that_is_over_is_taken_back(
    shop: Application, mode: str, fields: Any, change: dict[str, Any]
) -> None:
    collection = make_collection(shop, mode=mode, **fields)
    load(collection, ROWS)
    version, _ = staged(collection, [{"id": 3}])
    run_of(version).update(**change)
    leftovers.tidy()
    assert not Version.objects.filter(stage=Stage.STAGING).exists()
    assert (seen(collection), Row.objects.count(), tables()) == (ROWS, 2, set())


@pytest.mark.parametrize(("mode", "fields"), MODES)
def test_what_is_being_loaded_is_let_be(shop: Application, mode: str, fields: Any) -> None:
    collection = make_collection(shop, mode=mode, **fields)
    version, loader = staged(collection, ROWS)
    leftovers.tidy()
    loader.flush()
    show(version, loaded_by(loader.encoder, read=2), worker=version.worker)
    assert seen(collection) == ROWS


def test_what_was_shown_meanwhile_stays(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at again under lock: a run may end between the two looks."""
    collection = make_collection(shop)
    version, loader = staged(collection, ROWS)
    run_of(version).update(worker=uuid4())
    held = Version.objects.select_for_update

    def shown_first() -> Any:
        run_of(version).update(worker=version.worker)
        monkeypatch.setattr(Version.objects, "select_for_update", held)
        show(version, loaded_by(loader.encoder, read=2), worker=version.worker)
        return held()

    monkeypatch.setattr(Version.objects, "select_for_update", shown_first)
    assert leftovers.take_back() == 0
    assert seen(collection) == ROWS


def test_tables_of_versions_that_are_gone_are_dropped_and_others_stay(shop: Application) -> None:
    gone = make_collection(shop, name="gone", mode="upserted", key=["id"])
    kept = make_collection(shop, name="kept", mode="upserted", key=["id"])
    staged(gone, ROWS)
    version, _ = staged(kept, ROWS)
    Collection.objects.filter(pk=gone.pk).delete()
    assert len(left_tables()) == 1
    leftovers.tidy()
    assert tables() == {table_of(version)}


def test_rows_of_collections_that_are_gone_are_deleted_and_others_stay(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "BATCH", 2)
    collections = [make_collection(shop, name=name) for name in "abc"]
    for collection in collections:
        load(collection, [{"id": n} for n in range(5)])
    for collection in collections[:2]:
        Collection.objects.filter(pk=collection.pk).delete()
    leftovers.tidy()
    assert set(Row.objects.values_list("collection_id", flat=True)) == {collections[2].pk}
    assert len(seen(collections[2])) == 5


def test_with_no_time_left_rows_wait_for_the_next_tick(shop: Application) -> None:
    collection = make_collection(shop)
    load(collection, ROWS)
    collection.delete()
    past = fleet.database_now() - timedelta(seconds=1)
    assert leftovers.prune_gone(until=past) == 0
    assert leftovers.prune_gone(until=past + timedelta(minutes=1)) == 2


def test_versions_that_are_not_kept_any_more_are_deleted(shop: Application) -> None:
    collection = make_collection(shop, mode="versioned", keep=2)
    for number in (1, 2):
        load(collection, [{"id": number}])
    Version.objects.filter(number=1).update(stage=Stage.RETIRED)
    leftovers.tidy()
    assert [version.number for version in Version.objects.all()] == [2]
    assert (seen(collection), Row.objects.count()) == ([{"id": 2}], 1)


def test_with_nothing_to_tidy_it_asks_little(shop: Application, django_assert_max_num_queries: Any) -> None:
    load(make_collection(shop), ROWS)
    with django_assert_max_num_queries(7):
        leftovers.tidy()


@pytest.mark.parametrize("mode", ["normal", "accumulative"])
def test_a_long_load_is_taken_back_by_some_ticks_if_not_by_one(
    shop: Application, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    collection = make_collection(shop, mode=mode)
    load(collection, ROWS)
    version, _ = staged(collection, [{"id": at} for at in range(5)])
    run_of(version).update(state=State.FAILED)
    monkeypatch.setattr(pruning, "BATCH", 2)
    assert leftovers.take_back() == 1
    now = fleet.database_now()
    monkeypatch.setattr(fleet, "database_now", lambda: now)
    for left in (3, 1):
        assert leftovers.prune_retired(until=now + timedelta(microseconds=1)) == 2
        assert (seen(collection), Row.objects.count()) == (ROWS, 2 + left)
    leftovers.tidy()
    assert Version.objects.count() == 1
    assert (seen(collection), Row.objects.count()) == (ROWS, 2)


def test_what_cannot_be_tidied_keeps_nothing_else_from_it(
    shop: Application, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    collections = [make_collection(shop, name=f"of-{number}") for number in range(3)]
    load(collections[0], ROWS)
    versions = [staged(collection, ROWS)[0] for collection in collections[1:]]
    for version in versions:
        run_of(version).update(state=State.FAILED)
    collections[0].delete()

    def fails_for_one(version: Version) -> None:
        if version == versions[0]:
            raise OperationalError("canceling statement due to statement timeout")
        staging.discard(version)

    monkeypatch.setattr(leftovers, "discard", fails_for_one)
    monkeypatch.setattr(leftovers, "go_on_filling", lambda **_: fails_for_one(versions[0]))
    leftovers.tidy()
    assert list(Version.objects.filter(stage=Stage.STAGING)) == [versions[0]]
    assert not Row.objects.filter(collection_id=versions[1].collection_id).exists()
    assert not Row.objects.exclude(collection_id=versions[0].collection_id).exists()
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 2
