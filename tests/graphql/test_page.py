"""The page on which members ask by hand: with the rights that they have, and nobody's token."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_application, make_job

pytestmark = pytest.mark.django_db

CREATE = """mutation { createJob(name: "by-hand", endpoint: "https://example.com/", verb: "get",
  runAt: "2030-01-01T00:00:00Z") { name } }"""
UPDATE = "mutation Q($n: String!) { updateJob(name: $n) { name } }"


@pytest.fixture
def shop() -> Application:
    return make_application("Example Shop", "shop")


def asked(browser: Client, shop: Application, query: str, variables: str = "", **headers: str) -> str:
    at = reverse("graphql-page", args=[shop.slug])
    response: Any = browser.post(at, {"query": query, "variables": variables}, headers=headers)
    assert response.status_code == 200
    text: str = response.content.decode()
    return text


def test_it_begins_with_a_query_that_can_be_run(shop: Application) -> None:
    browser = browser_in(shop, Role.VIEWER)
    page = browser.get(reverse("graphql-page", args=[shop.slug])).content.decode()
    assert "jobs(limit: 10)" in page
    assert "mutations need the role “editor”" in page
    assert "http://testserver/graphql" in page
    assert "When it runs next" in page


def test_a_query_is_answered_beside_itself(shop: Application) -> None:
    make_job(shop, "first")
    text = asked(
        browser_in(shop, Role.VIEWER), shop, "query Q($n: String!) { job(name: $n) { verb } }", '{"n": "first"}'
    )
    assert "POST" in text.partition('id="answer"')[2]
    assert "query Q($n: String!)" in text


def test_htmx_gets_the_answer_alone(shop: Application) -> None:
    text = asked(browser_in(shop), shop, "{ jobs { name } }", **{"HX-Request": "true", "HX-Target": "answer"})
    assert text.lstrip().startswith('<section id="answer"')


def test_who_may_only_look_changes_nothing(shop: Application) -> None:
    text = asked(browser_in(shop, Role.VIEWER), shop, CREATE)
    assert "Your role allows no mutations" in text
    assert not Job.objects.exists()


def test_what_an_editor_does_is_written_down_as_theirs(shop: Application) -> None:
    asked(browser_in(shop, Role.EDITOR), shop, CREATE)
    assert Job.objects.get().tag == "by-hand"
    entry = AuditEntry.objects.get(action="job.create")
    assert (entry.actor, entry.via) == ("erin@example.com", "panel")


def test_nobody_reads_a_token_there(shop: Application) -> None:
    make_job(shop, "first")
    text = asked(browser_in(shop), shop, "{ jobs { application { name token } } }")
    assert "null" in text.partition('id="answer"')[2]


@pytest.mark.parametrize(
    ("query", "variables", "said"),
    [
        ("", "", "Send a query"),
        ("{ jobs { nam } }", "", "Cannot query field"),
        ("{ jobs { name } }", "{", "Give the variables as an object, name to value. As JSON, like {}."),
        ("{ jobs { name } }", "[]", "Give the variables as an object, name to value."),
        ("{ jobs { name } }", "[" * 5000, "As JSON, like {}."),
        ('{ job(name: "<b>bold</b>") { nam } }', "", "&lt;b&gt;"),
        ("query Q($n: Int) { jobs(limit: $n) { name } }", '{"n": "\\ud800"}', "ud800&#x27;"),
        (UPDATE, '{"n": "\\ud800"}', "There is no job with the name “\\ud800” in this application."),
    ],
    ids=["nothing", "field", "broken", "list", "deep", "markup", "half a letter", "half a letter in a sentence"],
)
def test_what_is_wrong_is_said(shop: Application, query: str, variables: str, said: str) -> None:
    assert said in asked(browser_in(shop), shop, query, variables)


def test_a_long_answer_is_cut_and_says_so(shop: Application) -> None:
    for number in range(3):
        make_job(shop, f"job-{number}", body=json.dumps("x" * 100_000))
    assert "the first 200,000 characters" in asked(browser_in(shop), shop, "{ jobs { body } }")
