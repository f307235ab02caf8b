"""What protects accounts: how often one may try; and what happens when mail or cache are away."""

import logging
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse
from redis.exceptions import ConnectionError as ValkeyAway

from badgerjobs.web import spared_cache
from badgerjobs.web.authentication import address_of
from badgerjobs.workspaces.mail import LoggedMail
from badgerjobs.workspaces.models import User
from tests.factories import make_person
from tests.workspaces.visitors import (
    PASSWORD,
    WRONG,
    browser,
    is_in,
    mailed_link,
    says_too_many,
    sign_in,
    sign_up,
    subjects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


@pytest.fixture
def alice() -> User:
    return make_person("alice@example.com", PASSWORD)


# Limits


def test_an_account_bears_five_wrong_passwords_from_wherever_they_come(alice: User) -> None:
    tries = [sign_in(browser(REMOTE_ADDR=f"198.51.100.{n}"), password=WRONG) for n in range(6)]
    assert [says_too_many(answer) for answer in tries] == [False] * 5 + [True]
    assert says_too_many(sign_in(browser(REMOTE_ADDR="198.51.100.99")))
    make_person("bob@example.com", PASSWORD)
    assert not says_too_many(sign_in(browser(), "bob@example.com"))


def test_an_address_bears_ten_wrong_passwords_for_whichever_accounts() -> None:
    tries = [sign_in(browser(), f"somebody-{n}@example.com", WRONG) for n in range(11)]
    assert [says_too_many(answer) for answer in tries] == [False] * 10 + [True]
    assert not says_too_many(sign_in(browser(REMOTE_ADDR="198.51.100.1"), "other@example.com", WRONG))


def test_right_passwords_are_not_counted_as_tries(alice: User) -> None:
    assert not any(says_too_many(sign_in(browser())) for _ in range(12))


def test_a_new_password_ends_the_wait(alice: User) -> None:
    for _ in range(6):
        sign_in(browser(), password=WRONG)
    visitor = browser()
    visitor.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = visitor.get(mailed_link(), follow=True)
    visitor.post(form.request["PATH_INFO"], {"password1": "brand new one", "password2": "brand new one"}, follow=True)
    assert is_in(visitor)
    assert not says_too_many(sign_in(browser(REMOTE_ADDR="198.51.100.1"), password="brand new one"))


def test_mail_cannot_be_made_to_pour_down_on_somebody(alice: User) -> None:
    answers = [
        browser(REMOTE_ADDR=f"198.51.100.{n}").post(
            reverse("account_reset_password"), {"email": "alice@example.com"}, follow=True
        )
        for n in range(7)
    ]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert b"Wait a few minutes" in answers[-1].content
    assert len(mail.outbox) == 5


def test_the_link_to_confirm_is_sent_again_by_signing_in_but_not_at_once() -> None:
    sign_up(browser())
    sign_in(browser())
    assert len(mail.outbox) == 1
    cache.clear()  # as if a minute had passed
    sign_in(browser())
    assert subjects() == ["Confirm your address"] * 2


def test_so_many_accounts_are_made_from_one_address() -> None:
    statuses = [sign_up(browser(), f"{n}@example.com").status_code for n in range(21)]
    assert statuses == [200] * 20 + [429]


@pytest.mark.parametrize("behind_proxy", [True, False])
@pytest.mark.parametrize("passed_on", ["", "203.0.113.9", "198.51.100.1, 203.0.113.9", "198.51.100.1,2001:db8::1"])
def test_tries_are_counted_by_the_address_that_the_api_counts_by(
    behind_proxy: bool, passed_on: str, settings: Any
) -> None:
    settings.BEHIND_PROXY, settings.ALLAUTH_TRUSTED_PROXY_COUNT = behind_proxy, int(behind_proxy)
    headers = {"X-Forwarded-For": passed_on} if passed_on else {}
    request: HttpRequest = RequestFactory().get("/", headers=headers)
    assert get_adapter().get_client_ip(request) == address_of(request)


def test_who_calls_by_no_address_is_counted_too() -> None:
    assert get_adapter().get_client_ip(RequestFactory().get("/", REMOTE_ADDR="")) == "::"


# Without the cache


@pytest.fixture
def cache_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Asking the cache fails; the list has every try."""
    asked: list[str] = []

    def away(*_: Any, **__: Any) -> Any:
        asked.append("asked")
        raise ValkeyAway("Error 111")

    for name in ("add", "get", "set", "delete"):
        monkeypatch.setattr(f"django.core.cache.backends.redis.RedisCacheClient.{name}", away)
    monkeypatch.setattr(spared_cache, "_quiet_until", 0.0)
    yield asked
    monkeypatch.setattr(spared_cache, "_quiet_until", 0.0)


def test_without_the_cache_people_sign_up_and_in_and_it_is_asked_once(alice: User, cache_away: list[str]) -> None:
    visitor = browser()
    sign_in(visitor)
    sign_up(browser(), "bob@example.com")
    assert is_in(visitor)
    assert subjects() == ["Confirm your address"]
    assert len(cache_away) == 1


def test_a_wrong_password_is_still_wrong_without_the_cache(alice: User, cache_away: list[str]) -> None:
    visitor = browser()
    assert b"do not belong together" in sign_in(visitor, password=WRONG).content
    assert not is_in(visitor)


# Without mail


@pytest.fixture
def mail_away(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def away(*_: Any, **__: Any) -> int:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    return monkeypatch


def test_a_mail_server_that_is_away_is_a_page_and_the_mail_comes_later(mail_away: pytest.MonkeyPatch) -> None:
    answer = sign_up(browser())
    assert (answer.status_code, b"No mail could be sent" in answer.content) == (503, True)
    mail_away.undo()
    visitor = browser()
    sign_in(visitor)
    visitor.post(mailed_link(), follow=True)
    assert is_in(visitor)


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_a_reset_without_mail_says_so_and_says_nothing_else(
    alice: User, mail_away: pytest.MonkeyPatch, email: str
) -> None:
    answer = browser().post(reverse("account_reset_password"), {"email": email})
    assert (answer.status_code, b"No mail could be sent" in answer.content) == (503, True)


def test_a_change_needs_no_mail_to_tell_of_it(alice: User, mail_away: pytest.MonkeyPatch) -> None:
    visitor = browser()
    sign_in(visitor)
    new = {"oldpassword": PASSWORD, "password1": "brand new one", "password2": "brand new one"}
    assert visitor.post(reverse("account_change_password"), new, follow=True).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password("brand new one")


def test_mail_without_a_server_is_read_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    link = f"http://localhost:8000/accounts/confirm-email/{'x' * 200}/"
    with caplog.at_level(logging.WARNING):
        LoggedMail().send_messages([EmailMessage("Confirm", f"Open:\n\n{link}\n", "us@example.com", ["a@example.com"])])
    [record] = caplog.records
    assert {link, "To: a@example.com", "Subject: Confirm"} <= set(record.getMessage().splitlines())
