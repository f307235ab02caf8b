"""The overview and the first steps, as a browser has them."""

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from badgerjobs.runs.models import Run, Runnable, State
from badgerjobs.workspaces.models import Application, User
from tests.factories import make_job, make_run

MINUTE = timedelta(minutes=1)


def address(shop: Application) -> str:
    return reverse("panel:overview", args=[shop.slug])


def ended(runnable: Runnable, state: State = State.SUCCEEDED, **fields: object) -> Run:
    """A run of a minute ago."""
    began = timezone.now() - MINUTE
    times = {"created_at": began, "due_at": began, "started_at": began, "finished_at": began + MINUTE / 60}
    return make_run(runnable, state, attempts=1, **{**times, **fields})


def test_from_an_empty_application_to_its_first_run(
    shop: Application, alice_browser: Page, live_server: LiveServer
) -> None:
    page = alice_browser
    page.goto(address(shop))
    page.get_by_role("button", name="Make a token").click()
    secret = page.locator("#token").inner_text()
    expect(page.locator("#first-curl")).to_contain_text(f"Bearer {secret}")
    expect(page.locator("#first-run")).to_contain_text("Waiting for the first call…")

    call(live_server, secret)
    expect(page.locator("#first-run")).to_contain_text("hello is there")
    ended(Runnable.objects.get(), number=1)
    expect(page.locator("#first-run .arrived")).to_have_text("hello 1 succeeded")

    page.get_by_role("link", name="To the overview").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def call(live_server: LiveServer, secret: str) -> None:
    job = {"tag": "hello", "endpoint": "https://example.com/", "verb": "POST", "run_every": "PT1M"}
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    request = Request(f"{live_server.url}/api/v1/jobs/", json.dumps(job).encode(), headers)
    with urlopen(request) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("scripts", [True, False])
def test_a_language_is_chosen_with_or_without_scripts(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(address(shop))
    expect(page.locator("#first-curl")).to_be_visible()
    page.get_by_label("Python", exact=True).check()
    expect(page.locator("#first-python")).to_be_visible()
    expect(page.locator("#first-curl")).to_be_hidden()


def test_what_happens_shows_itself(shop: Application, alice_browser: Page) -> None:
    runnable = make_job(shop, "reprice").runnable
    page = alice_browser
    page.goto(address(shop))
    expect(page.locator("#needs")).to_contain_text("Nothing needs you")
    expect(page.locator("#live b.muted")).to_have_count(1)
    now = timezone.now()
    make_run(runnable, State.RUNNING, created_at=now, due_at=now, started_at=now - MINUTE)
    expect(page.locator("#live b").first).to_have_text("1 running")
    expect(page.locator("#live .running")).to_have_count(1)


def test_what_stands_still_is_not_asked_for(shop: Application, alice_browser: Page) -> None:
    runnable = make_job(shop, "reprice").runnable
    page = alice_browser
    page.goto(address(shop))
    page.keyboard.press("p")
    expect(page.locator("[data-live]")).to_have_attribute("aria-pressed", "false")
    ended(runnable)
    page.keyboard.press("p")
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "live"):
        pass
    expect(page.locator("#live .ticks")).to_have_count(1)


def test_the_range_is_in_the_address(shop: Application, alice_browser: Page) -> None:
    runnable = make_job(shop, "reprice").runnable
    ended(runnable)
    page = alice_browser
    page.goto(address(shop))
    page.get_by_role("link", name="7 d").click()
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?range=7d")
    expect(page.locator("#figures")).to_contain_text("Runs in 7 d")
    expect(page.get_by_role("link", name="7 d")).to_have_attribute("aria-current", "true")
    assert "range=7d" in str(page.locator("#needs").get_attribute("hx-get"))


def test_a_job_that_failed_is_replayed_from_here(shop: Application, alice_browser: Page) -> None:
    failed = ended(make_job(shop, "reprice").runnable, State.FAILED, error="It answered 503.")
    page = alice_browser
    page.goto(address(shop))
    expect(page.locator("#needs")).to_contain_text("reprice failed for good: It answered 503.")
    page.get_by_role("button", name="Replay reprice").click()
    page.wait_for_load_state()
    assert Run.objects.get(replay_of=failed.pk).runnable_id == failed.runnable_id
    page.goto(address(shop))
    expect(page.locator("#needs")).to_contain_text("It is being run again.")


def test_a_page_says_which_keys_there_are_and_g_leads_there(shop: Application, alice_browser: Page) -> None:
    make_job(shop, "reprice")
    page = alice_browser
    page.goto(address(shop))
    page.keyboard.press("?")
    expect(page.get_by_role("heading", level=1)).to_have_text("Keys")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_a_full_overview_fits_a_telephone_in_the_dark_without_scripts(
    shop: Application, open_browser: Callable[..., Page]
) -> None:
    runnable = make_job(shop, "a-very-long-name-" + "of-a-job-" * 12, run_every="PT1M").runnable
    for state in State:
        ended(runnable, state)
    ended(runnable, State.FAILED, error="It answered 503: " + "unbreakable" * 20)
    page = open_browser(User.objects.get(email="bob@example.com"), width=390, dark=True, scripts=False)
    for of in ("1h", "24h", "7d"):
        cache.clear()
        page.goto(f"{address(shop)}?range={of}")
        expect(page.locator("#day .failed rect")).not_to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    expect(page.get_by_role("button", name="Replay")).to_have_count(0)
    expect(page.locator("[data-live]")).to_be_hidden()
