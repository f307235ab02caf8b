"""A job that performs an event, made in its form by mouse, tried, looked at and cancelled."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.browser.test_every_page import faults
from tests.factories import make_attempt, make_event, make_job, make_run


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_job_that_performs_an_event_is_made(
    shop: Application, open_browser: Callable[..., Page], *, scripts: bool
) -> None:
    make_event(shop, "twice", configuration={"code": "return input.n * 2"})
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(reverse("jobs:new", args=[shop.slug]))
    page.get_by_label("Name", exact=True).fill("double")
    expect(page.get_by_label("Endpoint")).to_be_visible()
    page.get_by_role("radiogroup", name="What it does").get_by_text("Perform an event").click()
    expect(page.get_by_label("Endpoint")).to_be_hidden()
    expect(page.get_by_label("Gives up after")).to_be_hidden()
    page.get_by_label("Event", exact=True).fill("twice")
    write(page, '{"n": 21}')
    page.get_by_role("button", name="Perform it now").click()
    expect(page.locator("#test")).to_contain_text("42")
    page.get_by_role("button", name="Create the job").click()
    expect(page.get_by_text("double is saved.")).to_be_visible()
    expect(page.locator(".about")).to_contain_text("Function twice")
    job = Job.objects.get()
    assert (job.event and job.event.tag, job.input) == ("twice", {"n": 21})


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_only_a_call_is_tried_again_unless_one_ticks_the_box(
    shop: Application, open_browser: Callable[..., Page], *, scripts: bool
) -> None:
    make_event(shop, "twice")
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(reverse("jobs:new", args=[shop.slug]))
    box = page.get_by_role("checkbox", name="3 more times, after 10 s, 20 s and 30 s.")
    expect(box).to_be_checked()
    page.get_by_role("radiogroup", name="What it does").get_by_text("Perform an event").click()
    expect(box).not_to_be_checked()
    page.get_by_label("Name", exact=True).fill("double")
    page.get_by_label("Event", exact=True).fill("twice")
    assert not (scripts and faults(page))
    page.get_by_role("button", name="Create the job").click()
    expect(page.get_by_text("double is saved.")).to_be_visible()
    assert Job.objects.get().runnable.retries == 0


def test_the_other_fields_come_and_go_with_the_choice(shop: Application, alice_browser: Page) -> None:
    job = make_job(shop, "a-job", timezone.now())
    alice_browser.goto(reverse("jobs:edit", args=[shop.slug, job.tag]))
    choice = alice_browser.get_by_role("radiogroup", name="What it does")
    for does, shown, hidden in (("Perform an event", "#event_tag", "#endpoint"), ("Call a URL", "#endpoint", "#input")):
        choice.get_by_text(does).click()
        expect(alice_browser.locator(shown)).to_be_visible()
        expect(alice_browser.locator(hidden)).to_be_hidden()
    assert faults(alice_browser) == []


def test_a_job_is_cancelled_where_it_is_asked_and_its_pages_are_for_everybody(
    shop: Application, alice_browser: Page
) -> None:
    event = make_event(shop, "e" * 200)
    given = {"event": event, "input": {"x" * 300: ["y" * 900]}, "endpoint": "", "verb": "", "run_every": "PT1H"}
    job = make_job(shop, "t" * 200, timezone.now(), **given)
    run = make_run(job.runnable, State.SUCCEEDED, kind="event", number=1, attempts=1)
    rows = [{"column" * 9: "cell" * 90, "b": None}]
    make_attempt(run, result={"rows_returned": 1, "rows": rows, "truncated": True, "console": []})
    alice_browser.goto(reverse("runs:run", args=[shop.slug, run.pk]))
    expect(alice_browser.get_by_role("region", name="Rows")).to_be_visible()
    assert faults(alice_browser) == []
    alice_browser.goto(reverse("jobs:job", args=[shop.slug, job.tag]))
    assert faults(alice_browser) == []
    alice_browser.get_by_role("button", name="More").click()
    alice_browser.get_by_role("link", name="Cancel…").click()
    asked = alice_browser.get_by_role("dialog")
    asked.get_by_label("Why").fill("moved away")
    asked.get_by_role("button", name="Cancel the job").click()
    expect(alice_browser.locator("#pause")).to_contain_text("moved away")
    expect(alice_browser.locator("#state")).to_have_text("cancelled")
    assert faults(alice_browser) == []


def write(page: Page, text: str) -> None:
    """Type an input, in the editor where scripts put one in the place of the field."""
    page.evaluate(
        """([field, text]) => {
          const input = document.getElementById(field);
          const editor = input.parentElement.querySelector(".ace_editor")?.env?.editor;
          if (editor) editor.setValue(text, 1); else input.value = text;
        }""",
        ["input", text],
    ) if page.locator(".ace_editor").count() else page.locator("#input").fill(text)
