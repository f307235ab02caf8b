"""Second factors: codes and recovery codes, each good once, and what a new password ends."""

from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from badgerjobs.workspaces import people
from badgerjobs.workspaces.models import User
from tests.factories import make_person
from tests.workspaces.visitors import (
    PASSWORD,
    WRONG,
    browser,
    code_of,
    is_in,
    mailed_link,
    prove,
    says_too_many,
    sign_in,
    sign_up,
    turn_on,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


@pytest.fixture
def alice() -> User:
    return make_person("alice@example.com", PASSWORD)


@pytest.fixture
def factor(alice: User) -> tuple[str, list[str]]:
    visitor = browser()
    sign_in(visitor)
    found = turn_on(visitor)
    cache.clear()
    return found


def give(client: Client, code: str) -> bool:
    """Sign in with password and code; whether that was enough."""
    sign_in(client)
    client.post(reverse("mfa_authenticate"), {"code": code})
    return is_in(client)


def test_a_password_alone_is_not_enough_any_more(factor: tuple[str, list[str]]) -> None:
    visitor = browser()
    sign_in(visitor)
    assert not is_in(visitor)
    assert b"do not belong together" in sign_in(browser(), password=WRONG).content


@pytest.mark.parametrize("begun", ["page", "code"])
def test_a_new_password_ends_what_was_begun_with_the_old_one(
    alice: User, factor: tuple[str, list[str]], begun: str
) -> None:
    visitor, page = browser(), reverse("mfa_authenticate")
    sign_in(visitor)
    assert visitor.get(page).status_code == 200
    people.admit(user=alice, password="another walk in the wood")
    answer = visitor.get(page) if begun == "page" else visitor.post(page, {"code": code_of(factor[0], 1)})
    assert (answer.status_code, answer["Location"]) == (302, reverse("account_login"))
    assert visitor.get(page)["Location"] == reverse("account_login")
    assert not is_in(visitor)


def test_a_new_password_ends_what_waits_for_the_address_to_be_confirmed() -> None:
    visitor = browser()
    sign_up(visitor)
    user = User.objects.get()
    user.set_password("another walk in the wood")
    user.save()
    visitor.post(mailed_link(), follow=True)
    assert not is_in(visitor)


def test_a_code_counts_once(alice: User, factor: tuple[str, list[str]]) -> None:
    code = code_of(factor[0], 1)
    assert give(browser(), code)
    # allauth remembers it for 30 s; it is good for 90.
    assert cache.delete(f"allauth.mfa.totp.used?user={alice.pk}&code={code}")
    assert not give(browser(), code)
    assert give(browser(), code_of(factor[0]))


def test_a_recovery_code_counts_once(factor: tuple[str, list[str]]) -> None:
    first, second, *_ = factor[1]
    assert [give(browser(), code) for code in (first, first, second)] == [True, False, True]


def test_recovery_codes_are_shown_once(factor: tuple[str, list[str]]) -> None:
    visitor = browser()
    assert give(visitor, factor[1][0])
    prove(visitor)
    later = visitor.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert "9 of 10 are left" in later
    assert not any(code in later for code in factor[1])


def test_codes_cannot_be_guessed_at_will(factor: tuple[str, list[str]]) -> None:
    visitor = browser()
    sign_in(visitor)
    tries = [visitor.post(reverse("mfa_authenticate"), {"code": "no code"}) for _ in range(6)]
    assert [says_too_many(answer) for answer in tries] == [False] * 5 + [True]
    assert not give(browser(REMOTE_ADDR="198.51.100.1"), code_of(factor[0]))


def test_what_codes_are_made_of_lies_encrypted(factor: tuple[str, list[str]]) -> None:
    stored = {row.type: row.data for row in Authenticator.objects.all()}
    assert factor[0] not in str(stored)
    assert stored["totp"]["secret"].startswith("gAAAA")
    assert stored["recovery_codes"]["seed"].startswith("gAAAA")


def test_with_a_second_factor_on_the_address_stays(factor: tuple[str, list[str]]) -> None:
    visitor = browser()
    assert give(visitor, factor[1][0])
    prove(visitor)
    answer = visitor.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert b"Turn your second factor off first" in answer.content


def test_the_operator_lets_somebody_in_who_has_lost_phone_and_codes(factor: tuple[str, list[str]]) -> None:
    make_person("bob@example.com")
    said = StringIO()
    for email in ("Alice@example.com", "bob@example.com"):
        call_command("forget_second_factor", email, stdout=said)
    assert said.getvalue().splitlines() == [
        "The second factor of alice@example.com is off: their password alone lets them in.",
        "The second factor of bob@example.com was off already.",
    ]
    visitor = browser()
    sign_in(visitor)
    assert is_in(visitor)
    with pytest.raises(CommandError, match="no account for 'nobody@"):
        call_command("forget_second_factor", "nobody@example.com")
