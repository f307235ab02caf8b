"""Many keys at once: how many, in how many statements, and what is left of them when the run is taken away."""

import asyncio
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib.backoff import JITTER, Retries
from badgerjobs.runs import fleet, lifecycle
from badgerjobs.runs.models import Run
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.services import update_source
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.models import CachedValue, CacheKey, KeySync
from tasks.syncs import syncing
from tasks.syncs.means import Means
from tests.factories import make_task
from tests.runs.claims import ANOTHER
from tests.tasks.syncs.stages import (
    Sources,
    aside,
    begun,
    make_keys,
    performed,
    performed_by,
)
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)

# As it is, before tests make it shorter.
PATIENCE_S = syncing.PATIENCE_S


def test_no_more_are_fetched_at_once_than_a_run_may(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "AT_ONCE", 4)
    monkeypatch.setattr(syncing, "BATCH", 10)
    make_keys(shop, 37)
    task = make_task(shop)

    assert performed(begun(task), task).output["succeeded"] == 37  # type: ignore[union-attr]

    assert sources.most == 4
    assert sorted(sources.asked, key=int) == [str(n) for n in range(1, 38)]


def test_a_key_that_hangs_holds_back_no_other(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "AT_ONCE", 4)
    monkeypatch.setattr(syncing, "BATCH", 10)
    make_keys(shop, 37)
    task = make_task(shop)
    run = begun(task)

    async def story() -> None:
        sources.gates["1"] = asyncio.Event()
        performing = asyncio.create_task(performed_by(run, task))
        await aside(until, lambda: KeySync.objects.filter(state="succeeded").count() == 36)
        sources.gates["1"].set()
        await performing

    asyncio.run(story())
    assert KeySync.objects.filter(state="succeeded").count() == 37


def test_a_source_that_is_changed_while_it_is_called_is_called_again_as_it_is_then(
    shop: Application, sources: Sources
) -> None:
    make_keys(shop, 1)
    task = make_task(shop)
    run, source = begun(task), DataSource.objects.get()
    address = {"url": "https://elsewhere.example.com/{{PRODUCT_ID}}"}

    def change() -> None:
        update_source(source=source, by=OPERATOR, now=fleet.database_now(), configuration=address)

    async def story() -> None:
        sources.gates["1"] = asyncio.Event()
        performing = asyncio.create_task(performed_by(run, task))
        await aside(until, lambda: sources.asked)
        await aside(change)
        sources.gates["1"].set()
        await performing

    asyncio.run(story())
    assert sources.asked == ["1", "1"]
    assert KeySync.objects.values_list("state", "attempts").get() == ("succeeded", 1)


# What a run of nobody's, or of somebody else's, may not write


def taken_back(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(worker=ANOTHER)


def aborted(run: Run) -> None:
    lifecycle.abort([run.pk], now=fleet.database_now(), reason="Aborted on request.")


def deleted(run: Run) -> None:
    run.delete()


@pytest.mark.parametrize("lose", [taken_back, aborted, deleted], ids=lambda f: f.__name__)
def test_who_has_lost_a_run_writes_nothing_of_it(lose: Any, shop: Application, sources: Sources) -> None:
    make_keys(shop, 1, body='"old"')
    task = make_task(shop)
    run = begun(task)

    async def story() -> None:
        sources.gates[""] = asyncio.Event()
        performing = asyncio.create_task(performed_by(run, task))
        await aside(until, lambda: sources.inside)
        await aside(lose, run)
        sources.gates[""].set()
        await performing

    asyncio.run(story())

    assert CachedValue.objects.get().body == '"old"'
    assert list(KeySync.objects.values_list("state", "attempts")) == [("waiting", 0)]


def test_a_cancelled_sync_drops_what_is_being_fetched(shop: Application, sources: Sources) -> None:
    make_keys(shop, 3)
    task = make_task(shop)
    run = begun(task)

    async def story() -> None:
        sources.gates[""] = asyncio.Event()
        performing = asyncio.create_task(performed_by(run, task))
        await aside(until, lambda: sources.inside == 3)
        performing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await performing

    asyncio.run(story())

    assert sources.inside == 0
    assert set(KeySync.objects.values_list("state", "attempts")) == {("waiting", 0)}
    sources.gates.clear()
    assert performed(run, task).output["succeeded"] == 3  # type: ignore[union-attr]


def statements(shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch, count: int) -> int:
    """How many statements a sync of so many keys takes."""
    CacheKey.objects.all().delete()
    shop.sources.all().delete()
    make_keys(shop, count)
    task = make_task(shop, f"task-{count}")
    run = begun(task)
    seen: list[int] = []

    async def ask(self: Any, statement: Any, *args: Any, **kwargs: Any) -> Any:
        def counted() -> Any:
            with CaptureQueriesContext(connection) as queries:
                result = statement(*args, **kwargs)
            seen.append(len(queries))
            return result

        return await self.statements.run(counted)

    monkeypatch.setattr(Means, "ask", ask)
    assert performed(run, task).output["succeeded"] == count  # type: ignore[union-attr]
    return sum(seen)


def test_statements_grow_with_batches_and_not_with_keys(
    shop: Application, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(syncing, "WRITE_AFTER_S", 0.2)
    monkeypatch.setattr(syncing, "WRITE_AT_ONCE", 500)
    monkeypatch.setattr(syncing, "AT_ONCE", 500)

    few = statements(shop, sources, monkeypatch, 500)
    many = statements(shop, sources, monkeypatch, 1000)

    assert few <= 25
    assert many <= 2 * few


def test_a_run_keeps_its_slot_for_all_waits_of_the_usual_policy() -> None:
    longest = max(Retries().delays_of_all()).total_seconds()
    assert longest * (1 + JITTER) < PATIENCE_S
