"""What providers ask before their first call: it is answered where the hook expects it, and nothing is stored."""

from typing import Any

import pytest

from badgerjobs.workspaces.models import Application
from tests.factories import make_hook
from tests.webhooks.sending import sent, stored
from webhooks.models import Delivery

HUB = {"method": "GET", "query": "hub.mode=subscribe&hub.challenge=11%3C%3E58&hub.verify_token=t"}
ECHO = {"method": "GET", "query": "challenge=abc"}
TOKEN = {"query": "validationToken=a%20b%3Cscript%3E", "body": b""}
HEADER = {"method": "GET", "X_Okta_Verification_Challenge": "abc"}


@pytest.mark.parametrize(
    ("challenge", "asked", "answered"),
    [
        ("hub", HUB, b"11<>58"),
        ("echo", ECHO, b"abc"),
        ("token", TOKEN, b"a b<script>"),
        ("header", HEADER, {"verification": "abc"}),
    ],
    ids=["hub", "echo", "token", "header"],
)
def test_a_challenge_is_answered_by_the_hook_that_expects_it(
    shop: Application, challenge: str, asked: Any, answered: Any
) -> None:
    expecting = make_hook(shop, challenge=challenge, verification="bearer", settings={"secret": "s"})
    answer = sent(expecting, **asked)
    assert (answer.status, answer.body) == (200, answered)
    assert answer.content_type == ("application/json" if challenge == "header" else "text/plain")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert Delivery.objects.count() == 0


@pytest.mark.parametrize("asked", [HUB, ECHO, HEADER], ids=["hub", "echo", "header"])
def test_another_hook_takes_it_for_a_call(shop: Application, asked: Any) -> None:
    assert sent(make_hook(shop), **asked).status == 405
    assert sent(make_hook(shop, "reading", methods=["GET"]), **asked).status == 202


@pytest.mark.parametrize("challenge", ["hub", "echo", "token", "header"])
def test_what_is_no_challenge_is_a_call(shop: Application, challenge: str) -> None:
    hook = make_hook(shop, challenge=challenge)
    assert sent(hook).status == 202
    assert sent(hook, method="GET").status == 405


def test_what_has_a_body_is_a_call_whatever_its_query_says(shop: Application) -> None:
    answer = sent(make_hook(shop, challenge="token"), b'{"value": 1}', query="validationToken=x")
    assert (answer.status, bytes(stored(answer).body)) == (202, b'{"value": 1}')


@pytest.mark.parametrize("challenge", ["hub", "echo", "token", "header"])
def test_what_asks_more_than_can_be_read_is_a_call(shop: Application, challenge: str) -> None:
    answer = sent(make_hook(shop, challenge=challenge), query="&" * 1001)
    assert (answer.status, stored(answer).query) == (202, "&" * 1001)


@pytest.mark.parametrize(
    ("expected", "query", "status"),
    [
        ("t", "hub.challenge=1&hub.verify_token=t", 200),
        ("t", "hub.challenge=1&hub.verify_token=other", 403),
        ("t", "hub.challenge=1", 403),
        ("t", "hub.challenge=1&hub.verify_token=%ED%A0%80", 403),
        ("", "hub.challenge=1&hub.verify_token=anything", 200),
    ],
    ids=["right", "wrong", "missing", "odd", "none agreed"],
)
def test_with_hub_the_token_must_be_the_one_that_was_agreed_upon(
    shop: Application, expected: str, query: str, status: int
) -> None:
    hook = make_hook(shop, challenge="hub", settings={"verify_token": expected} if expected else {})
    answer = sent(hook, b"", "GET", query)
    assert answer.status == status
    assert (answer.body == b"1") == (status == 200)
