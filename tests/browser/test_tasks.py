"""Tasks made, tried, run and looked at in a real browser, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, User
from tasks.models import KeySync, Task
from tasks.services import create_task
from tests.browser.test_every_page import faults
from tests.factories import NOW, make_key, make_run, make_source, make_sync

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


# Where the button begins, what is seen in its middle, where the editor ends, and whether the two are one.
WHAT_IS_SEEN_THERE = """(button, editor) => {
  const box = button.getBoundingClientRect();
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return [box.top, seen.className, editor.getBoundingClientRect().bottom, button.contains(seen)];
}"""


@pytest.fixture
def keys(shop: Application) -> list[Any]:
    source = make_source(shop)
    return [make_key(source, f"product-category-{number}", '{"of": 1}') for number in range(1, 31)]


def at(shop: Application, name: str = "list", *args: str) -> str:
    return reverse(f"tasks:{name}", args=[shop.slug, *args])


def made(shop: Application, tag: str = "refresh", **fields: Any) -> Task:
    given = {"type": "on_demand", "selection": "contains", "pattern": "product", **fields}
    return create_task(application=shop, tag=tag, by=OPERATOR, now=timezone.now(), **given)


def browser(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> Page:
    return open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)


def type_code(page: Page, name: str, text: str) -> None:
    """Into the textarea, whatever has taken hold of it: as its form will send it."""
    page.locator(f"textarea[name={name}]").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }", text
    )


@BOTH
def test_a_pattern_is_tested_and_the_task_made(
    shop: Application, keys: list[Any], open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("first ones")
    page.get_by_label("Pattern", exact=True).fill("product-category-1")
    page.get_by_role("button", name="Test Key Pattern").click()
    expect(page.get_by_label("Names of keys, as JSON")).to_contain_text('"product-category-10",')
    expect(page.get_by_text("11 keys", exact=True)).to_be_visible()
    expect(page.get_by_text("also takes “product-category-10”")).to_be_visible()
    page.get_by_role("button", name="Create the task").click()
    expect(page.get_by_text("first ones is saved.")).to_be_visible()
    expect(page.get_by_role("heading", name="11 keys")).to_be_visible()


@BOTH
def test_keys_are_found_and_chosen_one_by_one(
    shop: Application, keys: list[Any], open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("chosen")
    page.get_by_role("radiogroup", name="Which keys").get_by_text("Exact keys").click()
    page.get_by_role("searchbox", name="Keys").fill("category-2")
    if not scripts:
        page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("11 keys with “category-2”")).to_be_visible()
    page.get_by_role("button", name="Add product-category-20", exact=True).click()
    expect(page.get_by_text("1 key chosen")).to_be_visible()
    page.get_by_role("button", name="Add all 11").click()
    expect(page.get_by_text("11 keys chosen")).to_be_visible()
    page.get_by_role("button", name="Remove product-category-2 from the task").click()
    expect(page.get_by_text("10 keys chosen")).to_be_visible()
    page.get_by_role("button", name="Create the task").click()
    expect(page.get_by_role("heading", name="10 keys")).to_be_visible()
    assert not Task.objects.get().keys.filter(name="product-category-2").exists()


def test_keys_are_chosen_by_the_keyboard_alone(shop: Application, keys: list[Any], alice_browser: Page) -> None:
    page = alice_browser
    page.goto(at(shop, "new"))
    page.get_by_role("radiogroup", name="Which keys").get_by_text("Exact keys").click()
    page.get_by_role("searchbox", name="Keys").press_sequentially("category-30")
    expect(page.get_by_text("1 key with “category-30”")).to_be_visible()
    page.keyboard.press("Enter")  # saves nothing
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 key chosen")).to_be_visible()
    expect(page.get_by_role("button", name="Remove product-category-30", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("0 keys chosen")).to_be_visible()
    assert not Task.objects.exists()


@BOTH
def test_a_form_shows_what_its_choices_ask_for(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    runs = page.get_by_role("radiogroup", name="Runs")
    expect(page.get_by_label("Preset", exact=True)).to_be_hidden()
    runs.get_by_text("Scheduled").click()
    expect(page.get_by_label("Preset", exact=True)).to_be_visible()
    expect(page.get_by_label("Transform")).to_be_hidden()
    runs.get_by_text("Webhook").click()
    expect(page.get_by_role("button", name="Try the transform")).to_be_visible()
    expect(page.get_by_label("Preset", exact=True)).to_be_hidden()
    page.get_by_role("radiogroup", name="Which keys").get_by_text("Exact keys").click()
    expect(page.get_by_role("button", name="Test Key Pattern")).to_be_hidden()


def test_the_schedule_is_previewed_as_it_is_chosen(shop: Application, alice_browser: Page) -> None:
    page = alice_browser
    page.goto(at(shop, "new"))
    page.get_by_role("radiogroup", name="Runs").get_by_text("Scheduled").click()
    page.get_by_label("Preset", exact=True).select_option("weekly")
    expect(page.get_by_role("heading", name="Weekly on Tuesday at 03:00 EST (08:00 UTC)")).to_be_visible()


@BOTH
def test_a_webhook_is_tried_saved_and_run_with_an_example(
    shop: Application, keys: list[Any], open_browser: Callable[..., Page], scripts: bool
) -> None:
    page = browser(shop, open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("hook")
    page.get_by_role("radiogroup", name="Runs").get_by_text("Webhook").click()
    page.get_by_label("Pattern", exact=True).fill("product-category-{{ID}}")
    if scripts:
        type_code(page, "transform", "return {variables: {ID: body.id}}")
        type_code(page, "sample", '{"id": 30}')
    else:
        page.get_by_label("Transform").fill("return {variables: {ID: body.id}}")
        page.get_by_label("Example body").fill('{"id": 30}')
    page.get_by_role("button", name="Try the transform").click()
    expect(page.get_by_label("Variables")).to_contain_text('"ID": "30"')
    expect(page.get_by_text("As pattern: product-category-30")).to_be_visible()
    page.get_by_role("button", name="Create the task").click()
    expect(page.locator("#hook-url")).to_contain_text("/hooks/")
    page.goto(at(shop))
    page.get_by_role("link", name="Run hook…").click()
    page.get_by_label("Example body of the webhook").fill('{"id": 7}')
    page.get_by_role("button", name="Run Task").click()
    expect(page.get_by_role("heading", name="Logs")).to_be_visible()
    assert Run.objects.get().input == {"body": {"id": 7}, "headers": {}}


def test_a_run_is_followed_as_it_goes_on_and_what_failed_is_retried(
    shop: Application, keys: list[Any], alice_browser: Page
) -> None:
    task = made(shop)
    page = alice_browser
    page.goto(at(shop))
    page.get_by_role("button", name="Run refresh").click()
    expect(page.get_by_text("waits for a free slot").first).to_be_visible()
    run = Run.objects.get()
    Run.objects.update(state=State.RUNNING, started_at=NOW)
    for key in keys[:3]:
        make_sync(run, key, "waiting", attempts=0)
    expect(page.get_by_text("0 of 3 keys, 3 to come")).to_be_visible()
    KeySync.objects.filter(key_id=keys[0].pk).update(state="failed", error="It answered 503.", finished_at=NOW)
    KeySync.objects.exclude(key_id=keys[0].pk).update(state="succeeded", finished_at=NOW)
    counts = {"keys": 3, "succeeded": 2, "failed": 1, "changed": 0, "bytes": 4}
    Run.objects.update(state=State.FAILED, finished_at=NOW, output=counts)
    expect(page.get_by_text("partly failed")).to_be_visible()
    expect(page.get_by_text("It answered 503.")).to_be_visible()
    page.get_by_label("State", exact=True).select_option("failed")
    expect(page.get_by_role("link", name="product-category-2", exact=True)).to_have_count(0)
    expect(page.get_by_role("link", name="product-category-1", exact=True)).to_be_visible()
    page.get_by_role("button", name="Retry the 1 failed key of run 1").click()
    expect(page.get_by_role("heading", name="Run 2")).to_be_visible()
    assert Run.objects.of(task.runnable_id).get(number=2).input == {"syncs_of": str(run.pk)}


def test_what_only_a_form_or_a_dialog_shows_is_for_everybody(
    shop: Application, keys: list[Any], alice_browser: Page
) -> None:
    make_run(made(shop, "hook", type="webhook", transform="return {variables: {}}").runnable, State.RUNNING)
    page = alice_browser
    found = []
    page.goto(at(shop, "new"))
    page.get_by_role("button", name="Create the task").click()
    for kind in ("Scheduled", "Webhook"):
        page.get_by_role("radiogroup", name="Runs").get_by_text(kind).click()
        found += faults(page)
    page.get_by_role("radiogroup", name="Which keys").get_by_text("Exact keys").click()
    page.get_by_role("button", name="Add all").or_(
        page.get_by_role("button", name="Add product-category-1", exact=True)
    ).first.click()
    expect(page.get_by_text("1 key chosen")).to_be_visible()
    for more in page.locator("details.more summary").all():
        more.click()
    found += faults(page)
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("link", name="Run hook…").click()
    expect(page.get_by_label("Example body of the webhook")).to_be_visible()
    found += faults(page)
    assert not found, "\n".join(found)


def test_the_button_that_saves_lies_over_the_editor_of_code(
    shop: Application, keys: list[Any], alice_browser: Page
) -> None:
    made(shop, "hook", type="webhook", pattern="product", transform="return {variables: {}}\n" * 40)
    page = alice_browser
    page.goto(at(shop, "edit", "hook"))
    editor = page.locator(".code-field:has(> textarea[name=transform]) > .editor")
    expect(editor).to_be_visible()
    editor.evaluate("one => window.scrollBy(0, one.getBoundingClientRect().bottom - window.innerHeight)")
    save = page.locator(".field.submit button").first
    [top, left, bottom, over] = save.evaluate(WHAT_IS_SEEN_THERE, editor.element_handle())
    assert top < bottom, "the editor does not reach under the button here"
    assert over, left
