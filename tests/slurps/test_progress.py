"""How far a run is while it goes on: what its process tells, and what the pages say of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from django.urls import reverse

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application
from slurps.models import Version
from slurps.slurping import slurping
from slurps.slurping.plan import Batch, Plan
from tests.clients import browser_in
from tests.factories import make_collection, make_run
from tests.slurps.pages.slurp_pages import look, made_job, made_slurper, text_of
from tests.slurps.slurping.attempts import Attempts, rows
from tests.slurps.storing.loads import staged


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["none", "javascript"])
def test_it_is_told_while_rows_come_and_once_all_are_there(
    shop: Application, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    """Also while all rows are collected for code that has seen none of them."""
    attempts, seen, told = Attempts(monkeypatch), Event(), []
    made_slurper(shop, language=language, code="" if language == "none" else "return dataMap.shop.slice(1)")
    job = made_job(shop)
    make_collection(shop, async_job=job)

    async def pulled(plan: Plan) -> AsyncIterator[Batch]:
        for count, ids in ((3, (1, 2, 3)), (5, (4, 5))):
            plan.came["shop"] = count
            yield Batch(rows(*ids), "shop", len(ids))
            assert await asyncio.to_thread(seen.wait, 20)

    tell = slurping.Telling.tell

    def looked(telling: Any, **more: int) -> None:
        tell(telling, **more)
        far = Version.objects.values_list("read", "written", "bytes").get()
        told.append(far)
        if far[0] == 3:
            seen.set()

    monkeypatch.setattr(slurping, "pulled", pulled)
    monkeypatch.setattr(slurping, "PROGRESS_S", -1.0)
    monkeypatch.setattr(slurping.Telling, "tell", looked)
    assert slurping.slurp(attempts.plan(job), stopped=attempts.stopped)["read"] == 5
    assert any(read == 3 and size == 0 for read, _, size in told)
    assert told[-1][:2] == (5, 5 if language == "none" else 4)
    assert told[-1][2] > 0
    assert told == sorted(told)


def run_page(shop: Application, run_id: Any, **query: str) -> Any:
    return browser_in(shop).get(reverse("runs:run", args=[shop.slug, run_id]), query)


@pytest.mark.django_db
def test_the_pages_of_the_run_of_its_job_and_of_the_collection_show_it(shop: Application) -> None:
    collection = make_collection(shop, async_job=made_job(shop))
    version, _ = staged(collection, rows(1, 2))
    assert "no row has come yet" in text_of(run_page(shop, version.run_id))
    Version.objects.filter(pk=version.pk).update(read=12_480, written=12_000)
    answer = run_page(shop, version.run_id)
    for said in ("Stage rows are being read", "Read 12,480", "Written 12,000"):
        assert said in text_of(answer)
    job = text_of(look(shop, "job", "import"))
    assert "12,480 12,000" in job
    assert "rows are being read" in job
    assert "12,480 rows read, 12,000 written; rows are being read" in text_of(look(shop, "collection", "prices"))
    # Who has seen this is told only once there is something else.
    stamp = answer.context["page"].stamp
    assert run_page(shop, version.run_id, seen=stamp).status_code == 204
    Version.objects.filter(pk=version.pk).update(bytes=1)
    assert "the rows are being put in place" in text_of(run_page(shop, version.run_id, seen=stamp))


@pytest.mark.django_db
def test_a_run_that_stores_nothing_says_so_while_it_goes_on(shop: Application) -> None:
    job = made_job(shop)
    run = make_run(job.runnable, State.RUNNING)
    assert "rows are counted, and nothing is stored" in text_of(run_page(shop, run.pk))
    make_collection(shop, async_job=job)
    assert "Stage it begins" in text_of(run_page(shop, run.pk))


@pytest.mark.django_db
def test_what_is_committed_is_told_though_the_run_is_not_over_yet(shop: Application) -> None:
    output = {"collection": "prices", "stage": "ready", "version": 4, "read": 12, "written": 11, "bytes": 9}
    run = make_run(made_job(shop).runnable, State.RUNNING, output=output)
    assert "Version 4" in text_of(run_page(shop, run.pk))


@pytest.mark.django_db(transaction=True)
def test_a_run_that_stores_nothing_tells_in_its_log_how_far_it_is(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, said = Attempts(monkeypatch), Event()
    job = made_job(shop)

    async def pulled(plan: Plan) -> AsyncIterator[Batch]:
        plan.came["shop"] = 12_480
        yield Batch(rows(1), "shop", 1)
        assert await asyncio.to_thread(said.wait, 20)

    plan = replace(attempts.plan(job), say=lambda _, line, __: said.set() if line.startswith("12,480 rows") else None)
    monkeypatch.setattr(slurping, "pulled", pulled)
    monkeypatch.setattr(slurping, "LOGGED_S", -1.0)
    assert slurping.slurp(plan, stopped=attempts.stopped)["written"] == 1
    assert said.is_set()
