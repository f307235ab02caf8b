"""The page of the cache in a real browser: with much on it and with nothing, moving by itself, and without scripts."""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.lib.ids import uuid7_floor
from badgerjobs.workspaces.models import Application, User
from tasks.models import CachedValue, CacheReads
from tests.browser.test_every_page import faults
from tests.factories import make_key, make_run, make_runnable, make_source, make_sync, value_of

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    cache.clear()


def address(shop: Application) -> str:
    return reverse("tasks:cache", args=[shop.slug])


def id_of(moment: datetime) -> UUID:
    return UUID(int=uuid7_floor(moment).int + secrets.randbits(32))


def fill(shop: Application) -> None:
    """A day of reads and syncs, of two sources, one of which is slow and fails at times."""
    now = timezone.now()
    runnable = make_runnable(shop, kind="sync")
    for name, duration in (("catalogue", 40), ("a slow one with quite a long name", 900)):
        source = make_source(shop, name)
        for number in range(1, 7):
            key = make_key(source, f"{name[:6]}-category-{number}-", ttl_s=3600 * number)
            value = value_of("x" * 97**number if number < 4 else "1", now - HOUR)
            CachedValue.objects.filter(key=key).update(**{**value, "duration_ms": duration})
            for back in range(0, 24, number):
                state = "failed" if duration > 100 and back % 7 == 3 else "succeeded"
                run = make_run(runnable)
                make_sync(run, key, state, id=id_of(now - back * HOUR), duration_ms=duration + 7 * back, bytes=97**2)
    for key in list(shop.keys.filter(source__tag__startswith="a slow").order_by("name")[:3]):
        CachedValue.objects.filter(key=key).update(error_class="status", error="The source answered 503.", tried_at=now)
    hour = now.replace(minute=0, second=0, microsecond=0)
    for back in range(24):
        CacheReads.objects.create(
            application=shop, hour=hour - back * HOUR, hits=5000 + 997 * (back % 5), stale=40 * back, misses=back % 3
        )


@pytest.mark.parametrize("scripts", [True, False])
def test_a_page_with_much_on_it_is_for_everybody(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    fill(shop)
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(address(shop))
    expect(page.get_by_role("heading", name="Keys that fail")).to_be_visible()
    expect(page.get_by_role("table", name="Slowest sources").get_by_role("row").nth(1)).to_contain_text("a slow one")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table", name="Reads and syncs by hour").get_by_role("row")).to_have_count(25)
    if scripts:  # axe is one
        assert faults(page) == []


def test_an_empty_one_leads_to_the_first_source_and_then_to_the_first_key(
    shop: Application, alice_browser: Page
) -> None:
    alice_browser.goto(address(shop))
    expect(alice_browser.get_by_role("link", name="Make the first source")).to_be_visible()
    assert faults(alice_browser) == []
    make_source(shop)
    alice_browser.reload()
    alice_browser.get_by_role("link", name="Make the first key").click()
    expect(alice_browser).to_have_url(
        f"{alice_browser.url.split('/a/')[0]}{reverse('tasks:new-key', args=[shop.slug])}"
    )


def test_the_side_leads_to_it(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.get_by_role("link", name="Cache", exact=True).click()
    expect(alice_browser.get_by_role("heading", level=1)).to_have_text("Cache")


def test_the_range_is_in_the_address_and_its_parts_ask_for_it(shop: Application, alice_browser: Page) -> None:
    fill(shop)
    alice_browser.goto(address(shop))
    alice_browser.get_by_role("link", name="30 d").click()
    expect(alice_browser.get_by_role("heading", name="Last 30 days")).to_be_visible()
    assert "range=30d" in str(alice_browser.locator("#day").get_attribute("hx-get"))
