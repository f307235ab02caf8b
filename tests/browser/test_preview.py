"""The preview of a form that is left open: it stays true, and nothing moves under the hand."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application


@pytest.fixture
def form(shop: Application, alice_browser: Page) -> Page:
    page = alice_browser
    page.clock.install()
    page.goto(reverse("jobs:new", args=[shop.slug]))
    page.wait_for_function("() => window.htmx && document.readyState === 'complete'")
    return page


def asked_within_a_minute(page: Page) -> list[str]:
    """What the page asks the server for."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/a/")[2].partition("/")[2]))
    page.clock.run_for(61_000)
    page.evaluate("fetch('/keys/')")  # comes after all that was asked before
    return [address for address in asked if "preview" in address]


def test_it_is_asked_for_again_each_minute_and_leaves_the_keyboard_where_it_is(form: Page) -> None:
    name = form.get_by_label("Name", exact=True)
    expect(name).to_be_focused()
    form.evaluate("document.querySelector('#preview').dataset.old = ''")
    assert len(asked_within_a_minute(form)) == 1
    expect(form.locator("#preview[data-old]")).to_have_count(0)
    expect(form.locator("#preview tbody tr")).to_have_count(5)
    expect(name).to_be_focused()
    expect(form.locator("[aria-live]").first).to_have_attribute("aria-live", "off")
    assert len(asked_within_a_minute(form)) == 1


def test_while_the_pointer_is_beside_it_nothing_moves(form: Page) -> None:
    form.get_by_role("button", name="Call it now").hover()
    assert asked_within_a_minute(form) == []
    form.mouse.move(0, 0)
    assert len(asked_within_a_minute(form)) == 1


def test_what_is_typed_is_read_aloud_again(form: Page) -> None:
    asked_within_a_minute(form)
    expect(form.locator("[aria-live]").first).to_have_attribute("aria-live", "off")
    form.get_by_label("Every", exact=True).last.fill("2")
    form.clock.run_for(300)
    expect(form.locator("#preview-title")).to_contain_text("Every 2 minutes")
    expect(form.locator("[aria-live]").first).to_have_attribute("aria-live", "polite")
