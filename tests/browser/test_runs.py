"""The pages of runs as a person uses them: they move by themselves, stop when nothing moves, and are kept off keys."""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, Request, expect

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle, listing
from badgerjobs.runs.fleet import Identity
from badgerjobs.runs.models import Queue, Run, Runnable, State
from badgerjobs.workspaces.models import Application, User
from tests.factories import make_attempt, make_job, make_run
from tests.runs.claims import ended


@pytest.fixture
def runnable(shop: Application) -> Runnable:
    job = make_job(shop, "reprice", timezone.now(), endpoint="https://api.example.com/prices", body='{"all":true}')
    return job.runnable


@pytest.fixture
def quiet_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no worker to ring for."""
    monkeypatch.setattr("badgerjobs.runs.services.ring_after_commit", lambda _: None)


def made(runnable: Runnable, state: State, number: int = 1, **fields: object) -> Run:
    now = timezone.now()
    times = {"created_at": now, "due_at": now, "started_at": now}
    return make_run(runnable, state, number=number, **{**times, **fields})


def at(run: Run) -> str:
    return reverse("runs:run", args=[run.application.slug, run.pk])


def requests_of(page: Page) -> list[str]:
    """What the page asks for from now on. Its icon is none of it: the browser gets that when it has time."""
    asked: list[str] = []

    def listen(request: Request) -> None:
        if not request.url.endswith("/badger.svg"):
            asked.append(request.url)

    page.on("request", listen)
    return asked


def test_a_running_run_turns_succeeded_without_a_reload_and_is_asked_for_no_more(
    alice_browser: Page, runnable: Runnable
) -> None:
    worker = Identity(Queue.IO)
    run = made(runnable, State.RUNNING, worker=worker.id)
    alice_browser.goto(at(run))
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("running")
    alice_browser.evaluate("window.stays = true")
    lifecycle.finish([ended(run, result={"status": 200, "headers": {}, "body": '{"fine":true}'})], worker=worker.id)
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(alice_browser.locator("#response-body")).to_contain_text('"fine": true')
    expect(alice_browser.get_by_role("button", name="Replay")).to_be_visible()
    assert alice_browser.evaluate("window.stays")
    expect(alice_browser.locator("[hx-trigger]")).to_have_count(0)
    # An update of the list, which goes on, is what tells that time has passed.
    asked = requests_of(alice_browser)
    other = alice_browser.context.new_page()
    with other.expect_response(lambda answer: "seen=" in answer.url, timeout=8_000):
        other.goto(reverse("runs:list", args=[run.application.slug]))
    assert asked == []


def test_a_slow_run_is_aborted(alice_browser: Page, runnable: Runnable, quiet_bell: None) -> None:
    run = made(runnable, State.RUNNING)
    alice_browser.goto(at(run))
    alice_browser.get_by_role("button", name="Abort").click()
    expect(alice_browser.get_by_text("Aborted reprice 1.")).to_be_visible()
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("aborted")


def test_replay_leads_to_the_new_run_that_names_the_old(
    alice_browser: Page, runnable: Runnable, quiet_bell: None
) -> None:
    Runnable.objects.update(runs_made=1)
    old = made(runnable, State.FAILED, error="No.")
    alice_browser.goto(at(old))
    alice_browser.keyboard.press("e")
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("Run 2")
    alice_browser.get_by_role("link", name="run 1").click()
    expect(alice_browser.get_by_role("link", name="run 2")).to_be_visible()


def test_hostile_answers_are_text(alice_browser: Page, runnable: Runnable) -> None:
    body = '</pre><script>document.title="owned"</script><img src=x onerror="document.title=1">'
    run = made(runnable, State.FAILED, attempts=1, error=body)
    make_attempt(run, ok=False, error_class="status", error=body, result={"status": 500, "headers": {}, "body": body})
    alice_browser.goto(at(run))
    expect(alice_browser.locator("#response-body")).to_have_text(body)
    expect(alice_browser).to_have_title("Run 1 of reprice · shop · Badger Jobs")
    assert alice_browser.locator("main img, main script").count() == 0


def test_j_and_k_go_to_the_older_and_the_newer_run(alice_browser: Page, runnable: Runnable) -> None:
    runs = [made(runnable, State.SUCCEEDED, number) for number in (1, 2, 3)]
    alice_browser.goto(at(runs[1]))
    alice_browser.keyboard.press("j")
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("Run 1")
    alice_browser.keyboard.press("k")
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("Run 2")
    alice_browser.keyboard.press("k")
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("Run 3")


def test_whoever_has_the_keyboard_on_a_link_sees_the_run_end_and_keeps_it(
    alice_browser: Page, runnable: Runnable
) -> None:
    worker = Identity(Queue.IO)
    made(runnable, State.SUCCEEDED, 1)
    run = made(runnable, State.RUNNING, 2, worker=worker.id)
    alice_browser.goto(at(run))
    alice_browser.locator("#older").evaluate("link => link.focus({focusVisible: true})")
    lifecycle.finish([ended(run, result={"status": 200, "headers": {}, "body": ""})], worker=worker.id)
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(alice_browser.locator("#older")).to_be_focused()


def test_the_page_of_a_run_stands_still_while_text_of_it_is_marked(alice_browser: Page, runnable: Runnable) -> None:
    worker = Identity(Queue.IO)
    run = made(runnable, State.RUNNING, worker=worker.id)
    alice_browser.clock.install()
    alice_browser.goto(at(run))
    alice_browser.evaluate("getSelection().selectAllChildren(document.querySelector('#verdict'))")
    lifecycle.finish([ended(run, result={"status": 200, "headers": {}, "body": ""})], worker=worker.id)
    asked = requests_of(alice_browser)
    alice_browser.clock.run_for(5_000)
    assert asked == []
    alice_browser.evaluate("getSelection().removeAllRanges()")
    alice_browser.clock.run_for(1_100)
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("succeeded")


def test_p_stops_the_page_of_a_run_until_it_is_pressed_again(alice_browser: Page, runnable: Runnable) -> None:
    worker = Identity(Queue.IO)
    run = made(runnable, State.RUNNING, worker=worker.id)
    alice_browser.clock.install()
    alice_browser.goto(at(run))
    alice_browser.keyboard.press("p")
    expect(alice_browser.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    lifecycle.finish([ended(run, result={"status": 200, "headers": {}, "body": ""})], worker=worker.id)
    asked = requests_of(alice_browser)
    alice_browser.clock.run_for(5_000)
    assert asked == []
    alice_browser.keyboard.press("p")
    alice_browser.clock.run_for(1_100)
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("succeeded")
    expect(alice_browser.get_by_role("button", name="Live")).to_have_count(0)


def test_j_and_k_turn_the_pages_of_the_list(
    alice_browser: Page, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    for number in (1, 2):
        made(runnable, State.SUCCEEDED, number)
    alice_browser.goto(reverse("runs:list", args=[runnable.application.slug]))
    expect(alice_browser.get_by_role("link", name="reprice 2")).to_be_visible()
    alice_browser.keyboard.press("j")
    expect(alice_browser.get_by_role("link", name="reprice 1")).to_be_visible()
    alice_browser.keyboard.press("k")
    expect(alice_browser.get_by_role("link", name="reprice 2")).to_be_visible()


def test_choosing_an_attempt_shows_what_it_answered(alice_browser: Page, runnable: Runnable) -> None:
    run = made(runnable, State.FAILED, attempts=2)
    for number in (1, 2):
        result = {"status": 500, "headers": {}, "body": f"try {number}"}
        make_attempt(run, number, ok=False, error="No.", result=result, started_at=timezone.now())
    alice_browser.goto(at(run))
    expect(alice_browser.locator("#response-body")).to_have_text("try 2")
    alice_browser.locator("#attempts").get_by_role("link", name="1", exact=True).click()
    expect(alice_browser.locator("#response-body")).to_have_text("try 1")


def test_the_command_is_copied(alice_browser: Page, runnable: Runnable) -> None:
    alice_browser.goto(at(made(runnable, State.SUCCEEDED)))
    alice_browser.get_by_role("button", name="Copy as curl").click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_be_visible()
    copied = alice_browser.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -X POST https://api.example.com/prices")


def test_on_paper_there_is_no_side_and_nothing_to_press(alice_browser: Page, runnable: Runnable) -> None:
    run = made(runnable, State.FAILED, attempts=1, error="No.")
    make_attempt(run, ok=False, error="No.", result={"status": 500, "headers": {}, "body": "x" * 5000})
    alice_browser.goto(at(run))
    alice_browser.get_by_role("button", name="Replay").click()
    expect(alice_browser.get_by_text("replays run")).to_be_visible()
    alice_browser.emulate_media(media="print")
    expect(alice_browser.get_by_text("replays run")).to_be_hidden()
    alice_browser.goto(at(run))
    alice_browser.emulate_media(media="print", color_scheme="dark")
    for gone in (".side", ".actions", "#older"):
        assert not any(element.is_visible() for element in alice_browser.locator(gone).all())
    expect(alice_browser.locator("#verdict")).to_be_visible()
    ink, ground = alice_browser.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert _lightness(ink) < 0.4
    assert _lightness(ground) > 0.9
    assert alice_browser.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert alice_browser.locator("#exchange pre").last.evaluate("e => e.scrollHeight <= e.clientHeight + 1")


def _lightness(color: str) -> float:
    """Of `oklch(0.21 …)` as browsers compute it."""
    return float(color.partition("(")[2].split()[0])


def test_the_list_follows_what_happens_and_keeps_ticks(alice_browser: Page, runnable: Runnable) -> None:
    first = made(runnable, State.QUEUED, 1)
    alice_browser.goto(reverse("runs:list", args=[first.application.slug]))
    made(runnable, State.QUEUED, 2)
    expect(alice_browser.get_by_role("link", name="reprice 2")).to_be_visible()
    alice_browser.get_by_label("Select reprice 1").check()
    expect(alice_browser.get_by_role("toolbar")).to_be_visible()
    alice_browser.get_by_role("button", name="Abort…").click()
    expect(alice_browser.get_by_role("heading", name="Abort 1 run?")).to_be_visible()
    alice_browser.get_by_role("button", name="Abort 1 run").click()
    expect(alice_browser.get_by_text("Aborted 1 run.")).to_be_visible()
    first.refresh_from_db()
    assert first.state == "aborted"


def test_filters_are_the_address_and_a_reload_shows_the_same(alice_browser: Page, runnable: Runnable) -> None:
    made(runnable, State.FAILED, 1)
    made(runnable, State.SUCCEEDED, 2)
    page = alice_browser
    page.goto(reverse("runs:list", args=[runnable.application.slug]))
    page.get_by_role("group", name="State").get_by_text("failed").click()
    expect(page.get_by_role("link", name="reprice 2")).to_have_count(0)
    page.keyboard.press("/")
    page.keyboard.type("reprice")
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == {"name": ["reprice"], "state": ["failed"]})
    page.reload()
    expect(page.get_by_role("link", name="reprice 1")).to_be_visible()
    expect(page.get_by_role("checkbox", name="failed")).to_be_checked()
    page.get_by_label("Remove the filter state: failed").click()
    expect(page.get_by_role("link", name="reprice 2")).to_be_visible()


def test_all_that_match_are_asked_about_in_a_dialog(alice_browser: Page, runnable: Runnable, quiet_bell: None) -> None:
    for number in (1, 2, 3):
        made(runnable, State.FAILED, number)
    alice_browser.goto(reverse("runs:list", args=[runnable.application.slug]))
    alice_browser.get_by_role("link", name="Replay all that failed…").click()
    dialog = alice_browser.get_by_role("dialog")
    expect(dialog).to_contain_text("Replay 3 runs?")
    dialog.get_by_role("button", name="Replay 3 runs").click()
    expect(alice_browser.get_by_text("Replayed 3 runs.")).to_be_visible()
    assert Run.objects.filter(cause="replay").count() == 3


def test_it_works_without_scripts(
    shop: Application, runnable: Runnable, open_browser: Callable[..., Page], quiet_bell: None
) -> None:
    made(runnable, State.SUCCEEDED, 1)
    made(runnable, State.FAILED, 2, created_at=timezone.now() - timedelta(hours=1), id=uuid7())
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=False, width=390)
    page.goto(reverse("runs:list", args=[shop.slug]))
    page.get_by_role("group", name="State").get_by_text("failed").click()
    page.get_by_role("button", name="Filter").click()
    assert urlsplit(page.url).query == "state=failed"
    page.get_by_role("link", name="reprice 2").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("replays run 2.")).to_be_visible()
