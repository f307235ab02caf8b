"""A collection as a source: one view of its rows, in order, whatever happens to it meanwhile, and nobody else's."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from threading import Event
from typing import Any

import pytest
from django.db import connection

from badgerjobs.sources.means import open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given, PullError, pull
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.workspaces.models import Application
from slurps import of_collections
from slurps.models import Collection, Mode
from slurps.slurping.plan import Plan
from slurps.slurping.slurping import slurp
from tests.factories import NOW, make_application, make_async_job, make_collection
from tests.slurps.storing.loads import load, running, seen
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = [{"id": 1, "name": "Lamp"}, {"id": 2, "name": "Desk", "parts": [{"n": 1.5}]}]


@pytest.fixture
def shop() -> Application:
    return make_application()


@pytest.fixture
def prices(shop: Application) -> Collection:
    """A collection that keeps three versions, with one of two rows."""
    made = make_collection(shop, name="prices", mode=Mode.VERSIONED, keep=3)
    load(made, ROWS)
    return made


def source_in(application: Application, **configuration: Any) -> DataSource:
    found = type_of("COLLECTION")
    source = DataSource(application=application, tag="others", name="others", type="COLLECTION")
    source.configuration = checked(found.serializer, configuration, found.secrets)
    return source


def rows_of(source: DataSource, *, meanwhile: Callable[[], object] = lambda: None) -> tuple[list[Any], dict[str, Any]]:
    """All rows, and what was found out. `meanwhile` is called when the first batch has come."""

    async def all_of_them() -> tuple[list[Any], dict[str, Any]]:
        rows: list[Any] = []
        async with open_means() as means:
            pulling = pull(source, Given(NOW), means)
            async with aclosing(pulling.batches()) as batches:
                async for batch in batches:
                    if not rows:
                        await asyncio.to_thread(_alone, meanwhile)
                    rows += batch
            return rows, pulling.found

    return asyncio.run(all_of_them())


def _alone(act: Callable[[], object]) -> None:
    """By a connection of its own, which goes with it."""
    act()
    connection.close()


def test_all_rows_come_in_their_order(shop: Application, prices: Collection) -> None:
    assert rows_of(source_in(shop, collection="prices")) == (ROWS, {"version": 1})


def test_a_version_that_is_kept_can_be_asked_for(shop: Application, prices: Collection) -> None:
    load(prices, [{"id": 3}])
    assert rows_of(source_in(shop, collection="prices")) == ([{"id": 3}], {"version": 2})
    assert rows_of(source_in(shop, collection="prices", version=1)) == (ROWS, {"version": 1})


def test_readers_and_sources_see_the_same_version(shop: Application, prices: Collection) -> None:
    first = prices.versions.get(number=1)
    load(prices, [{"id": 3}])
    Collection.objects.filter(pk=prices.pk).update(pinned=first)
    assert rows_of(source_in(shop, collection="prices"))[0] == ROWS


def test_before_its_first_version_there_are_no_rows(shop: Application) -> None:
    make_collection(shop, name="new")
    assert rows_of(source_in(shop, collection="new")) == ([], {})


@pytest.mark.parametrize(
    ("configuration", "said"),
    [
        ({"collection": "price"}, "There is no collection “price” in this application, or it was deleted."),
        ({"collection": "prices", "version": 7},
         "The collection “prices” has no version 7, or does not keep it any more."),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said(
    shop: Application, prices: Collection, configuration: dict[str, Any], said: str
) -> None:
    with pytest.raises(PullError) as raised:
        rows_of(source_in(shop, **configuration))
    error = raised.value
    assert (error.error_class, error.sentence, error.retry) == ("collection", said, False)


def test_nobody_reads_what_is_another_applications(prices: Collection) -> None:
    with pytest.raises(PullError, match="There is no collection “prices” in this application"):
        rows_of(source_in(make_application(), collection="prices"))
    sister = Application.objects.create(workspace=prices.application.workspace, name="sister")
    with pytest.raises(PullError, match="There is no collection “prices” in this application"):
        rows_of(source_in(sister, collection="prices"))


def test_what_is_shown_meanwhile_is_not_seen(shop: Application) -> None:
    """Nor is what is let go of missed: the rows before are deleted when the next ones are shown."""
    stock = make_collection(shop, name="stock")
    load(stock, [{"id": at} for at in range(5000)])
    source = source_in(shop, collection="stock")
    rows, _ = rows_of(source, meanwhile=lambda: load(stock, [{"id": -1}]))
    assert [row["id"] for row in rows] == list(range(5000))
    assert seen(Collection.objects.get(pk=stock.pk)) == [{"id": -1}]


def test_no_view_is_older_than_it_may_be(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_collections, "VIEW_S", 0.0)
    stock = make_collection(shop, name="stock", mode=Mode.VERSIONED, keep=2)
    load(stock, [{"id": at} for at in range(5000)])
    source = source_in(shop, collection="stock")
    views, give_rows = [], of_collections._give_rows

    def seen_by(*given: Any) -> int | None:
        views.append(given)
        return give_rows(*given)

    monkeypatch.setattr(of_collections, "_give_rows", seen_by)
    rows, _ = rows_of(source, meanwhile=lambda: load(stock, [{"id": -1}]))
    assert [row["id"] for row in rows] == list(range(5000))
    assert len(views) == 6  # the last one finds no more


def test_what_is_not_kept_beyond_a_view_is_said(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_collections, "VIEW_S", 0.0)
    stock = make_collection(shop, name="stock")
    load(stock, [{"id": at} for at in range(5000)])
    with pytest.raises(PullError, match="did not keep the version that was being read") as raised:
        rows_of(source_in(shop, collection="stock"), meanwhile=lambda: load(stock, [{"id": -1}]))
    assert raised.value.retry


def test_a_job_that_reads_its_own_collection_sees_the_state_before_its_run(shop: Application) -> None:
    job = make_async_job(shop)
    stock = make_collection(shop, async_job=job, name="stock", mode=Mode.ACCUMULATIVE, is_active=True)
    load(stock, [{"id": 1}, {"id": 2}])
    run = running(stock)
    source = source_in(shop, collection="stock")
    plan = Plan(job, job.slurper, [source], stock, run.pk, run.worker, 1, NOW, lambda *_: None)
    slurp(plan, stopped=Event())
    assert [row["id"] for row in seen(Collection.objects.get(pk=stock.pk))] == [1, 2, 1, 2]


def test_who_stops_in_the_middle_leaves_no_connection_behind(shop: Application) -> None:
    stock = make_collection(shop, name="stock")
    load(stock, [{"id": at, "note": "x" * 1000} for at in range(20_000)])

    async def first() -> list[Any]:
        pulling = pull(source_in(shop, collection="stock"), Given(NOW), means=None)  # type: ignore[arg-type]  # unused
        async with aclosing(pulling.batches()) as batches:
            return await anext(batches)

    assert 0 < len(asyncio.run(first())) <= 1000
    until(lambda: len(_sessions()) == 1)


def _sessions() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return list(cursor.fetchall())
