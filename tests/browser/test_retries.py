"""A retry policy chosen in a browser: of a job in its form, and of an application in its settings."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.lib.backoff import REPEATER, Retries
from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.browser.test_every_page import faults
from tests.factories import make_job

PART = "Retries, and which answers fail"


def choose(page: Page, policy: str) -> None:
    page.get_by_label("Waits", exact=True).select_option(policy)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_job_gets_a_policy_and_shows_only_what_belongs_to_it(
    scripts: bool, shop: Application, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(reverse("jobs:edit", args=[shop.slug, make_job(shop).tag]))
    step, delays = page.get_by_label("in steps of"), page.get_by_label("Waits in seconds")
    expect(step).not_to_be_visible()
    page.get_by_text(PART).click()
    expect(step).to_be_visible()
    expect(delays).not_to_be_visible()
    choose(page, "repeater")
    expect(step).not_to_be_visible()
    choose(page, "list")
    expect(step).not_to_be_visible()
    delays.fill("5, 60")
    page.get_by_label("Answers that fail").fill("500-599")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("2 more times, after 5 s and 1 min")).to_be_visible()
    expect(page.get_by_text("statuses that fail: 500-599")).to_be_visible()
    job = Job.objects.get()
    assert (job.runnable.policy, job.fail_statuses) == (Retries("list", 2, 10, (5, 60)), "500-599")


def test_what_is_wrong_with_a_policy_is_seen_and_read_out(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(reverse("jobs:edit", args=[shop.slug, make_job(shop).tag]))
    page.get_by_text(PART).click()
    choose(page, "list")
    page.get_by_label("Tried again after").fill("200")
    page.get_by_role("button", name="Save").last.click()
    expect(page.get_by_text("needs its waits")).to_be_visible()
    expect(page.get_by_text("200 is no failure")).to_be_visible()
    expect(page.get_by_label("Waits in seconds")).to_have_attribute("aria-invalid", "true")
    found = faults(page)
    assert not found, "\n".join(found)


def test_an_application_gets_a_policy_for_new_jobs(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(reverse("panel:settings", args=[shop.slug]))
    choose(page, "repeater")
    expect(page.get_by_label("in steps of")).not_to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The settings are saved.")).to_be_visible()
    shop.refresh_from_db()
    assert shop.policy == REPEATER
    page.goto(reverse("jobs:new", args=[shop.slug]))
    expect(page.get_by_text("24 more times, after 1 s, 16 s, … and 3 d 20 h").filter(visible=True)).to_be_visible()
    expect(page.get_by_label("in steps of")).not_to_be_visible()
