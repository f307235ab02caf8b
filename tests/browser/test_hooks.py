"""Hooks made, changed and watched in a real browser, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application, User
from tests.browser.test_every_page import faults
from tests.chromium import PATIENCE_MS
from tests.factories import (
    make_async_job,
    make_delivery,
    make_event,
    make_hook,
    make_job,
    make_key,
    make_source,
    make_task,
)
from tests.tasks.background.defined import define
from webhooks.actions import ACTIONS, action_of
from webhooks.looks import action_fields
from webhooks.models import Hook, Standing

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def at(shop: Application, name: str = "list", *args: str) -> str:
    return reverse(f"webhooks:{name}", args=[shop.slug, *args])


def browser(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> Page:
    return open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)


@BOTH
def test_a_hook_is_made_with_an_action_and_a_secret(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    make_job(shop, "report")
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop))
    page.get_by_role("link", name="Make the first webhook").click()
    page.get_by_label("Name", exact=True).fill("orders")
    page.get_by_role("button", name="Add an action").click()
    page.get_by_label("What action 1 does").select_option("job")
    page.get_by_label("Job of action 1", exact=True).fill("report")
    page.get_by_label("Verification").select_option("github")
    page.locator("#github_secret").fill("it is a secret")
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_text("orders is saved.")).to_be_visible()
    expect(page.locator("#url")).to_contain_text("/hooks/")
    expect(page.get_by_text("Verified by GitHub, then 1 action.")).to_be_visible()
    hook = Hook.objects.get()
    assert hook.actions == [{"name": "report", "type": "job", "job": "report", "input": "nothing"}]
    assert hook.settings == {"secret": "it is a secret"}


def _make_target(shop: Application, kind: str) -> str:
    """Something that an action of this type may act upon, and what that is called."""
    made: dict[str, Callable[..., Any]] = {"sync": make_task, "event": make_event, "async_job": make_async_job}
    if kind in made:
        made[kind](shop, "prices")
        return "prices"
    if kind == "job":  # one that takes an input
        make_job(shop, "prices", event=make_event(shop), endpoint="", verb="")
        return "prices"
    if kind == "background_task":
        define()
        return "syncArticles"
    assert kind == "value", f"{kind} is new: say here what it acts upon"
    return make_key(make_source(shop), "product-7").name


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("kind", ACTIONS)
@BOTH
def test_an_action_of_every_type_is_seen_saved_and_comes_back(
    shop: Application, open_browser: Callable[..., Page], scripts: bool, kind: str
) -> None:
    named = _make_target(shop, kind)
    its = action_of(kind).field
    label = f"{action_fields(kind)[its][1].label} of action 1"
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("orders")
    page.get_by_role("button", name="Add an action").click()
    page.get_by_label("What action 1 does").select_option(kind)
    target = page.get_by_label(label, exact=True)
    target.fill(named)
    given = page.locator(f'.act [name="action_{kind}_input"]')
    for select in given.all():
        select.select_option("body")
    seen = page.locator(".act > .only:visible").evaluate_all("all => all.map(one => one.name)")
    assert seen == [f"action_{kind}_{field}" for field in action_fields(kind)]
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_text("orders is saved.")).to_be_visible()
    [action] = Hook.objects.get().actions
    assert (action["type"], action[its], action.get("input", "body")) == (kind, named, "body")
    page.goto(at(shop, "edit", "orders"))
    expect(page.get_by_label("What action 1 does")).to_have_value(kind)
    expect(target).to_be_visible()
    expect(target).to_have_value(named)
    for select in given.all():
        expect(select).to_be_visible()
        expect(select).to_have_value("body")


@BOTH
def test_actions_come_and_go_and_are_numbered_anew(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    make_job(shop, "report")
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("orders")
    for number, kind in enumerate(("value", "job", "sync"), start=1):
        page.get_by_role("button", name="Add an action").click()
        page.get_by_label(f"What action {number} does").select_option(kind)
    page.get_by_label("Job of action 2", exact=True).fill("report")
    page.get_by_role("button", name="Remove action 1").click()
    expect(page.get_by_label("What action 1 does")).to_have_value("job")
    expect(page.get_by_label("Job of action 1", exact=True)).to_have_value("report")
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_role("link", name="Action 2")).to_be_visible()
    expect(page.get_by_text("Give the task, or remove the row.")).to_be_visible()
    page.get_by_role("button", name="Remove action 2").click()
    page.get_by_role("button", name="Create the webhook").click()
    expect(page.get_by_text("orders is saved.")).to_be_visible()
    assert [action["type"] for action in Hook.objects.get().actions] == ["job"]


@BOTH
def test_a_form_shows_what_its_choices_ask_for(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    secret, header = page.locator("#github_secret"), page.locator("#hmac_header")
    expect(secret).to_be_hidden()
    expect(header).to_be_hidden()
    page.get_by_label("Verification").select_option("github")
    expect(secret).to_be_visible()
    page.get_by_label("Verification").select_option("hmac")
    expect(secret).to_be_hidden()
    expect(header).to_be_visible()
    expect(page.locator("#response_status")).to_be_hidden()
    page.get_by_role("radiogroup", name="Answer").get_by_text("A body of yours").click()
    expect(page.locator("#response_status")).to_be_visible()
    expect(page.locator("#window")).to_be_hidden()
    page.get_by_role("radiogroup", name="Known by").get_by_text("The whole body").click()
    expect(page.locator("#window")).to_be_visible()
    expect(page.locator("#repeats_header")).to_be_hidden()


def test_the_first_call_turns_the_page_green_and_is_listed(shop: Application, alice_browser: Page) -> None:
    hook = make_hook(shop, "orders")
    page = alice_browser
    page.goto(at(shop, "hook", "orders"))
    expect(page.get_by_text("Waiting for the first call…")).to_be_visible()
    expect(page.get_by_text("Nothing came yet.")).to_be_visible()
    make_delivery(hook, State.SUCCEEDED, event_id="evt_1")
    expect(page.get_by_text("The first call has come: succeeded")).to_be_visible()
    expect(page.get_by_role("cell", name="evt_1")).to_be_visible()
    make_delivery(hook, standing=Standing.REFUSED, reason="The signature is not ours.")
    expect(page.get_by_text("The signature is not ours.")).to_be_visible()
    expect(page.get_by_role("link", name="refused 1")).to_be_visible()


def test_a_url_and_a_call_are_copied(shop: Application, alice_browser: Page) -> None:
    hook = make_hook(shop, "orders")
    page = alice_browser
    page.goto(at(shop, "hook", "orders"))
    page.get_by_role("button", name="Copy the URL").click()
    assert page.evaluate("navigator.clipboard.readText()").endswith(f"/hooks/{hook.secret}")
    page.get_by_role("button", name="Copy a curl that calls it").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "curl http" in copied
    assert hook.secret in copied


@BOTH
def test_a_url_is_rotated(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> None:
    hook = make_hook(shop, "orders")
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "hook", "orders"))
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Rotate the URL…").click()
    page.get_by_label("This URL goes on working").select_option("for an hour")
    page.get_by_role("button", name="Rotate the URL").click()
    expect(page.get_by_text("It has another URL. The one before works for a while yet.")).to_be_visible()
    expect(page.get_by_text("The URL before this one works too, until")).to_be_visible()
    expect(page.locator("#url")).not_to_contain_text(hook.secret)
    assert Hook.objects.get().previous_digest == hook.digest


def test_a_list_is_filtered_and_keeps_up(shop: Application, alice_browser: Page) -> None:
    hook = make_hook(shop, "orders")
    make_hook(shop, "payments", verification="stripe")
    page = alice_browser
    page.goto(at(shop))
    expect(page.get_by_text("never called")).to_have_count(2)
    page.get_by_label("Verification").select_option("none")
    expect(page.get_by_role("link", name="payments")).to_have_count(0)
    make_delivery(hook, State.FAILED)
    expect(page.get_by_role("img", name="Last delivery: 1 failed")).to_be_visible(timeout=PATIENCE_MS)


def test_what_only_a_form_or_a_dialog_shows_is_for_everybody(shop: Application, alice_browser: Page) -> None:
    make_hook(shop, "orders")
    page = alice_browser
    page.goto(at(shop, "new"))
    for number, kind in enumerate((*ACTIONS, ""), start=1):
        page.get_by_role("button", name="Add an action").click()
        page.get_by_label(f"What action {number} does").select_option(kind)
    page.get_by_role("button", name="Create the webhook").click()
    page.get_by_role("radiogroup", name="Answer").get_by_text("A body of yours").click()
    page.get_by_role("radiogroup", name="Known by").get_by_text("A header").click()
    for more in page.locator("details.more summary").all():
        more.click()
    page.get_by_label("Challenge").select_option("hub")
    found = []
    for scheme in ("standard", "hmac", "basic", "addresses"):
        page.get_by_label("Verification").select_option(scheme)
        found += faults(page, [(1440, "light"), (390, "dark")])
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("link", name="orders").click()
    page.get_by_role("link", name="Pause…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    found += faults(page)
    assert not found, "\n".join(found)


def test_the_keyboard_comes_to_nothing_that_is_hidden_behind_the_bar(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).focus()
    reached: list[str] = []
    while (found := page.evaluate(_UNDER_THE_BAR))[0]:
        reached.append(found[1])
        assert not found[2], f"{found[1]} is behind the bar"
        page.keyboard.press("Tab")
    assert "repeats" in reached


# Of what has the focus: whether it is a field above the bar, its name, and whether any of it lies behind the bar.
_UNDER_THE_BAR = """() => {
  const at = document.activeElement, bar = document.querySelector(".field.submit");
  if (!at.closest("form.hook") || bar.contains(at)) return [false, "", false];
  return [true, at.name || at.textContent, at.getBoundingClientRect().bottom > bar.getBoundingClientRect().top];
}"""


def test_a_narrow_list_shows_how_the_last_deliveries_stand(
    shop: Application, open_browser: Callable[..., Page]
) -> None:
    make_delivery(make_hook(shop, "orders"), State.FAILED)
    page = open_browser(User.objects.get(email="alice@example.com"), width=390)
    page.goto(at(shop))
    expect(page.locator("svg.strip")).to_be_visible()
    expect(page.get_by_text("anybody who knows its URL")).to_be_visible()


# The middle of each thing that can be pressed there, from the top of the window.
_ROWS = """all => all.filter(one => one.checkVisibility()).map(one => {
  const at = one.getBoundingClientRect(); return Math.round((at.top + at.bottom) / 2);
})"""
# Of all at one moment: the page moves while its editor is loaded.
_TOPS = "names => names.map(name => document.querySelector(name).getBoundingClientRect().top)"


def test_on_a_telephone_what_belongs_together_stands_together(
    shop: Application, open_browser: Callable[..., Page]
) -> None:
    make_hook(shop, "orders", transform="return null")
    page = open_browser(User.objects.get(email="alice@example.com"), width=390)
    page.goto(at(shop, "hook", "orders"))
    rows = page.locator(".head .actions .button").evaluate_all(_ROWS)
    assert rows[-1] in rows[:-1], "“⋯” stands alone in its row"
    page.goto(at(shop, "transform", "orders"))
    assert len(set(page.locator(".field.submit .button").evaluate_all(_ROWS))) == 1, "the bar is one row high"
    parts = [".code-field", "#output", "#payload"]
    for name in parts:
        page.locator(name).first.wait_for()
    tops = page.evaluate(_TOPS, parts)
    assert tops == sorted(tops), "what comes of the draft stands right below it"
