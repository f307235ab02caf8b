"""Tokens: which are taken, which are not, and what is remembered of their use."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token, revoke_token
from badgerjobs.workspaces.models import Scope, Token
from tests.callers import PROBLEM, Caller
from tests.factories import NOW, make_application, make_token

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def test_a_token_leads_to_its_application() -> None:
    alices, charlies = make_application("Alice's"), make_application("Charlie's")
    secret = make_token(alices)
    make_token(charlies)
    token = Token.objects.by_token(secret, NOW)
    assert token
    assert token.application == alices


@pytest.mark.parametrize(
    ("fields", "usable"),
    [
        ({}, True),
        ({"expires_at": NOW + SECOND}, True),
        ({"expires_at": NOW}, False),
        ({"expires_at": NOW - SECOND}, False),
    ],
)
def test_a_token_is_good_until_it_expires(fields: dict[str, Any], usable: bool) -> None:
    secret = make_token(make_application(), **fields)
    assert (Token.objects.by_token(secret, NOW) is not None) is usable


def test_a_revoked_token_is_over_and_keeps_the_moment() -> None:
    token, secret = issue_token(application=make_application(), label="test", by=OPERATOR, now=NOW)
    revoke_token(token=token, by=OPERATOR, now=NOW)
    revoke_token(token=token, by=OPERATOR, now=NOW + SECOND)
    assert Token.objects.by_token(secret, NOW) is None
    assert Token.objects.get().revoked_at == NOW


def test_of_two_tokens_with_one_prefix_each_leads_to_its_own() -> None:
    first, one = issue_token(application=make_application(), label="one", by=OPERATOR, now=NOW)
    second, other = issue_token(application=first.application, label="other", by=OPERATOR, now=NOW)
    # Prefixes are for people; nothing may rest on their being unique.
    shared = one.replace(f"bj_{first.prefix}_", f"bj_{second.prefix}_")
    Token.objects.filter(pk=first.pk).update(prefix=second.prefix)
    assert Token.objects.by_token(other, NOW) == second
    assert Token.objects.by_token(shared, NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Basic dXNlcjpwYXNz",
        "Token {secret}",
        "{secret}",
        "Bearer {secret}x",
        "Bearer {secret} ",  # django's test client keeps the blank; servers strip it
        "Bearer é",
        "Bearer \x00",
        "Bearer " + "x" * 8000,
    ],
)
def test_what_is_no_bearer_token_is_a_401_that_says_how(alice: Caller, header: str) -> None:
    answer = Caller().get("/jobs/", Authorization=header.replace("{secret}", alice.secret))
    if header == "Bearer {secret} ":
        assert answer.status == 200
        return
    assert (answer.status, answer.content_type) == (401, PROBLEM)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Badger Jobs"'
    assert "Bearer TOKEN" in answer.body["detail"] or "not valid" in answer.body["detail"]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_taken_in_any_case(alice: Caller, scheme: str) -> None:
    assert Caller().get("/jobs/", Authorization=f"{scheme} {alice.secret}").status == 200


def test_the_use_of_a_token_is_remembered_once_a_minute() -> None:
    token, _ = issue_token(application=make_application(), label="test", by=OPERATOR, now=NOW)
    for seconds, remembered in [(0, 0), (1, 0), (59, 0), (60, 60), (119, 60), (120, 120)]:
        now = NOW + seconds * SECOND
        token.refresh_from_db()
        Token.objects.mark_used(token, now)
        assert Token.objects.get().last_used_at == NOW + remembered * SECOND


def test_a_request_within_the_minute_reads_the_token_and_writes_nothing(
    alice: Caller, django_assert_num_queries: Any
) -> None:
    alice.get("/")
    used = Token.objects.get().last_used_at
    assert used
    assert timezone.now() - used < timedelta(minutes=1)
    with django_assert_num_queries(1) as captured:
        alice.get("/")
    assert captured[0]["sql"].startswith("SELECT")
    assert Token.objects.get().last_used_at == used


@pytest.mark.parametrize("scope", Scope.values)
def test_a_token_may_what_its_scopes_say(scope: str) -> None:
    token, _ = issue_token(application=make_application(), label="test", by=OPERATOR, now=NOW, scopes=[scope])
    assert [each for each in Scope.values if token.may(each)] == [scope]


def test_a_label_and_a_prefix_are_all_that_a_token_says_of_itself() -> None:
    token, secret = issue_token(application=make_application(), label="laptop", by=OPERATOR, now=NOW)
    assert str(token) == f"laptop ({token.prefix}…)"
    assert secret.removeprefix(f"bj_{token.prefix}_") not in str(token) + repr(token)
