"""The pages of background tasks in a browser: what moves while one looks, and what is asked before it is done."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import State
from badgerjobs.workspaces.models import Application
from tasks.models import BackgroundRun
from tests.tasks.background.pages_of import ArticlesInput, defined, definition, make_background, say


@pytest.fixture(autouse=True)
def _articles() -> Iterator[None]:
    with defined(definition(input_class=ArticlesInput)):
        yield


def at(shop: Application, name: str, *args: object) -> str:
    return reverse(f"background:{name}", args=[shop.slug, *args])


def test_progress_moves_while_one_looks(shop: Application, alice_browser: Page) -> None:
    background = make_background(shop, progress=0.1, progress_message="Page 1 of 10")
    alice_browser.goto(at(shop, "task", background.pk))
    expect(alice_browser.locator("#how-far")).to_contain_text("10 % Page 1 of 10")
    BackgroundRun.objects.update(progress=0.7, progress_message="Page 7 of 10")
    expect(alice_browser.locator("#how-far")).to_contain_text("70 % Page 7 of 10")
    expect(alice_browser.get_by_role("progressbar")).to_have_attribute("value", "70")


def test_a_log_goes_on_while_one_looks_and_the_story_moves_beside_data_that_is_open(
    shop: Application, alice_browser: Page
) -> None:
    background = make_background(shop, progress=0.1)
    say(background, "first", data={"page": 1})
    alice_browser.goto(at(shop, "task", background.pk))
    say(background, "second", 2)
    expect(alice_browser.locator("#log")).to_contain_text("second")
    alice_browser.locator("#log summary").click()
    BackgroundRun.objects.update(progress=0.7)
    expect(alice_browser.locator("#how-far")).to_contain_text("70 %")
    expect(alice_browser.get_by_label("Data", exact=True)).to_be_visible()


def test_those_that_are_ticked_are_aborted_after_it_was_asked(shop: Application, alice_browser: Page) -> None:
    for name in ("one", "two", "three"):
        make_background(shop, State.SCHEDULED, name=name)
    alice_browser.goto(at(shop, "list"))
    for name in ("one", "two"):
        alice_browser.get_by_label(f"Select {name} of").check()
    expect(alice_browser.get_by_role("toolbar")).to_contain_text("selected")
    alice_browser.get_by_role("toolbar").get_by_role("button", name="Abort…").click()
    alice_browser.get_by_role("button", name="Abort 2 background tasks").click()
    expect(alice_browser.locator("#main")).to_contain_text("Aborted 2 background tasks.")
    assert BackgroundRun.objects.filter(run__state=State.ABORTED).count() == 2


def test_one_is_aborted_from_its_row_in_a_dialog(shop: Application, alice_browser: Page) -> None:
    background = make_background(shop, State.SCHEDULED)
    alice_browser.goto(at(shop, "list"))
    alice_browser.locator(f"#abort-{background.pk}").click()
    dialog = alice_browser.get_by_role("dialog")
    expect(dialog).to_contain_text("Abort Sync articles?")
    dialog.get_by_role("button", name="Abort it").click()
    expect(alice_browser.get_by_role("heading", level=1)).to_contain_text("aborted")


def test_a_filter_narrows_the_list_as_it_is_typed(shop: Application, alice_browser: Page) -> None:
    for name in ("one page", "all articles"):
        make_background(shop, name=name)
    alice_browser.goto(at(shop, "list"))
    alice_browser.get_by_role("searchbox").fill("page")
    expect(alice_browser.get_by_role("link", name="all articles")).to_have_count(0)
    expect(alice_browser).to_have_url(f"{alice_browser.url.partition('?')[0]}?q=page")


def test_a_form_from_a_schema_triggers_one(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(at(shop, "definition", "syncArticles"))
    alice_browser.get_by_role("button", name="Trigger it").click()
    expect(alice_browser.get_by_role("alert")).to_contain_text("Nothing is triggered yet: 1 field needs a change")
    alice_browser.get_by_label("Site").fill("de")
    alice_browser.get_by_text("whole", exact=True).click()
    alice_browser.get_by_role("button", name="Trigger it").click()
    expect(alice_browser.locator("#main")).to_contain_text("Sync articles is triggered.")
    assert BackgroundRun.objects.get().given == {"site": "de", "pages": 10, "draft": False, "mode": "whole"}
