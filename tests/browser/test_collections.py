"""Async jobs, collections and slurpers in a real browser, with scripts and without."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from badgerjobs.runs.models import Run, State
from badgerjobs.workspaces.models import Application, User
from slurps import page_trials
from slurps.models import AsyncJob, Collection, Slurper
from slurps.trials import Trial
from tests.browser.test_every_page import faults
from tests.factories import make_collection
from tests.slurps.collecting.held import hold_rows
from tests.slurps.pages.slurp_pages import at, ended, held_result, made_job, made_slurper
from tests.slurps.storing.loads import load, seen

BOTH = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
ROWS = [{"sku": f"MUG-{number:03}", "price": number, "size": {"h": number}} for number in range(60)]


def browser(open_browser: Callable[..., Page], scripts: bool = True) -> Page:
    return open_browser(User.objects.get(email="alice@example.com"), scripts=scripts)


def type_code(page: Page, text: str) -> None:
    """Into the textarea, whatever has taken hold of it: as its form will send it."""
    page.locator("textarea[name=code]").evaluate(
        "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }", text
    )


@BOTH
def test_a_slurper_is_made_of_two_sources_and_tried(
    shop: Application, open_browser: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, scripts: bool
) -> None:
    def try_slurper(**_: Any) -> Trial:
        return Trial({"shop": [{"price": "12"}], "stock": [{"count": 3}]}, [{"price": 12, "late": None}], 1)

    monkeypatch.setattr(page_trials, "try_slurper", try_slurper)
    made_slurper(shop, "other", ("shop", "stock"))
    page = browser(open_browser, scripts)
    page.goto(at(shop, "new-slurper"))
    page.get_by_label("Name", exact=True).fill("clean")
    page.get_by_label("Source 1").select_option("stock")
    page.get_by_role("button", name="Add another").click()
    page.get_by_label("Source 2").select_option("shop")
    page.get_by_label("JavaScript, over all rows").check()
    code = "return dataMap.shop"
    if scripts:
        type_code(page, code)
    else:
        page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="After")).to_contain_text("12null")
    expect(page.get_by_role("region", name="Before: stock")).to_contain_text("3")
    if scripts:
        assert faults(page) == []
    page.get_by_role("button", name="Create the slurper").click()
    expect(page.get_by_text("clean is saved.")).to_be_visible()
    assert Slurper.objects.get(tag="clean").code == code


@BOTH
def test_an_async_job_is_made_gets_a_collection_and_is_run(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    made_slurper(shop)
    page = browser(open_browser, scripts)
    page.goto(at(shop, "new"))
    page.get_by_label("Name", exact=True).fill("import")
    page.get_by_label("Slurper").select_option("clean")
    page.get_by_role("radiogroup", name="When").get_by_text("Preset").click()
    page.get_by_role("button", name="Create the async job").click()
    expect(page.get_by_text("import is saved.")).to_be_visible()
    page.get_by_role("link", name="New collection").click()
    page.get_by_label("Name", exact=True).fill("prices")
    page.get_by_label("Upserted", exact=True).check()
    page.get_by_label("Key", exact=True).fill("sku")
    page.get_by_role("button", name="Create the collection").click()
    expect(page.get_by_text("No run has filled it yet")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="import", exact=True).first.click()
    page.get_by_role("button", name="Run now").click()
    expect(page.get_by_text("Run 1 of import was made")).to_be_visible()
    job = AsyncJob.objects.get()
    assert Run.objects.filter(runnable=job.runnable).count() == 1
    assert Collection.objects.get().key == ["sku"]


@BOTH
def test_rows_are_sorted_narrowed_and_paged(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    collection = make_collection(shop, async_job=made_job(shop), mode="versioned", keep=5, key=["sku"])
    load(collection, ROWS)
    page = browser(open_browser, scripts)
    page.goto(at(shop, "collection", "prices"))
    rows = page.get_by_role("region", name="Table of rows").get_by_role("row")
    page.get_by_role("link", name="price").click()
    page.get_by_role("link", name="price").click()
    expect(rows.nth(1)).to_contain_text("MUG-059")
    page.get_by_role("link", name="Next").click()
    expect(rows.nth(1)).to_contain_text("MUG-009")
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    page.get_by_role("link", name="Previous").click()
    expect(rows.nth(1)).to_contain_text("MUG-059")
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    if scripts:
        page.keyboard.press("j")
        expect(rows.nth(1)).to_contain_text("MUG-009")
        page.keyboard.press("k")
        expect(rows.nth(1)).to_contain_text("MUG-059")
    page.get_by_label("Column", exact=True).select_option("price")
    page.get_by_label("Operator").select_option("gte")
    page.get_by_label("Value", exact=True).fill("58")
    page.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(3)
    page.get_by_role("link", name="Remove the condition").click()
    expect(rows).to_have_count(51)


@BOTH
def test_the_runs_of_a_job_are_drawn_and_each_leads_to_its_log(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    job = made_job(shop)
    for number, state in enumerate([State.SUCCEEDED, State.FAILED, State.ABORTED], start=1):
        ended(job, number, state)
    held_result(job, 4)
    page = browser(open_browser, scripts)
    page.goto(at(shop, "job", "import"))
    drawing = page.get_by_role("figure", name="Rows and time")
    expect(drawing).to_contain_text("1 wrote rows1 held for approval1 failed1 aborted")
    if scripts:
        assert faults(page) == []
    drawing.locator("a.failed").first.click()
    expect(page.get_by_role("heading", name="Run 2")).to_be_visible()


@BOTH
def test_versions_are_compared_pinned_and_rolled_back_to(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    collection = make_collection(shop, async_job=made_job(shop), mode="versioned", keep=5, key=["sku"])
    load(collection, ROWS)
    load(collection, [{**ROWS[0], "price": 99}, *ROWS[1:50]])
    page = browser(open_browser, scripts)
    page.goto(at(shop, "collection", "prices"))
    page.get_by_role("link", name="Compare version 2").click()
    expect(page.get_by_role("heading", name="11 rows differ")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Pin version 1").click()
    expect(page.get_by_text("Pinned: readers see version 1")).to_be_visible()
    page.get_by_role("button", name="Unpin version 1").click()
    page.get_by_role("link", name="Roll back to version 1").click()
    page.get_by_role("button", name="Roll back").click()
    expect(page.get_by_text("Rolled back: the newest version")).to_be_visible()
    assert seen(collection) == ROWS


@BOTH
def test_a_slurper_is_tried_over_rows_that_are_pasted(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    made_slurper(shop, "other", ("shop", "stock"))
    page = browser(open_browser, scripts)
    page.goto(at(shop, "new-slurper"))
    page.get_by_text("Rows that I paste").click()
    expect(page.get_by_text("Choose its sources above first")).to_be_visible()
    page.get_by_label("Source 1").select_option("stock")
    if not scripts:
        page.get_by_role("button", name="Try it").click()
    page.get_by_label("stock", exact=True).fill("sku,count\nMUG,3")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_role("region", name="After")).to_contain_text("MUG3")
    expect(page.get_by_label("stock", exact=True)).to_have_value("sku,count\nMUG,3")
    page.get_by_label("stock", exact=True).fill("[{]")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("stock: This is no JSON")).to_be_visible()
    if scripts:
        assert faults(page) == []


@BOTH
def test_what_waits_tells_what_it_would_change_before_it_is_approved(
    shop: Application, open_browser: Callable[..., Page], scripts: bool
) -> None:
    collection = make_collection(shop, async_job=made_job(shop), mode="versioned", keep=5, key=["sku"])
    load(collection, ROWS)
    hold_rows(collection, [{**ROWS[0], "price": 99}, {"sku": "NEW"}])
    page = browser(open_browser, scripts)
    page.goto(at(shop, "collections"))
    expect(page.get_by_text("a result waits", exact=True).last).to_be_visible()
    page.get_by_role("link", name="prices").click()
    if scripts:
        expect(page.get_by_role("link", name="+1 added")).to_be_visible()
        assert faults(page) == []
        page.get_by_role("link", name="~1 changed").click()
    else:
        page.get_by_role("link", name="Compare row by row").click()
    expect(page.get_by_role("heading", name="61 rows differ")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved: readers of prices see it")).to_be_visible()
    assert len(seen(collection)) == 2


def test_the_rows_that_are_shown_are_downloaded(shop: Application, open_browser: Callable[..., Page]) -> None:
    collection = make_collection(shop, async_job=made_job(shop), mode="versioned", keep=5, key=["sku"])
    load(collection, ROWS)
    page = browser(open_browser)
    page.goto(f"{at(shop, 'collection', 'prices')}?column=price&op=gte&value=58&sort=-price")
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download what matches as CSV").click()
    assert coming.value.suggested_filename == "prices.csv"
    lines = coming.value.path().read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["sku", "MUG-059", "MUG-058"]
