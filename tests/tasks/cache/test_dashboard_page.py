"""The page of the cache: what it says, what it links to, and what it costs."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces.models import Application, Role
from tasks.cache import sync_tallies
from tasks.models import CachedValue, CacheReads
from tests.clients import browser_in
from tests.factories import make_application, make_key, make_run, make_runnable, make_source, make_sync

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


@pytest.fixture
def shop() -> Application:
    return make_application()


def page_of(
    shop: Application, role: Role = Role.OWNER, query: str = "", headers: Mapping[str, str] | None = None
) -> str:
    found = browser_in(shop, role).get(reverse("tasks:cache", args=[shop.slug]) + query, headers=headers)
    assert found.status_code == 200
    return found.content.decode()


def fill(shop: Application, keys: int = 1) -> None:
    """Keys that were read and synced, and for each one that fails."""
    source = make_source(shop, "catalogue")
    run = make_run(make_runnable(shop, kind="sync"))
    for number in range(keys):
        well, ill = make_key(source, f"well-{number}", "x" * 2000), make_key(source, f"ill-{number}")
        make_sync(run, well, duration_ms=120)
        make_sync(run, ill, "failed", duration_ms=120)
        CachedValue.objects.filter(key=ill).update(error_class="status", error="It answered 500.")
    CacheReads.objects.create(
        application=shop, hour=timezone.now().replace(minute=0, second=0, microsecond=0), hits=7, stale=1, misses=2
    )


@pytest.mark.parametrize(
    ("has_source", "role", "link", "said"),
    [
        (False, Role.EDITOR, "sources:new-source", "It begins with a source"),
        (True, Role.EDITOR, "tasks:new-key", "Make the first key"),
        (True, Role.VIEWER, None, "You may look"),
    ],
)
def test_without_a_key_it_says_what_to_do_next(
    shop: Application, has_source: bool, role: Role, link: str | None, said: str
) -> None:
    if has_source:
        make_source(shop)
    page = page_of(shop, role)
    assert said in page
    places = {name for name in ("sources:new-source", "tasks:new-key") if reverse(name, args=[shop.slug]) in page}
    assert places == ({link} if link else set())


def test_it_says_how_the_cache_is_read_and_which_keys_fail(shop: Application) -> None:
    fill(shop)
    page = page_of(shop)
    assert "80.00 <small>% of 10</small>" in page
    assert reverse("tasks:key", args=[shop.slug, "ill-0"]) in page
    assert "It answered 500." in page
    assert f"{reverse('tasks:keys', args=[shop.slug])}?state=failed" in page
    assert reverse("sources:source", args=[shop.slug, "catalogue"]) in page
    assert "Largest values" in page
    assert "well-0" in page


def test_reads_that_found_nothing_are_missed_and_nobody_is_said_to_have_waited(shop: Application) -> None:
    fill(shop)
    page = page_of(shop)
    assert "Reads that found nothing to serve by hour: 2 in all" in page
    assert "2 missed" in page
    assert "waited" not in page


def test_durations_of_some_syncs_are_said_to_be_sampled(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(shop, keys=3)
    assert "p50, p95<" in page_of(shop)
    cache.clear()
    monkeypatch.setattr(sync_tallies, "SAMPLE", 5)
    assert "p50, p95, sampled<" in page_of(shop)


def test_a_key_that_is_called_with_markup_stays_text(shop: Application) -> None:
    make_key(make_source(shop), "<b onclick=x>", "1")
    assert "<b onclick" not in page_of(shop)


@pytest.mark.parametrize(("query", "current"), [("", "24h"), ("?range=30d", "30d"), ("?range=never", "24h")])
def test_the_range_is_chosen_by_the_address(shop: Application, query: str, current: str) -> None:
    fill(shop)
    assert re.findall(r'href="\?range=(\w+)" aria-current="true"', page_of(shop, query=query)) == [current]


@pytest.mark.parametrize("part", ["figures", "failing", "day"])
def test_a_part_asks_for_itself_alone(shop: Application, part: str) -> None:
    fill(shop)
    shown = page_of(shop, headers={"HX-Request": "true", "HX-Target": part})
    assert f'id="{part}"' in shown
    assert "<h1>" not in shown


def test_it_costs_as_many_queries_for_many_keys_as_for_one(
    shop: Application, django_assert_max_num_queries: Any
) -> None:
    fill(shop, keys=20)
    browser = browser_in(shop, Role.OWNER)
    with django_assert_max_num_queries(25):
        browser.get(reverse("tasks:cache", args=[shop.slug]))


def test_what_belongs_to_another_tenant_is_in_no_figure(shop: Application) -> None:
    fill(make_application("Charlie's"))
    make_key(make_source(shop, "mine"), "mine", "1")
    page = page_of(shop, query="?range=30d")
    assert "ill-0" not in page
    assert "well-0" not in page
    assert "catalogue" not in page
