"""Policies chosen in a browser: what is asked for is shown and nothing else, with scripts and without."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application, User
from tests.browser.test_every_page import faults
from tests.factories import make_job

PART = "Overlap, catch-up, spread and priority"


def form_of(page: Page, shop: Application) -> None:
    """The form of a job that runs every hour and has no policy of its own."""
    page.goto(reverse("jobs:edit", args=[shop.slug, make_job(shop, now=timezone.now(), run_every="PT1H").tag]))


def ends(page: Page, how: str) -> None:
    page.get_by_role("radiogroup", name="Ends").get_by_text(how, exact=True).click()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_job_gets_policies_and_shows_them(
    scripts: bool, shop: Application, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    form_of(page, shop)
    expect(page.get_by_label("Let all wait", exact=True)).not_to_be_visible()
    page.get_by_text(PART).click()
    page.get_by_label("Let all wait", exact=True).check()
    page.get_by_label("All", exact=True).check()
    page.get_by_label("Due at most", exact=True).fill("2")
    page.get_by_label("Due at most, in").select_option("hours")
    page.get_by_label("Spread over", exact=True).fill("5")
    page.get_by_label("Priority").fill("7")
    ends(page, "Whichever is first")
    page.get_by_label("Until", exact=True).fill("2030-01-01T12:00")
    page.get_by_label("How many").fill("100")
    page.get_by_role("button", name="Save").last.click()
    for said in ("or after 100 runs; 0 of 100 runs made", "run one after the other", "over 5 minutes", "7 of 100"):
        expect(page.get_by_text(said)).to_be_visible()
    runnable = Runnable.objects.get()
    assert (runnable.overlap, runnable.catch_up, runnable.catch_up_within_s) == ("queue_all", "all", 7200)
    assert (runnable.end_at, runnable.max_runs) == (datetime(2030, 1, 1, 12, tzinfo=UTC), 100)
    assert (runnable.spread_s, runnable.priority) == (300, 7)


def test_only_the_end_that_is_chosen_is_asked_for(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    form_of(page, shop)
    until, times = page.get_by_label("Until", exact=True), page.get_by_label("How many")
    seen = {"Never": (False, False), "At a time": (True, False), "After some runs": (False, True),
            "Whichever is first": (True, True)}  # fmt: skip
    for how, (asks_until, asks_times) in seen.items():
        ends(page, how)
        expect(until).to_be_visible(visible=asks_until)
        expect(times).to_be_visible(visible=asks_times)
    page.get_by_role("radiogroup", name="When", exact=True).get_by_text("By hand").click()
    expect(page.get_by_role("radiogroup", name="Ends")).not_to_be_visible()


def test_the_preview_follows_the_end_and_the_spread(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    form_of(page, shop)
    shown = page.locator("#preview")
    expect(shown.locator("tbody tr")).to_have_count(5)
    ends(page, "After some runs")
    page.get_by_label("How many").fill("2")
    expect(shown.locator("tbody tr:not(.shift)")).to_have_count(2)
    expect(shown).to_contain_text("Then it ends.")
    page.get_by_text(PART).click()
    page.get_by_label("Spread over", exact=True).fill("10")
    expect(shown).to_contain_text("Spread over 10 minutes: each starts")
    page.get_by_label("Spread over", exact=True).fill("61")
    expect(shown.locator(".error")).to_contain_text("give that at most")


def test_a_new_jobs_place_in_its_spread_follows_its_name(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(reverse("jobs:new", args=[shop.slug]))
    page.get_by_text(PART).click()
    page.get_by_label("Spread over", exact=True).fill("10")
    expect(page.locator("#preview")).to_contain_text("as its tag has it")
    page.get_by_label("Name", exact=True).fill("refresh")
    page.get_by_label("Name", exact=True).press("Tab")
    expect(page.locator("#preview")).to_contain_text("after its time")


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1440, False)], ids=["narrow and dark", "wide and light"])
def test_what_is_wrong_is_seen_beside_its_field_and_read_out(
    width: int, dark: bool, shop: Application, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), width=width, dark=dark)
    form_of(page, shop)
    page.get_by_text(PART).click()
    page.get_by_label("All", exact=True).check()
    page.get_by_label("Spread over", exact=True).fill("90")
    page.get_by_label("Priority").fill("high")
    ends(page, "Whichever is first")
    page.get_by_label("Until", exact=True).fill("2020-01-01T00:00")
    page.get_by_label("How many").fill("0")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_role("alert")).to_contain_text("5 fields need a change")
    for field in ("Until", "How many", "Spread over", "Priority"):
        expect(page.get_by_label(field, exact=True)).to_have_attribute("aria-invalid", "true")
        expect(page.get_by_label(field, exact=True)).to_be_visible()
    expect(page.locator("#catch_up_error")).to_contain_text("choose “Let all wait”")
    found = faults(page)
    assert not found, "\n".join(found)
