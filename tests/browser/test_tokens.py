"""A token from the form to the API and to its end, and the log that remembers all of it."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application, Token, User


def at(shop: Application, name: str) -> str:
    return reverse(f"panel:{name}", args=[shop.slug])


def make_token(page: Page, shop: Application, label: str) -> str:
    """Through the form; returns the secret as the page shows it."""
    page.goto(at(shop, "tokens"))
    page.get_by_role("link", name="New token").click()
    page.get_by_label("Label").fill(label)
    page.get_by_role("button", name="Make the token").click()
    secret = page.locator("#secret").text_content()
    assert secret
    return secret


def status_with(page: Page, secret: str) -> int:
    """What the API of this server answers to the token."""
    return page.request.get("/api/v1/jobs/", headers={"Authorization": f"Bearer {secret}"}).status


def test_a_token_is_made_copied_used_and_revoked(shop: Application, alice_browser: Page) -> None:
    secret = make_token(alice_browser, shop, "deploy script")
    alice_browser.get_by_label("Its secret").get_by_role("button", name="Copy").click()
    expect(alice_browser.get_by_role("button", name="Copied")).to_be_visible()
    assert alice_browser.evaluate("navigator.clipboard.readText()") == secret
    assert status_with(alice_browser, secret) == 200

    alice_browser.get_by_role("link", name="I have copied it").click()
    row = alice_browser.get_by_role("row", name="deploy script")
    expect(row).not_to_contain_text("never used")
    assert secret not in alice_browser.content()

    row.get_by_role("link", name="Revoke").click()
    alice_browser.get_by_role("dialog").get_by_role("button", name="Revoke the token").click()
    expect(alice_browser.get_by_role("status")).to_contain_text("opens nothing any more")
    expect(alice_browser.get_by_role("table", name="Over")).to_contain_text("revoked")
    assert status_with(alice_browser, secret) == 401


def test_the_curl_on_the_page_names_this_server(shop: Application, alice_browser: Page) -> None:
    secret = make_token(alice_browser, shop, "laptop")
    curl = alice_browser.locator("#curl").text_content() or ""
    address = curl.split()[1]
    assert alice_browser.url.startswith(address.partition("/api/")[0])
    assert f"'Authorization: Bearer {secret}'" in curl
    answer = alice_browser.request.get(address, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status == 200


def test_a_reload_of_the_secrets_page_makes_no_second_token(shop: Application, alice_browser: Page) -> None:
    make_token(alice_browser, shop, "laptop")
    # The browser would ask whether to send the form again; a script's reload says yes.
    with alice_browser.expect_navigation():
        alice_browser.evaluate("location.reload()")
    expect(alice_browser.get_by_role("heading", name="was made already")).to_be_visible()
    assert Token.objects.count() == 1


def test_rotating_keeps_the_old_secret_for_a_while(shop: Application, alice_browser: Page) -> None:
    old = make_token(alice_browser, shop, "laptop")
    alice_browser.goto(at(shop, "tokens"))
    alice_browser.get_by_role("link", name="Rotate laptop").click()
    alice_browser.get_by_text("works 1 hour more").click()
    alice_browser.get_by_role("button", name="Make the new secret").click()
    new = alice_browser.locator("#secret").text_content() or ""
    assert [status_with(alice_browser, secret) for secret in (old, new)] == [200, 200]
    expect(alice_browser.get_by_text("works until")).to_be_visible()


def test_the_last_day_is_asked_when_a_day_is_chosen(shop: Application, alice_browser: Page) -> None:
    alice_browser.goto(at(shop, "new-token"))
    day = alice_browser.get_by_label("The last day on which it works")
    expect(day).to_be_hidden()
    alice_browser.get_by_text("At the end of").click()
    expect(day).to_be_visible()


@pytest.fixture
def log(shop: Application, alice_browser: Page) -> Page:
    """Alice's browser at a log of some doings, one of them by the API."""
    secret = make_token(alice_browser, shop, "ci")
    job = {"tag": "nightly", "endpoint": "https://example.com/", "verb": "GET"}
    headers = {"Authorization": f"Bearer {secret}"}
    assert alice_browser.request.post("/api/v1/jobs/", headers=headers, data=job).status == 201
    assert alice_browser.request.delete("/api/v1/jobs/nightly/", headers=headers).status == 204
    alice_browser.goto(reverse("panel:audit", args=[shop.workspace.slug]))
    return alice_browser


def test_the_log_is_narrowed_by_the_address_and_stays_so_on_reload(log: Page) -> None:
    rows = log.get_by_role("table").locator("tbody tr")
    expect(rows).to_have_count(3)
    log.get_by_label("What was done").select_option(label="deleted the job")
    log.get_by_role("button", name="Filter").click()
    expect(rows).to_have_count(1)
    assert "action=job.delete" in log.url
    log.reload()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("deleted the job nightly in shop")
    log.get_by_role("link", name="Show all").click()
    expect(rows).to_have_count(3)
    rows.first.get_by_role("link", name="ci (").click()
    expect(rows).to_have_count(2)


def test_the_log_is_taken_away_as_it_was_narrowed(log: Page, tmp_path: Path) -> None:
    log.get_by_placeholder("Person or token").fill("ci (")
    log.get_by_role("button", name="Filter").click()
    for name, kind in [("Export CSV", "csv"), ("Export JSON lines", "jsonl")]:
        with log.expect_download() as download:
            log.get_by_role("button", name=name).click()
        file = tmp_path / kind
        download.value.save_as(file)
        lines = file.read_text().splitlines()
        rows = list(csv.DictReader(lines)) if kind == "csv" else [json.loads(line) for line in lines]
        assert [row["action"] for row in rows] == ["job.delete", "job.create"]
    log.get_by_role("link", name="Show all").click()
    expect(log.get_by_role("table").get_by_text("exported the audit log as")).to_have_count(2)


def test_it_all_works_without_scripts(shop: Application, open_browser: Callable[..., Page]) -> None:
    page = open_browser(User.objects.get(email="alice@example.com"), scripts=False, width=390)
    secret = make_token(page, shop, "laptop")
    page.goto(at(shop, "tokens"))
    page.get_by_role("link", name="Revoke laptop").click()
    page.get_by_role("button", name="Revoke the token").click()
    assert status_with(page, secret) == 401
