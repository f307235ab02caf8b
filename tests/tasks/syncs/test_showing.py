"""How lists and pages tell of runs that fetch keys."""

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from badgerjobs.runs.filters import RunFilters
from badgerjobs.runs.listing import page_of
from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from tasks.syncs.asking import refresh_key, refresh_keys
from tests.factories import NOW, make_attempt, make_member, make_run, make_sync, make_task
from tests.tasks.syncs.stages import make_keys

pytestmark = pytest.mark.django_db

COUNTED = {"keys": 3, "succeeded": 2, "failed": 1, "changed": 2, "bytes": 2048}


@pytest.fixture
def partly_failed(shop: Application) -> Run:
    task = make_task(shop, "warm-up", name="Warm up the shop")
    run = make_run(
        task.runnable, State.FAILED, number=7, attempts=1, output=COUNTED, error="1 of 3 keys failed.",
        started_at=NOW, finished_at=NOW,
    )  # fmt: skip
    make_attempt(run, ok=False, error_class="keys", error="1 of 3 keys failed.", result=COUNTED, run_number=7)
    return run


def listed(shop: Application) -> list[Run]:
    return page_of(shop, RunFilters(QueryDict())).runs


def page(shop: Application, run: Run) -> str:
    client = Client()
    client.force_login(make_member(shop.workspace).user)
    return client.get(f"/a/{shop.slug}/runs/{run.pk}/").content.decode()


def test_a_list_says_how_many_keys_failed(shop: Application, partly_failed: Run) -> None:
    [run] = listed(shop)

    assert run.answer == "2 of 3 keys, 1 failed"  # type: ignore[attr-defined]
    assert run.runnable is not None
    assert run.runnable.title == "Warm up the shop"


def test_a_page_counts_the_keys_and_leads_to_their_log(shop: Application, partly_failed: Run) -> None:
    told = page(shop, partly_failed)

    assert f'href="/a/{shop.slug}/tasks/warm-up/logs/?run={partly_failed.pk}"' in told
    assert "<dt>Failed</dt><dd>1</dd>" in told
    assert "<dt>Stored</dt><dd>2.0 KB</dd>" in told
    assert 'id="output"' not in told


def test_a_page_of_a_run_that_goes_on_counts_what_is_there(shop: Application) -> None:
    keys = make_keys(shop, 3)
    run = make_run(make_task(shop).runnable, State.RETRYING, started_at=NOW)
    make_sync(run, keys[0])
    make_sync(run, keys[1], "waiting")

    told = page(shop, run)

    assert "<dt>To come</dt><dd>1</dd>" in told
    assert "Part of it is done." in told


def test_refreshes_are_called_by_their_keys_and_cost_two_queries_however_many_they_are(
    shop: Application, django_assert_num_queries: Any
) -> None:
    keys = make_keys(shop, 5)
    refresh_key(key=keys[0], by=OPERATOR, now=NOW)
    with django_assert_num_queries(4):
        listed(shop)
    for key in keys[1:]:
        refresh_key(key=key, by=OPERATOR, now=NOW)
    refresh_keys(application=shop, key_ids=[key.pk for key in keys], by=OPERATOR, now=NOW)

    with django_assert_num_queries(4):
        runs = listed(shop)
    assert sorted(run.subject for run in runs) == ["5 keys", *(key.name for key in keys)]


def test_the_page_of_a_refresh_leads_to_its_key(shop: Application) -> None:
    [key] = make_keys(shop, 1)
    run = refresh_key(key=key, by=OPERATOR, now=NOW)

    assert f'id="to-owner" href="/a/{shop.slug}/keys/{key.name}/"' in page(shop, run)


def test_the_page_of_a_refresh_whose_key_is_gone_leads_to_all_keys(shop: Application) -> None:
    [key] = make_keys(shop, 1)
    run = refresh_key(key=key, by=OPERATOR, now=NOW)
    key.delete()

    assert f'id="to-owner" href="/a/{shop.slug}/keys/"' in page(shop, run)


@pytest.mark.parametrize(
    ("error_class", "where"), [("variables", "where the key is edited"), ("transform", "where the source is edited")]
)
def test_the_advice_on_a_refresh_that_failed_speaks_of_no_task(shop: Application, error_class: str, where: str) -> None:
    [key] = make_keys(shop, 1)
    run = refresh_key(key=key, by=OPERATOR, now=NOW)
    Run.objects.filter(pk=run.pk).update(state=State.FAILED, started_at=NOW, finished_at=NOW, error_class=error_class)
    make_attempt(run, ok=False, error_class=error_class, error="It went wrong.", run_number=run.number)

    told = page(shop, run)

    assert where in told
    assert "where the task is edited" not in told
