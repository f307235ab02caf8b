"""Events and connections made, tried, changed and deleted in a real browser, with scripts and without."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application, User
from jobs.events.looks import LOOKS
from jobs.events.types import EVENT_TYPES
from jobs.models import Event
from tests.browser.test_every_page import faults
from tests.factories import make_connection, make_event, make_job


def new(shop: Application, kind: str, what: str = "event") -> str:
    return f"{reverse(f'jobs:new-{what}', args=[shop.slug])}?type={kind}"


def type_code(page: Page, name: str, text: str) -> None:
    """Into the textarea, whatever has taken hold of it: as its form will send it."""
    page.locator(f"textarea[name={name}]").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }", text
    )


def test_an_event_is_made_tried_and_deleted(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(reverse("jobs:events", args=[shop.slug]))
    page.get_by_role("link", name="Make the first event").click()
    page.get_by_role("link", name="Database action").click()
    expect(page.get_by_text("There is none yet that fits.")).to_be_visible()
    page.get_by_role("link", name="New event").click()
    page.get_by_role("link", name="Notification").click()
    expect(page.get_by_label("Subject")).to_be_visible()
    page.get_by_role("radiogroup", name="By").get_by_text("Webhook").click()
    expect(page.get_by_label("Subject")).to_be_hidden()
    expect(page.get_by_label("Connection", exact=True)).to_be_hidden()
    page.get_by_label("Name", exact=True).fill("low-stock")
    page.get_by_label("URL").fill("example.com")
    page.get_by_role("button", name="Create the event").click()
    expect(page.get_by_text("Nothing is saved yet: 1 field needs a change.")).to_be_visible()
    page.get_by_label("URL").fill("https://10.0.0.1/")
    page.get_by_role("button", name="Try it now").click()
    expect(page.locator("#tried .error")).to_contain_text("10.0.0.1")
    page.get_by_role("button", name="Create the event").click()
    expect(page.get_by_role("heading", name="low-stock")).to_be_visible()
    expect(page.get_by_text("No job performs it yet.")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the event").click()
    expect(page.get_by_text("low-stock is deleted.")).to_be_visible()
    assert not Event.objects.exists()


def test_an_event_that_jobs_perform_is_kept_and_they_are_named(shop: Application, alice_browser: Page) -> None:
    make_job(shop, "nightly", event=make_event(shop, "sum"), endpoint="", verb="")
    alice_browser.goto(reverse("jobs:event", args=[shop.slug, "sum"]))
    alice_browser.get_by_role("link", name="Delete").click()
    expect(alice_browser.get_by_text("The event is performed by the job “nightly”.").first).to_be_visible()
    expect(alice_browser.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_function_is_tried_with_a_sample(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> None:
    make_event(shop, "sum", configuration={"code": "console.log('hello'); return {sum: input.a + 1}"})
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(reverse("jobs:event", args=[shop.slug, "sum"]))
    if scripts:
        type_code(page, "sample", '{"a": 41}')
    else:
        page.get_by_label("Sample input").fill('{"a": 41}')
    page.get_by_role("button", name="Try it now").click()
    expect(page.get_by_label("What it returned")).to_contain_text("42")
    expect(page.get_by_role("list", name="Console")).to_contain_text("hello")
    assert not (scripts and faults(page))


def test_a_form_works_without_scripts(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=False)
    page.goto(new(shop, "FUNCTION"))
    page.get_by_label("Name", exact=True).fill("sum")
    page.get_by_label("Code").fill("return input.a")
    page.get_by_label("Sample input").fill('{"a": "from the sample"}')
    page.get_by_role("button", name="Try it now").click()
    expect(page.get_by_label("What it returned")).to_contain_text("from the sample")
    expect(page.get_by_label("Code")).to_have_value("return input.a")
    page.get_by_role("button", name="Create the event").click()
    expect(page.get_by_text("sum is saved.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_message_is_offered_the_brokers_that_have_its_place(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    for tag, protocol in (("rabbit", "amqp"), ("streams", "redis"), ("lists", "redis")):
        make_connection(shop, tag, type="BROKER", configuration={"protocol": protocol, "host": "mq.example.com"})
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)
    page.goto(new(shop, "MESSAGEBROKER"))
    offered = "all => all.filter(one => one.value && getComputedStyle(one).display !== 'none').map(one => one.value)"
    for place, tags in (("Queue", ["rabbit"]), ("Stream", ["lists", "streams"]), ("Exchange", ["rabbit"])):
        page.get_by_role("radiogroup", name="To").get_by_text(place).click()
        assert page.locator("#connection option").evaluate_all(offered) == tags


def test_the_names_of_the_types_are_not_broken_where_it_is_narrow(shop: Application, alice_browser: Page) -> None:
    alice_browser.set_viewport_size({"width": 390, "height": 800})
    alice_browser.goto(reverse("jobs:new-event", args=[shop.slug]))
    for name in ("Action", "Notification", "Function"):
        lines = alice_browser.get_by_role("link", name=name, exact=True).evaluate("e => e.getClientRects().length")
        assert lines == 1, name


def test_the_list_is_narrowed_as_one_types(shop: Application, alice_browser: Page) -> None:
    make_event(shop, "sum")
    make_event(shop, "call", type="ACTION", configuration={"endpoint": "https://example.com/"})
    page = alice_browser
    page.goto(reverse("jobs:events", args=[shop.slug]))
    page.get_by_label("Type", exact=True).select_option("function")
    expect(page.get_by_role("link", name="call", exact=True)).to_have_count(0)
    expect(page).to_have_url(f"{page.url.partition('?')[0]}?type=FUNCTION")
    page.get_by_role("searchbox").fill("nothing")
    expect(page.get_by_role("heading", name="No event matches")).to_be_visible()
    page.get_by_role("link", name="Remove all filters").click()
    expect(page.get_by_role("link", name="call", exact=True)).to_be_visible()


@pytest.mark.parametrize("kind", list(LOOKS))
def test_the_form_of_each_type_is_for_everybody(shop: Application, alice_browser: Page, kind: str) -> None:
    make_connection(shop, "db")
    what = "event" if kind in EVENT_TYPES else "connection"
    alice_browser.goto(new(shop, kind, what))
    alice_browser.get_by_role("button", name=f"Create the {what}").click()
    alice_browser.wait_for_load_state()
    for more in alice_browser.locator("details.more summary").all():
        more.click()
    found = faults(alice_browser)
    assert not found, "\n".join(found)
