"""The list of jobs and the page of a job, in a browser: what moves, what is asked, what keys do, and all of it without
scripts."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Attempt, Run, Runnable, State
from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.factories import make_attempt, make_job, make_run

ROW = "tbody tr"
# The list updates itself in less; time passes when a test says so.
UPDATED_MS = 6_000


@pytest.fixture
def jobs(shop: Application) -> list[Job]:
    """Four: three hourly ones, the last of which is paused, and one by cron."""
    now = timezone.now()
    hourly = [make_job(shop, f"hourly-{number}", now, run_every="PT1H", run_at=now) for number in range(2)]
    paused = make_job(shop, "hourly-paused", now, run_every="PT1H", enabled=False)
    return [*hourly, paused, make_job(shop, "nightly", now, cron="0 2 * * *")]


@pytest.fixture
def at_list(shop: Application, jobs: list[Job], alice_browser: Page) -> Page:
    """Alice, looking at the list."""
    alice_browser.goto(reverse("jobs:list", args=[shop.slug]))
    return alice_browser


def test_a_filter_becomes_the_address_and_a_reload_shows_the_same(at_list: Page) -> None:
    at_list.get_by_label("Search name, tag, endpoint or event").fill("hourly")
    expect(at_list.locator(ROW)).to_have_count(3)
    at_list.get_by_label("State", exact=True).select_option("paused")
    expect(at_list.locator(ROW)).to_have_count(1)
    expect(at_list).to_have_url(re.compile(r"/jobs/\?q=hourly&state=paused$"))
    at_list.reload()
    expect(at_list.locator(ROW)).to_have_count(1)
    expect(at_list.get_by_label("Search name, tag, endpoint or event")).to_have_value("hourly")
    at_list.get_by_label("Remove filter state").click()
    expect(at_list.locator(ROW)).to_have_count(3)
    at_list.go_back()
    expect(at_list.locator(ROW)).to_have_count(1)


def test_back_from_a_filter_is_the_list_as_it_was(at_list: Page) -> None:
    at_list.get_by_label("Schedule").select_option("cron")
    expect(at_list.locator(ROW)).to_have_count(1)
    at_list.go_back()
    expect(at_list.locator(ROW)).to_have_count(4)
    at_list.get_by_label("Schedule").select_option("every")
    expect(at_list.locator(ROW)).to_have_count(3)


def test_the_link_to_a_view_is_copied_as_it_stands(at_list: Page) -> None:
    at_list.get_by_label("State", exact=True).select_option("paused")
    expect(at_list).to_have_url(re.compile(r"\?state=paused$"))
    at_list.get_by_role("button", name="Copy link to this view").click()
    expect(at_list.get_by_role("button", name="Copied")).to_be_visible()
    assert at_list.evaluate("navigator.clipboard.readText()") == at_list.url


def test_two_that_are_ticked_are_counted_asked_about_and_paused(at_list: Page) -> None:
    at_list.get_by_label("Select hourly-0").check()
    at_list.get_by_label("Select nightly").check()
    bar = at_list.get_by_role("toolbar", name="With the selected jobs")
    expect(bar.get_by_role("status")).to_have_text("2 selected")
    bar.get_by_role("button", name="Pause…").click()
    expect(at_list.get_by_role("heading", name="Pause 2 jobs?")).to_be_visible()
    assert Runnable.objects.filter(enabled=False).count() == 1
    at_list.get_by_role("button", name="Pause 2 jobs").click()
    expect(at_list.get_by_text("2 jobs are paused.")).to_be_visible()
    assert Runnable.objects.filter(enabled=False).count() == 3


def test_what_is_ticked_after_a_search_stays_ticked(at_list: Page) -> None:
    asked: list[str] = []
    at_list.get_by_label("Search name, tag, endpoint or event").press_sequentially("hourly")
    expect(at_list.locator(ROW)).to_have_count(3)
    at_list.on("request", lambda request: asked.append(request.url) if "/jobs/?" in request.url else None)
    at_list.get_by_label("Select hourly-0").check()
    at_list.get_by_label("State", exact=True).select_option("paused")
    expect(at_list.locator(ROW)).to_have_count(1)
    assert len(asked) == 1


def test_deleting_several_asks_and_the_way_back_deletes_none(at_list: Page) -> None:
    at_list.keyboard.press("x")
    at_list.get_by_role("button", name="Delete…").click()
    expect(at_list.get_by_role("heading", name="Delete 4 jobs?")).to_be_visible()
    expect(at_list.get_by_text("hourly-paused")).to_be_visible()
    at_list.get_by_role("link", name="Keep as they are").click()
    expect(at_list.locator(ROW)).to_have_count(4)
    assert Job.objects.count() == 4


def test_all_that_match_are_more_than_the_page_shows(
    at_list: Page, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("badgerjobs.web.definitions.list_pages.ROWS", 2)
    at_list.goto(f"{reverse('jobs:list', args=[shop.slug])}?schedule=every")
    at_list.keyboard.press("x")
    at_list.get_by_label("all 3 that match").check()
    at_list.get_by_role("button", name="Run now…").click()
    at_list.get_by_role("button", name="Run 3 jobs now").click()
    expect(at_list.get_by_text("3 jobs are waiting to run.")).to_be_visible()
    assert Run.objects.count() == 3


def test_the_list_updates_itself_but_not_under_a_hand_that_ticks(at_list: Page) -> None:
    at_list.clock.install()
    at_list.reload()
    at_list.get_by_label("Select nightly").check()
    job = Job.objects.get(tag="nightly")
    make_run(job.runnable, State.RUNNING, started_at=timezone.now() - timedelta(minutes=1))
    asked: list[str] = []
    at_list.on("request", lambda request: asked.append(request.url) if "/jobs/?" in request.url else None)
    at_list.clock.run_for(UPDATED_MS)
    assert asked == []
    expect(at_list.get_by_label("Select nightly")).to_be_checked()
    at_list.get_by_label("Select nightly").uncheck()
    at_list.locator("#job-nightly").focus()
    at_list.clock.run_for(UPDATED_MS)
    expect(at_list.get_by_text("so far")).to_be_visible()
    expect(at_list.locator("#job-nightly")).to_be_focused()
    # What came with the update can be ticked as what was there before.
    at_list.get_by_label("Select nightly").check()
    expect(at_list.get_by_role("toolbar").get_by_role("status")).to_have_text("1 selected")


def test_keys_search_make_and_select(at_list: Page) -> None:
    at_list.keyboard.press("/")
    expect(at_list.get_by_label("Search name, tag, endpoint or event")).to_be_focused()
    at_list.keyboard.type("nx")
    expect(at_list.get_by_label("Search name, tag, endpoint or event")).to_have_value("nx")
    at_list.get_by_label("Search name, tag, endpoint or event").fill("")
    expect(at_list.locator(ROW)).to_have_count(4)
    at_list.locator("h1").click()
    at_list.keyboard.press("x")
    expect(at_list.locator("tbody :checked")).to_have_count(4)
    at_list.keyboard.press("n")
    expect(at_list).to_have_url(re.compile(r"/new-job/$"))


def finish(run: Run) -> None:
    """Its attempt succeeded, as a worker would record it."""
    now = timezone.now()
    make_attempt(run, result={"status": 204}, started_at=now, created_at=now)
    Run.objects.filter(pk=run.pk).update(state="succeeded", attempts=1, finished_at=now)


def test_a_run_that_ends_moves_the_whole_page_without_a_reload(
    shop: Application, jobs: list[Job], alice_browser: Page
) -> None:
    now = timezone.now()
    run = make_run(jobs[0].runnable, State.RUNNING, number=7, started_at=now, created_at=now)
    page = alice_browser
    page.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    page.evaluate("window.loaded = 'once'")
    expect(page.locator("#state")).to_have_text("running")
    expect(page.locator("#waiting").get_by_role("link", name="7")).to_be_visible()
    finish(run)
    expect(page.locator("#state")).to_have_text("enabled")
    expect(page.locator("#results").get_by_text("204 No Content")).to_be_visible()
    expect(page.locator("#story").get_by_text("1 succeeded since")).to_be_visible()
    expect(page.locator("#waiting")).to_contain_text("Nothing waits or runs.")
    assert page.evaluate("window.loaded") == "once"


def test_a_run_that_begins_is_seen_without_a_reload(shop: Application, jobs: list[Job], alice_browser: Page) -> None:
    alice_browser.clock.install()
    alice_browser.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    expect(alice_browser.locator("#waiting")).to_contain_text("Nothing waits or runs.")
    make_run(jobs[0].runnable, State.RUNNING, number=8, started_at=timezone.now())
    alice_browser.clock.run_for(UPDATED_MS)
    expect(alice_browser.locator("#waiting").get_by_role("button", name="Abort run 8")).to_be_visible()
    expect(alice_browser.locator("#state")).to_have_text("running")


@pytest.mark.parametrize("state", [State.RUNNING, State.QUEUED])
@pytest.mark.parametrize("width", [390, 700, 1440])
def test_nothing_below_moves_when_a_run_begins_and_ends(
    shop: Application, jobs: list[Job], open_browser: Callable[..., Page], width: int, state: State
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), width=width)
    page.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    tops = [top_of_results(page)]
    now = timezone.now()
    run = make_run(jobs[0].runnable, state, number=7, started_at=now if state == State.RUNNING else None)
    page.reload()
    expect(page.locator("#waiting").get_by_role("link", name="7")).to_be_visible()
    tops.append(top_of_results(page))
    Run.objects.filter(pk=run.pk).delete()
    page.reload()
    tops.append(top_of_results(page))
    assert tops == [tops[0]] * 3


def top_of_results(page: Page) -> float:
    """Where they begin, below the top of what waits, in pixels."""
    tops: list[float] = page.evaluate("[waiting, results].map(part => part.getBoundingClientRect().top)")
    return round(tops[1] - tops[0], 1)


def test_a_page_of_a_job_stands_still_while_live_is_off(
    shop: Application, jobs: list[Job], alice_browser: Page
) -> None:
    page = alice_browser
    page.clock.install()
    page.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    page.get_by_role("button", name="Live").click()
    make_run(jobs[0].runnable, State.RUNNING, number=8, started_at=timezone.now())
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(UPDATED_MS)
    assert asked == []
    page.keyboard.press("p")
    page.clock.run_for(UPDATED_MS)
    expect(page.locator("#waiting").get_by_role("button", name="Abort run 8")).to_be_visible()


def test_a_job_is_run_paused_and_deleted_from_its_page(shop: Application, jobs: list[Job], alice_browser: Page) -> None:
    page = alice_browser
    page.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    page.keyboard.press("r")
    expect(page.get_by_text("Run 1 waits for a free slot.")).to_be_visible()
    page.get_by_role("link", name="Pause…").click()
    question = page.get_by_role("dialog")
    expect(question.get_by_label("Which day and time")).to_be_hidden()
    question.get_by_label("Until").select_option("a day and a time")
    expect(question.get_by_label("Which day and time")).to_be_visible()
    question.get_by_label("Until").select_option("in an hour")
    question.get_by_label("Why").fill("They move house.")
    question.get_by_role("button", name="Pause the job").click()
    expect(page.locator("#state")).to_have_text("paused")
    expect(page.locator("#pause")).to_contain_text("They move house.")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#state")).to_have_text("enabled")
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Delete…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Delete hourly-0?")).to_be_visible()
    dialog.get_by_role("link", name="Keep it").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the job").click()
    expect(page.get_by_text("hourly-0 is deleted")).to_be_visible()
    expect(page.locator(ROW)).to_have_count(3)


def test_the_call_is_copied_as_a_command(shop: Application, jobs: list[Job], alice_browser: Page) -> None:
    alice_browser.goto(reverse("jobs:job", args=[shop.slug, jobs[0].tag]))
    alice_browser.get_by_role("button", name="Copy as curl").click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_be_visible()
    assert alice_browser.evaluate("navigator.clipboard.readText()") == "curl -X POST https://example.com/"


def test_it_all_works_without_scripts(shop: Application, jobs: list[Job], open_browser: Callable[..., Page]) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=False)
    page.goto(reverse("jobs:list", args=[shop.slug]))
    page.get_by_label("Search name, tag, endpoint or event").fill("hourly")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(re.compile(r"/jobs/\?q=hourly$"))
    page.get_by_label("Select hourly-0").check()
    page.get_by_role("button", name="Pause…").click()
    page.get_by_role("button", name="Pause 1 job").click()
    expect(page.get_by_text("1 job is paused.")).to_be_visible()
    page.get_by_role("link", name="hourly-0", exact=True).click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed.")).to_be_visible()
    page.goto(reverse("jobs:delete", args=[shop.slug, "hourly-0"]))
    page.get_by_role("button", name="Delete the job").click()
    assert not Job.objects.filter(tag="hourly-0").exists()


@pytest.mark.parametrize("width", [390, 1440])
def test_neither_page_scrolls_sideways(
    shop: Application, jobs: list[Job], open_browser: Callable[..., Page], width: int
) -> None:
    long = make_job(shop, "x" * 200, name="y" * 200, endpoint=f"https://example.com/{'z' * 1000}", body="b" * 9000)
    now = timezone.now()
    for state in State:
        run = make_run(long.runnable, state, attempts=1, number=10**9, error="e" * 500, started_at=now)
        make_attempt(run, ok=False, error="e" * 500)
    Run.objects.update(finished_at=now + timedelta(hours=1))
    page = open_browser(User.objects.get(email="alice@example.com"), width=width)
    for address in (reverse("jobs:list", args=[shop.slug]), reverse("jobs:job", args=[shop.slug, long.tag])):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
    assert Attempt.objects.count() == len(State)
