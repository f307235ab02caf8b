"""Cache keys made, read, changed, synced and deleted in a real browser, with scripts and without."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Run
from badgerjobs.workspaces.models import Application, User
from tasks.models import CachedValue, CacheKey
from tests.browser.test_every_page import faults
from tests.factories import make_key, make_run, make_runnable, make_source, make_sync, value_of


def alice() -> User:
    return User.objects.get(email="alice@example.com")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_key_is_made_changed_and_deleted(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> None:
    make_source(shop, "products", variables=["PRODUCT_ID", "CITY"])
    page = open_browser(alice(), scripts=scripts)
    page.goto(reverse("tasks:keys", args=[shop.slug]))
    page.get_by_role("link", name="Make the first key").click()
    page.get_by_role("link", name="products").click()
    page.get_by_label("Name").fill("product-1")
    page.get_by_label("PRODUCT_ID").fill("1")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_text("Nothing is saved yet: 1 field needs a change.")).to_be_visible()
    expect(page.get_by_label("CITY")).to_be_focused()
    page.get_by_label("CITY").fill("Zürich")
    page.get_by_label("Fresh for").fill("60")
    page.get_by_role("button", name="Create the key").click()
    expect(page.get_by_role("heading", name="product-1")).to_be_visible()
    expect(page.get_by_text("Nothing stands under it yet.")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Tags").fill("catalogue")
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_role("link", name="catalogue")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the key").click()
    expect(page.get_by_text("product-1 is deleted.")).to_be_visible()
    assert not CacheKey.objects.exists()


def test_what_comes_of_a_sync_is_seen_as_it_comes(shop: Application, alice_browser: Page) -> None:
    key, page = make_key(make_source(shop), "a-key"), alice_browser
    page.goto(reverse("tasks:key", args=[shop.slug, "a-key"]))
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("being fetched")).to_be_visible()
    sync = make_sync(
        make_run(make_runnable(shop, kind="sync")), key, "waiting", error="Timed out.", error_class="timeout"
    )
    expect(page.get_by_role("table", name="Syncs").get_by_text("Timed out.")).to_be_visible()
    type(sync).objects.filter(pk=sync.pk).update(state="succeeded", error="", error_class="", changed=True)
    CachedValue.objects.filter(key=key).update(**value_of('{"price": 7}', timezone.now() + timedelta(seconds=1)))
    expect(page.locator("#body")).to_contain_text('"price": 7')
    expect(page.locator("#state")).to_have_text("fresh")
    expect(page.get_by_text("being fetched")).to_have_count(0)
    expect(page.get_by_role("table", name="Syncs").get_by_text("changed")).to_be_visible()


def test_the_command_and_the_value_are_copied(shop: Application, alice_browser: Page) -> None:
    make_key(make_source(shop), "a key", '{"price": 7}')
    alice_browser.goto(reverse("tasks:key", args=[shop.slug, "a key"]))
    clipboard = "navigator.clipboard.readText()"
    alice_browser.get_by_role("button", name="Copy as curl").click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_be_visible()
    assert "/api/v1/cache/a%20key -H 'Authorization: Bearer TOKEN'" in alice_browser.evaluate(clipboard)
    alice_browser.get_by_role("button", name="Copy", exact=True).click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_have_count(2)
    assert alice_browser.evaluate(clipboard) == '{\n  "price": 7\n}'


def test_the_list_is_narrowed_as_one_types_and_several_are_synced(shop: Application, alice_browser: Page) -> None:
    source, page = make_source(shop), alice_browser
    for name in ("product-1", "product-11", "basket"):
        make_key(source, name)
    page.goto(reverse("tasks:keys", args=[shop.slug]))
    page.get_by_role("searchbox").fill("product")
    expect(page.get_by_role("link", name="basket")).to_have_count(0)
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?q=product")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Sync now…").click()
    page.get_by_role("button", name="Sync 2 keys now").click()
    expect(page.get_by_text("2 keys are being synced.")).to_be_visible()
    run: Any = Run.objects.get()
    assert len(run.input["keys"]) == 2
    page.get_by_label("State").select_option("failing")
    expect(page.get_by_role("heading", name="No key matches")).to_be_visible()
    assert not faults(page)


def test_the_form_with_what_is_wrong_is_for_everybody(shop: Application, alice_browser: Page) -> None:
    make_source(shop, "products")
    alice_browser.goto(f"{reverse('tasks:new-key', args=[shop.slug])}?source=products")
    alice_browser.get_by_label("Fresh for").fill("-1")
    alice_browser.get_by_role("button", name="Create the key").click()
    expect(alice_browser.get_by_role("alert")).to_be_visible()
    found = faults(alice_browser)
    assert not found, "\n".join(found)
