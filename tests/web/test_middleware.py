"""What holds for every page, whichever it is: null characters, and what nobody keeps."""

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Application
from tests.callers import PROBLEM
from tests.clients import browser_of
from tests.factories import make_member

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_of(make_member(shop.workspace))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("jobs/%00/", 404),
        ("jobs/a%00b/edit/", 404),
        ("new-job/?from=%00", 400),
        ("jobs/?%00=1", 400),
        ("runs/?cursor=%00", 400),
    ],
    ids=["a tag", "within a tag", "a job to copy", "the name of a parameter", "a cursor"],
)
def test_an_address_with_a_null_character_is_a_page_that_helps(
    alice: Client, shop: Application, path: str, status: int
) -> None:
    answer = alice.get(f"/a/{shop.slug}/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")


def test_a_form_sent_to_such_an_address_is_no_fault_of_ours(alice: Client, shop: Application) -> None:
    assert alice.post(f"/a/{shop.slug}/test-call/?job=%00", {"verb": "POST"}).status_code == 400
    assert alice.post("/accounts/login/?next=%00", {"login": "a", "password": "b"}).status_code == 400


def test_a_percent_sign_that_stands_for_itself_is_none(alice: Client, shop: Application) -> None:
    assert alice.get(f"/a/{shop.slug}/jobs/?q=%2500").status_code == 200


def test_a_program_is_told_in_its_own_form() -> None:
    answer = Client().get("/healthz?%00")
    assert (answer.status_code, answer["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("name", ["application", "sessionid", "zone", "theme", "csrftoken", "messages"])
def test_a_cookie_with_null_characters_counts_as_none(alice: Client, name: str) -> None:
    alice.cookies[name] = "0" * 8
    cookies = {cookie: morsel.value for cookie, morsel in alice.cookies.items()}
    sent = "; ".join(f"{cookie}={value}" for cookie, value in {**cookies, name: '"' + r"\000" * 32 + '"'}.items())
    answer = Client(headers={**HTML, "Cookie": sent}).get("/", follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_email", "mfa_index", "usersessions_list"])
def test_no_page_of_an_account_is_kept_by_a_browser(alice: Client, name: str) -> None:
    for somebody in (alice, Client(headers=HTML)):
        assert "no-store" in somebody.get(reverse(name))["Cache-Control"]
    assert "no-store" in alice.get("/accounts/no-such-page/")["Cache-Control"]
