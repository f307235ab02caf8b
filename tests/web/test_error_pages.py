"""Errors: pages for browsers, problem+json for programs, and never a trace."""

import pytest
from django.test import Client

from tests.callers import PROBLEM

HTML = {"Accept": "text/html,application/xhtml+xml"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "headers", "content_type"),
    [
        ("/no/such/page/", HTML, "text/html; charset=utf-8"),
        ("/no/such/page/", {"Accept": "*/*"}, PROBLEM),
        ("/api/v1/nothing/", HTML, PROBLEM),
    ],
    ids=["a browser", "a program", "the API whoever asks"],
)
def test_what_is_not_there_is_told_to_each_in_its_own_form(
    path: str, headers: dict[str, str], content_type: str
) -> None:
    answer = Client(headers=headers).get(path)
    assert (answer.status_code, answer["Content-Type"]) == (404, content_type)


@pytest.mark.django_db
def test_a_form_of_another_site_is_refused_with_a_page_that_helps() -> None:
    browser = Client(enforce_csrf_checks=True, headers=HTML)
    answer = browser.post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert b"gone stale" in answer.content


@pytest.mark.django_db
def test_after_a_theme_is_chosen_one_is_never_sent_to_another_site() -> None:
    answer = Client(headers=HTML | {"Referer": "https://evil.example/"}).post("/theme/", {"theme": "dark"})
    assert (answer.status_code, answer["Location"], answer.cookies["theme"].value) == (302, "/", "dark")
