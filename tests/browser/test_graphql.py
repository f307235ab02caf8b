"""The page for asking GraphQL by hand: by keyboard and by button, with scripts and without, and as far as one may."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from badgerjobs.workspaces.models import Application, User
from jobs.models import Job
from tests.factories import make_job

CREATE = """mutation {
  createJob(name: "mine", endpoint: "https://example.com/", verb: "get", runAt: "2030-01-01T00:00:00Z") { name }
}"""


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_query_is_answered_beside_itself(shop: Application, open_browser: Callable[..., Page], scripts: bool) -> None:
    make_job(shop, "first")
    page = open_browser(User.objects.get(email="bob@example.com"), scripts=scripts)
    page.goto(reverse("panel:overview", args=[shop.slug]))
    page.get_by_role("link", name="GraphQL").click()
    expect(page.locator("#answer")).to_contain_text("It appears here once you run the query.")
    page.get_by_label("Query", exact=True).fill("query Q($n: String!) { job(name: $n) { name verb } }")
    page.get_by_label("Variables").fill('{"n": "first"}')
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer pre")).to_contain_text(re.compile(r'"job": {\s*"name": "first",\s*"verb": "POST"'))
    expect(page.get_by_label("Query", exact=True)).to_have_value(re.compile("query Q"))


def test_a_mutation_is_for_who_may_edit(
    shop: Application, alice_browser: Page, open_browser: Callable[..., Page]
) -> None:
    bobs = open_browser(User.objects.get(email="bob@example.com"))
    for page, said in ((bobs, "Your role allows no mutations"), (alice_browser, '"name": "mine"')):
        page.goto(reverse("graphql-page", args=[shop.slug]))
        page.get_by_label("Query", exact=True).fill(CREATE)
        page.get_by_role("button", name="Run").click()
        expect(page.locator("#answer")).to_contain_text(said)
    assert Job.objects.get().tag == "mine"
