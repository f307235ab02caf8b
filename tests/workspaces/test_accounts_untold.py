"""Nobody is told who has an account: not by words, and not by the time that an answer takes; nor takes one away."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces.models import Member, Role, User
from tests.factories import make_application, make_person
from tests.workspaces.visitors import (
    PASSWORD,
    browser,
    is_in,
    mailed_link,
    prove,
    sign_in,
    sign_up,
    subjects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


def shown(answer: Any, *emails: str) -> str:
    """A page without what differs each time: the clock, the token of the form, the address that was typed."""
    text = re.sub(r'<meta name="now"[^>]*>|name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())
    for email in emails:
        text = text.replace(email, "…")
    return text


@pytest.mark.parametrize(
    "ask",
    [
        lambda client, email: sign_in(client, email, "not the password"),
        sign_up,
        lambda client, email: client.post(reverse("account_reset_password"), {"email": email}, follow=True),
    ],
    ids=["signing in", "signing up", "resetting"],
)
def test_whether_there_is_an_account_shows_nowhere(ask: Callable[[Client, str], Any]) -> None:
    make_person("alice@example.com", PASSWORD)
    known, unknown = ask(browser(), "alice@example.com"), ask(browser(), "nobody@example.com")
    emails = ("alice@example.com", "nobody@example.com")
    assert shown(known, *emails) == shown(unknown, *emails)
    assert known.redirect_chain == unknown.redirect_chain


def test_who_has_an_account_is_told_so_by_mail() -> None:
    make_person("alice@example.com", PASSWORD)
    sign_up(browser(), password="another good one")
    assert subjects() == ["You have an account already"]
    assert not is_in(browser())
    assert sign_in(browser()).request["PATH_INFO"].startswith("/a/")


def test_an_address_that_somebody_wants_to_change_to_is_not_theirs_yet() -> None:
    """A typing error must not give the account to whoever has the address that was typed."""
    alice = make_person("alice@example.com", PASSWORD)
    EmailAddress.objects.create(user=alice, email="alcie@example.com")
    browser().post(reverse("account_reset_password"), {"email": "alcie@example.com"})
    assert subjects() == ["There is no account for this address"]
    owner = browser()
    sign_up(owner, "alcie@example.com")
    owner.post(mailed_link("alcie@example.com"))
    assert is_in(owner)


@pytest.mark.parametrize(("has_workspace", "goes"), [(False, True), (True, False)])
def test_an_account_that_never_confirmed_its_address_gives_way(has_workspace: bool, goes: bool) -> None:
    squatter = User.objects.create_user("new@example.com", PASSWORD)
    if has_workspace:
        Member.objects.create(workspace=make_application().workspace, user=squatter, role=Role.OWNER)
    alice = make_person("alice@example.com", PASSWORD)
    visitor = browser()
    sign_in(visitor)
    prove(visitor)
    visitor.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    visitor.post(mailed_link("new@example.com"), follow=True)
    alice.refresh_from_db()
    assert User.objects.filter(pk=squatter.pk).exists() is not goes
    assert alice.email == ("new@example.com" if goes else "alice@example.com")


HASHED: list[str] = []


class Counted(MD5PasswordHasher):
    """Remembers what it was given: the real one takes nearly all of the time that signing up takes."""

    def encode(self, password: str, salt: str) -> str:
        HASHED.append(password)
        return super().encode(password, salt)


@pytest.mark.parametrize("has_account", [True, False])
def test_signing_up_takes_as_long_for_an_address_that_has_an_account(has_account: bool, settings: Any) -> None:
    settings.SIGN_UP, settings.PASSWORD_HASHERS = "open", [f"{__name__}.Counted"]
    make_person("alice@example.com" if has_account else "bob@example.com")
    HASHED.clear()
    assert sign_up(browser()).status_code == 200
    assert [PASSWORD] == HASHED
