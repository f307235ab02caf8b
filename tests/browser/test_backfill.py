"""What was missed is run later, from the page of its job: with scripts in a dialog, without them on pages."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.browser.test_every_page import look_around
from tests.factories import make_job, make_run

HOUR = timedelta(hours=1)


@pytest.fixture
def job(shop: Application) -> Job:
    """After an outage of three hours: the first run that came then is over, the next one waits for one that runs."""
    now = timezone.now()
    job = make_job(shop, "nightly", now, run_every="PT1H", run_at=now - 9 * HOUR, name="Nightly prices")
    first = job.runnable.anchor
    given = {"cause": Cause.SCHEDULE, "created_at": now, "finished_at": now}
    more = {"skip_reason": "missed", "skipped_until": first + 3 * HOUR, "skipped_count": 3}
    make_run(job.runnable, State.SKIPPED, occurrence=first + HOUR, **more, **given)
    make_run(job.runnable, State.SUCCEEDED, number=1, occurrence=first + 4 * HOUR, started_at=now, **given)
    make_run(job.runnable, State.RUNNING, number=2, created_at=now, started_at=now)
    make_run(job.runnable, State.QUEUED, number=3, held=True, created_at=now)
    return job


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_what_was_missed_is_counted_and_then_run(job: Job, open_browser: Callable[..., Page], scripts: bool) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(reverse("jobs:job", args=[job.application.slug, job.tag]))
    expect(page.locator("#missed")).to_contain_text("Missed 3 occurrences")
    expect(page.locator("#missed")).to_contain_text("ran the latest, run 1.")

    page.locator("#backfill").click()
    expect(page.get_by_role("heading", name="Run past occurrences of Nightly prices?")).to_be_visible()
    page.get_by_label("At most so many a minute").fill("10")
    page.get_by_role("button", name="Count them").click()

    expect(page.get_by_role("heading", name="Run 3 occurrences?")).to_be_visible()
    expect(page.get_by_text("At most 10 begin in a minute: the last in 12 s")).to_be_visible()
    if scripts:
        look_around(page)
    page.get_by_role("button", name="Run 3 occurrences").click()

    expect(page.get_by_text("3 runs are made of what has passed.")).to_be_visible()
    expect(page.locator("#missed .notice")).to_have_count(0)
    assert Run.objects.filter(cause=Cause.BACKFILL).count() == 3


def test_the_pages_of_what_was_skipped_and_of_what_is_held_are_for_everybody(job: Job, alice_browser: Page) -> None:
    for run in (Run.objects.get(state=State.SKIPPED), Run.objects.get(held=True)):
        alice_browser.goto(reverse("runs:run", args=[job.application.slug, run.pk]))
        look_around(alice_browser)
    expect(alice_browser.locator("#verdict")).to_have_text("It is due, and waits for run 2 to be over.")


def test_a_question_ends_with_its_buttons(job: Job, alice_browser: Page) -> None:
    alice_browser.goto(reverse("jobs:job", args=[job.application.slug, job.tag]))
    alice_browser.locator("#backfill").click()
    dialog = alice_browser.locator("dialog[open]")
    whole, last = dialog.bounding_box(), dialog.get_by_role("button", name="Count them").bounding_box()
    assert whole
    assert last
    below = whole["y"] + whole["height"] - last["y"] - last["height"]
    assert below == pytest.approx(24, abs=1)  # as much as stands above its title
