"""The frame of every page: the side, the theme, the keys, the policy."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application
from tests.factories import make_job, make_run


def test_a_theme_is_remembered_over_pages(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(reverse("panel:overview", args=[shop.slug]))
    alice_browser.get_by_role("button", name="Dark").click()
    alice_browser.reload()
    expect(alice_browser.locator("html")).to_have_attribute("data-theme", "dark")


def test_without_scripts_a_theme_is_chosen_by_the_server(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(shop.workspace.members.get(role="owner").user, scripts=False)
    page.goto(reverse("panel:overview", args=[shop.slug]))
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith(reverse("panel:overview", args=[shop.slug]))


def test_a_question_mark_opens_the_keys_and_g_with_a_letter_goes_there(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(reverse("jobs:list", args=[shop.slug]))
    alice_browser.keyboard.press("?")
    expect(alice_browser).to_have_url(re.compile(reverse("panel:keys")))
    alice_browser.go_back()
    expect(alice_browser.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    alice_browser.keyboard.press("g")
    alice_browser.keyboard.press("o")
    expect(alice_browser).to_have_url(re.compile(f"{reverse('panel:overview', args=[shop.slug])}$"))


@pytest.mark.parametrize("page", ["panel:overview", "jobs:list", "runs:list"])
def test_p_stops_what_updates_itself(page: str, shop: Application, alice_browser: Page) -> None:
    make_run(make_job(shop, "nightly").runnable, number=1)
    alice_browser.goto(reverse(page, args=[shop.slug]))
    live = alice_browser.get_by_role("button", name="Live")
    expect(live).to_have_attribute("aria-pressed", "true")
    alice_browser.keyboard.press("p")
    expect(live).to_have_attribute("aria-pressed", "false")
