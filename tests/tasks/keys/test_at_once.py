"""Keys that several change at the same time: each waits for the others, and never two for each other."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db.models import Model

from badgerjobs.sources.models import DataSource
from badgerjobs.web.problems import Invalid
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.keys import many
from tasks.keys.many import Upserted, delete_keys, upsert_keys
from tasks.keys.services import create_key
from tasks.models import CachedValue, CacheKey, Task, TaskKey
from tasks.services import delete_task, update_task
from tasks.syncs.asking import ask
from tests.factories import NOW, make_source, make_task, value_of
from tests.runs.together import behind, together, waiting

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def source(shop: Application) -> DataSource:
    return make_source(shop, "products")


@pytest.fixture
def keys(source: DataSource) -> list[CacheKey]:
    """Three, in the order of their ids: that of their names is the other way round, and so is that of their values."""
    made = [
        CacheKey.objects.create(
            application=source.application, source=source, name=name, variables={"PRODUCT_ID": "1"}, created_at=NOW,
            updated_at=NOW,
        )
        for name in ("z", "m", "a")
    ]  # fmt: skip
    for key in reversed(made):
        CachedValue.objects.create(key=key, **value_of("1"))
    return made


def held(model: type[Model], pk: int) -> Callable[[], object]:
    """Locks the row."""
    return model._default_manager.select_for_update().filter(pk=pk).first


def upserting(source: DataSource, names: Sequence[str], value: str = "2") -> Callable[[], Upserted]:
    items = [{"name": name, "source": source, "variables": {"PRODUCT_ID": value}} for name in names]
    return partial(upsert_keys, application=source.application, items=items, by=OPERATOR, now=NOW)


def deleting(keys: Sequence[CacheKey]) -> Callable[[], int]:
    ids = [key.pk for key in keys]
    return partial(delete_keys, application=keys[0].application, ids=ids, by=OPERATOR, now=NOW)


def test_an_upsert_and_a_deletion_of_the_same_keys_end_without_a_deadlock(
    source: DataSource, keys: list[CacheKey]
) -> None:
    calls: list[Callable[[], Any]] = [upserting(source, "amz"), deleting(keys)]
    changed, deleted = behind(held(CacheKey, keys[1].pk), *calls)

    assert (changed.updated, deleted) == (3, 3)
    assert not CacheKey.objects.exists()


def test_an_upsert_in_batches_and_readers_who_ask_for_the_same_keys_end_without_a_deadlock(
    source: DataSource, keys: list[CacheKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH", 1)
    ids = [key.pk for key in keys]

    calls: list[Callable[[], Any]] = [upserting(source, "amz"), partial(ask, ids, NOW)]
    changed, asked = behind(held(CachedValue, ids[1]), *calls)

    assert (changed.updated, sorted(asked)) == (3, ids)


def test_a_deletion_and_readers_who_ask_for_the_same_keys_end_without_a_deadlock(keys: list[CacheKey]) -> None:
    ids = [key.pk for key in keys]

    calls: list[Callable[[], Any]] = [deleting(keys), partial(ask, ids, NOW)]
    deleted, asked = behind(held(CachedValue, ids[1]), *calls)

    assert (deleted, asked) == (3, [])


def changing(task: Task, names: Sequence[str]) -> Callable[[], str]:
    """Returns what was refused, if anything was."""

    def change() -> str:
        try:
            update_task(task=task, by=OPERATOR, now=NOW, keys=names)
        except Invalid as refused:
            return str(refused.detail["keys"])  # type: ignore[call-overload]
        return ""

    return change


def test_a_change_of_a_tasks_keys_and_their_deletion_end_without_a_deadlock(
    shop: Application, keys: list[CacheKey]
) -> None:
    task = make_task(shop, selection="exact", pattern="", keys=keys[:1])

    calls: list[Callable[[], Any]] = [deleting(keys), changing(task, ["a"])]
    deleted, refused = behind(held(CachedValue, keys[0].pk), *calls)

    assert deleted == 3
    assert "no key “a”" in refused


def test_the_deletion_of_a_task_waits_for_who_deletes_its_keys(shop: Application, keys: list[CacheKey]) -> None:
    task = make_task(shop, selection="exact", pattern="", keys=keys)
    calls: list[Callable[[], Any]] = [deleting(keys), partial(delete_task, task=task, by=OPERATOR, now=NOW)]

    assert behind(held(CachedValue, keys[0].pk), *calls) == [3, None]

    assert not TaskKey.objects.exists()
    assert not Task.objects.exists()


def test_two_upserts_end_without_a_deadlock_when_a_key_is_new_to_one_of_them_alone(
    shop: Application, source: DataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH", 1)
    written = many._written
    second: list[Future[Upserted]] = []

    with ThreadPoolExecutor(1) as threads:

        def writing(application: Application, rows: Sequence[Any], *given: Any) -> Any:
            if rows[0]["name"] == "z" and not second:
                fields = {"source": source, "variables": {"PRODUCT_ID": "1"}}
                together(partial(create_key, application=shop, name="z", by=OPERATOR, now=NOW, **fields))
                second.append(waiting(threads, upserting(source, "az", "3")))
            return written(application, rows, *given)

        monkeypatch.setattr(many, "_written", writing)
        assert upserting(source, "az", "2")() == (1, 1, 0)
        assert second[0].result() == (0, 2, 0)

    assert set(CacheKey.objects.values_list("variables__PRODUCT_ID", flat=True)) == {"3"}
