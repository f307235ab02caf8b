"""Deliveries and transforms in a real browser: watched as they come, replayed, and a draft tried beside them."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, User
from tests.browser.test_every_page import faults
from tests.browser.test_tasks import type_code
from tests.factories import NOW, make_delivery, make_hook
from webhooks.models import Example, Hook
from webhooks.services import update_hook

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
TAKES_ID = "return {variables: {ID: body.id}}"


@pytest.fixture
def hook(shop: Application) -> Hook:
    return update_hook(hook=make_hook(shop, "orders", name="Orders"), by=OPERATOR, now=NOW, transform=TAKES_ID)


def at(shop: Application, name: str = "deliveries", *args: object) -> str:
    return reverse(f"webhooks:{name}", args=[shop.slug, *args])


def browser(open_browser: Callable[..., Page], scripts: bool = True) -> Page:
    return open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)


def test_deliveries_appear_as_they_come_and_nothing_moves_while_one_is_ticked(
    shop: Application, hook: Hook, alice_browser: Page
) -> None:
    first = make_delivery(hook)
    alice_browser.goto(at(shop))
    second = make_delivery(hook)
    expect(alice_browser.locator(f"#delivery-{second.pk}")).to_be_visible()
    box = alice_browser.locator(f"#pick-{first.pk}")
    box.check()
    make_delivery(hook)
    with alice_browser.expect_response(lambda answer: "seen=" in answer.url):
        box.uncheck()
    expect(alice_browser.locator("tbody tr")).to_have_count(3)


def test_the_span_of_time_stands_in_one_line(shop: Application, hook: Hook, alice_browser: Page) -> None:
    make_delivery(hook)
    alice_browser.goto(at(shop))
    since, until = (alice_browser.locator(f"#{name}").bounding_box() for name in ("since", "until"))
    assert since
    assert until
    assert since["y"] == until["y"]


def test_a_filter_narrows_the_list_and_is_its_address(shop: Application, hook: Hook, alice_browser: Page) -> None:
    make_delivery(hook, State.SUCCEEDED)
    failed = make_delivery(hook, State.FAILED)
    alice_browser.goto(at(shop))
    alice_browser.get_by_label("State").select_option("dead")
    expect(alice_browser.locator("tbody tr")).to_have_count(1)
    expect(alice_browser).to_have_url(re.compile(r"\?state=dead$"))
    expect(alice_browser.locator(f"#delivery-{failed.pk}")).to_be_visible()


@BOTH
def test_dead_letters_are_replayed_all_at_once(
    shop: Application, hook: Hook, open_browser: Callable[..., Page], scripts: bool
) -> None:
    for _ in range(3):
        make_delivery(hook, State.FAILED)
    page = browser(open_browser, scripts)
    page.goto(at(shop, "dead-letters"))
    page.get_by_role("link", name="Replay all dead letters…").click()
    page.get_by_role("button", name="Replay 3 deliveries").click()
    expect(page.get_by_text("Replayed 3 deliveries.")).to_be_visible()
    expect(page.get_by_role("heading", name="No dead letters")).to_be_visible()
    assert Run.objects.filter(cause="replay").count() == 3


@BOTH
def test_the_ticked_ones_are_replayed(
    shop: Application, hook: Hook, open_browser: Callable[..., Page], scripts: bool
) -> None:
    done, _ = make_delivery(hook, State.SUCCEEDED), make_delivery(hook, State.FAILED)
    page = browser(open_browser, scripts)
    page.goto(at(shop))
    page.locator(f"#pick-{done.pk}").check()
    page.get_by_role("button", name="Replay…").click()
    page.get_by_role("button", name="Replay 1 delivery").click()
    expect(page.get_by_text("Replayed 1 delivery.")).to_be_visible()
    assert Run.objects.get(cause="replay").replay_of == done.run_id


def test_the_page_of_a_delivery_tells_when_it_is_done(shop: Application, hook: Hook, alice_browser: Page) -> None:
    delivery = make_delivery(hook, State.RUNNING)
    alice_browser.goto(at(shop, "delivery", delivery.pk))
    expect(alice_browser.locator("#verdict")).to_contain_text("It is being worked on.")
    Run.objects.filter(pk=delivery.pk).update(state=State.SUCCEEDED, output={"variables": {"ID": "7"}})
    expect(alice_browser.locator("#variables")).to_contain_text('"ID": "7"')
    expect(alice_browser.locator("#story")).not_to_have_attribute("hx-trigger", "every 1s")


@BOTH
def test_what_came_is_kept_as_an_example_and_a_draft_is_tried_on_it(
    shop: Application, hook: Hook, open_browser: Callable[..., Page], scripts: bool
) -> None:
    delivery = make_delivery(hook, State.SUCCEEDED, body=b'{"id": 7}')
    page = browser(open_browser, scripts)
    page.goto(at(shop, "delivery", delivery.pk))
    page.get_by_role("link", name="Save as example…").click()
    page.get_by_label("What it is called").fill("order paid")
    page.get_by_role("button", name="Save the example").click()
    expect(page.locator("#payload-choice")).to_have_value("example:order paid")
    type_code(page, "transform", "return {variables: {ID: body.id + 1}}")
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("#output")).to_contain_text('"ID": "8"')
    page.get_by_role("button", name="Compare on what came").click()
    expect(page.locator("#differences .added").first).to_contain_text('"ID": "8"')
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("The transform is saved.")).to_be_visible()
    assert Hook.objects.get().transform_version == 2


@BOTH
def test_another_payload_is_opened_and_the_draft_stays(
    shop: Application, hook: Hook, open_browser: Callable[..., Page], scripts: bool
) -> None:
    for name in ("a", "b"):
        Example.objects.create(hook=hook, name=name, body=f'"{name}"')
    page = browser(open_browser, scripts)
    page.goto(at(shop, "transform", hook.tag))
    type_code(page, "transform", "return null // draft")
    page.locator("#payload-choice").select_option("example:b")
    if not scripts:
        page.get_by_role("button", name="Open", exact=True).click()
    expect(page.locator("textarea[name=example_body]")).to_have_value('"b"')
    expect(page.locator("textarea[name=transform]")).to_have_value("return null // draft")


def test_a_draft_that_breaks_an_example_is_saved_when_somebody_means_it(
    shop: Application, hook: Hook, alice_browser: Page
) -> None:
    Example.objects.create(hook=hook, name="paid", body='{"id": 7}', expected={"variables": {"ID": 7}})
    alice_browser.goto(at(shop, "transform", hook.tag))
    type_code(alice_browser, "transform", "return null")
    alice_browser.get_by_role("button", name="Save", exact=True).last.click()
    expect(alice_browser.get_by_text("1 example fails with this draft")).to_be_visible()
    assert not faults(alice_browser)
    alice_browser.get_by_role("button", name="Save it all the same").click()
    expect(alice_browser.get_by_text("The transform is saved.")).to_be_visible()
