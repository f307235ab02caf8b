"""A job made, changed and tried out in its form, by mouse and keyboard, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Dialog, Page, expect
from pytest_django.live_server_helper import LiveServer

from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.browser.test_every_page import faults
from tests.factories import make_job

SECRET = "Bearer very-secret"


def new(shop: Application) -> str:
    return reverse("jobs:new", args=[shop.slug])


def edit(job: Job) -> str:
    return reverse("jobs:edit", args=[job.application.slug, job.tag])


def fill_call(page: Page, name: str = "refresh", endpoint: str = "https://example.com/") -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Endpoint").fill(endpoint)


def choose(page: Page, when: str) -> None:
    page.get_by_role("radiogroup", name="When", exact=True).get_by_text(when, exact=True).click()


def save(page: Page) -> None:
    page.get_by_role("button", name="Create the job").click()


def at_a_time(page: Page) -> None:
    choose(page, "At a time")
    page.get_by_label("At", exact=True).fill("2030-01-02T08:30:00")


def every(page: Page) -> None:
    choose(page, "Every")
    page.get_by_label("Every", exact=True).last.fill("2")
    page.get_by_label("Unit").select_option("hours")


def every_so_often(page: Page) -> None:
    choose(page, "Every")
    page.get_by_label("Unit").select_option("iso")
    page.get_by_label("Duration").fill("P1DT12H")


def by_cron(page: Page) -> None:
    choose(page, "Cron")
    page.get_by_label("Cron", exact=True).last.fill("0 8 * * 1-5")


def by_preset(page: Page) -> None:
    choose(page, "Preset")
    page.get_by_label("Preset", exact=True).last.select_option("daily")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize(
    ("chosen", "schedule"),
    [
        (lambda page: choose(page, "By hand"), "by hand only"),
        (at_a_time, "once, at 2030-01-02 08:30 Europe/Zurich"),
        (every, "every 2 hours"),
        (every_so_often, "every 1 day and 12 hours"),
        (by_cron, "At 08:00 on Monday through Friday, Europe/Zurich"),
        (by_preset, "daily at 08:00 EST (13:00 UTC)"),
    ],
    ids=["by hand", "at a time", "every", "every so often", "cron", "preset"],
)
def test_a_job_is_made_with_each_kind_of_schedule(
    shop: Application,
    live_server: LiveServer,
    open_browser: Callable[..., Page],
    chosen: Callable[[Page], None],
    schedule: str,
    *,
    scripts: bool,
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.context.add_cookies([{"name": "zone", "value": "Europe/Zurich", "url": live_server.url}])
    page.goto(new(shop))
    fill_call(page)
    chosen(page)
    save(page)
    expect(page.get_by_text("refresh is saved.")).to_be_visible()
    assert Job.objects.get().runnable.schedule.words().startswith(schedule)


def test_a_preview_follows_what_is_typed_without_a_reload(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(new(shop))
    fill_call(alice_browser, name="still here")
    by_cron(alice_browser)
    shown = alice_browser.locator("#preview")
    expect(shown.get_by_role("heading")).to_contain_text("At 08:00 on Monday through Friday")
    expect(shown.locator("tbody tr:not(.shift)")).to_have_count(5)
    zone = alice_browser.get_by_label("Time zone")
    zone.fill("America/New_York")
    expect(shown.get_by_role("columnheader").nth(1)).to_have_text("New York")
    zone.fill("Nowhere/Land")
    expect(shown.locator(".error")).to_contain_text("is not a time zone")
    expect(alice_browser.get_by_label("Name", exact=True)).to_have_value("still here")


def test_errors_stand_beside_their_fields_and_what_they_offer_fills_them(
    shop: Application, alice_browser: Page
) -> None:
    alice_browser.goto(new(shop))
    fill_call(alice_browser, endpoint="example.com/a?b=c")
    alice_browser.get_by_label("Name of header 1").fill("X Shop")
    alice_browser.get_by_label("Value of header 1").fill("prod")
    alice_browser.get_by_label("Body").fill("typed with care")
    save(alice_browser)
    notice = alice_browser.get_by_role("alert")
    expect(notice).to_contain_text("Nothing is saved yet: 2 fields need a change.")
    notice.get_by_role("link", name="Endpoint").click()
    expect(alice_browser.get_by_label("Body")).to_have_value("typed with care")
    alice_browser.get_by_role("button", name="https://example.com/a?b=c").click()
    expect(alice_browser.get_by_label("Endpoint")).to_have_value("https://example.com/a?b=c")
    alice_browser.get_by_role("button", name="X-Shop").click()
    save(alice_browser)
    expect(alice_browser.get_by_text("refresh is saved.")).to_be_visible()
    job = Job.objects.get()
    assert (job.headers, job.body, job.endpoint) == ({"X-Shop": "prod"}, "typed with care", "https://example.com/a?b=c")


def test_rows_of_headers_come_and_go(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(new(shop))
    fill_call(alice_browser)
    for number, name in enumerate(("X-A", "X-B", "X-C"), start=1):
        if number > 1:
            alice_browser.get_by_role("button", name="Add a header").click()
        expect(alice_browser.get_by_label(f"Name of header {number}")).to_be_visible()
        alice_browser.get_by_label(f"Name of header {number}").fill(name)
        alice_browser.get_by_label(f"Value of header {number}").fill(str(number))
    alice_browser.get_by_role("button", name="Remove header 2").click()
    expect(alice_browser.get_by_label("Name of header 2")).to_be_focused()
    save(alice_browser)
    expect(alice_browser.get_by_text("refresh is saved.")).to_be_visible()
    assert Job.objects.get().headers == {"X-A": "1", "X-C": "3"}


def test_a_body_of_json_offers_its_type(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(new(shop))
    fill_call(alice_browser)
    offer = alice_browser.get_by_role("button", name="add Content-Type: application/json")
    expect(offer).to_be_hidden()
    alice_browser.get_by_label("Body").fill('{"ä": 1}')
    expect(alice_browser.get_by_text("9 bytes of 1.0 MB")).to_be_visible()
    offer.click()
    expect(offer).to_be_hidden()
    save(alice_browser)
    expect(alice_browser.get_by_text("refresh is saved.")).to_be_visible()
    assert Job.objects.get().headers == {"Content-Type": "application/json"}


def test_an_edit_keeps_a_masked_secret(shop: Application, alice_browser: Page) -> None:
    job = make_job(shop, headers={"Authorization": SECRET})
    alice_browser.goto(edit(job))
    expect(alice_browser.get_by_label("Value of header 1")).to_have_value("********")
    alice_browser.get_by_label("Name", exact=True).fill("New name")
    alice_browser.get_by_label("Name", exact=True).press("Control+Enter")
    expect(alice_browser.get_by_text("New name is saved.")).to_be_visible()
    job.refresh_from_db()
    assert (job.name, job.headers) == ("New name", {"Authorization": SECRET})


def test_without_scripts_rows_and_previews_are_the_servers(
    shop: Application, open_browser: Callable[..., Page]
) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=False)
    page.goto(new(shop))
    fill_call(page)
    by_cron(page)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#preview")).to_contain_text("At 08:00 on Monday through Friday")
    page.get_by_role("button", name="Add a header").click()
    expect(page.get_by_label("Name of header 2")).to_be_focused()
    page.get_by_label("Name of header 2").fill("X-A")
    page.get_by_role("button", name="Remove header 1").click()
    expect(page.get_by_label("Name of header 1")).to_have_value("X-A")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_text("refresh is saved.")).to_be_visible()
    assert Job.objects.get().headers == {"X-A": ""}


def test_t_calls_what_the_form_says_and_leaves_it_alone(
    shop: Application, alice_browser: Page, live_server: LiveServer, settings: Any
) -> None:
    settings.EGRESS_ALLOW = [live_server.url.removeprefix("http://")]
    alice_browser.goto(new(shop))
    fill_call(alice_browser, endpoint=f"{live_server.url}/echo/tried")
    alice_browser.get_by_role("heading", name="New job").click()
    alice_browser.keyboard.press("t")
    answer = alice_browser.locator("#test")
    expect(answer.locator(".state")).to_have_text("200")
    expect(answer.locator("pre")).to_contain_text('"path": "/echo/tried"')
    expect(alice_browser.get_by_label("Name", exact=True)).to_have_value("refresh")
    alice_browser.get_by_label("Endpoint").fill("example.com")
    alice_browser.get_by_role("button", name="Call it now").click()
    expect(answer).to_contain_text("Nothing was called.")
    assert not Job.objects.exists()


def test_leaving_asks_only_when_something_was_changed(shop: Application, alice_browser: Page) -> None:
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    alice_browser.on("dialog", leave)
    home = reverse("jobs:list", args=[shop.slug])
    alice_browser.goto(new(shop))
    alice_browser.goto(home)
    assert asked == []
    alice_browser.goto(new(shop))
    fill_call(alice_browser)
    alice_browser.goto(home)
    assert asked == ["beforeunload"]
    alice_browser.goto(new(shop))
    fill_call(alice_browser)
    alice_browser.get_by_role("link", name="Discard").click()
    expect(alice_browser).to_have_url(home)
    assert asked == ["beforeunload"]


def test_errors_an_answer_and_the_longest_words_are_for_everybody(
    shop: Application, alice_browser: Page, live_server: LiveServer, settings: Any
) -> None:
    settings.EGRESS_ALLOW = [live_server.url.removeprefix("http://")]
    job = make_job(shop, "t" * 200, name="n" * 200, endpoint=f"https://example.com/{'x' * 500}", cron="0 8 * * *")
    alice_browser.goto(edit(job))
    assert faults(alice_browser) == []
    fill_call(alice_browser, endpoint=f"example.com/{'x' * 500}")
    alice_browser.get_by_label("Name of header 1").fill("X Shop")
    alice_browser.get_by_role("button", name="Save").last.click()
    alice_browser.get_by_role("alert").wait_for()
    assert faults(alice_browser) == []
    fill_call(alice_browser, endpoint=f"{live_server.url}/echo/{'x' * 500}")
    alice_browser.get_by_label("Name of header 1").fill("X-Shop")
    alice_browser.get_by_role("button", name="Call it now").click()
    expect(alice_browser.locator("#test .state")).to_have_text("200")
    alice_browser.get_by_text("headers", exact=False).last.click()
    assert faults(alice_browser) == []


def test_saving_twice_makes_one_job(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(new(shop))
    fill_call(alice_browser)
    alice_browser.get_by_role("button", name="Create the job").dblclick()
    expect(alice_browser.get_by_text("refresh is saved.")).to_be_visible()
    assert Job.objects.count() == 1


FAILS = """() => {
  const target = document.querySelector("#test");
  const requestConfig = { elt: target, triggeringEvent: new Event("click") };
  const detail = { target, requestConfig, xhr: { status: 503 } };
  target.dispatchEvent(new CustomEvent("htmx:responseError", { bubbles: true, detail }));
}"""


def test_a_part_that_does_not_come_says_so(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(new(shop))
    alice_browser.evaluate(FAILS)  # as htmx does, which writes to the console as well
    expect(alice_browser.locator("#test")).to_contain_text("The server answered 503. Nothing that you typed is lost")
