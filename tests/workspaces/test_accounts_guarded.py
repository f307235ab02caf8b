"""What protects accounts: limits, sessions, second factors; and what happens when mail or cache are away."""

import logging
import smtplib
import time
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis.exceptions import ConnectionError as ValkeyAway

from badgerjobs.web import spared_cache
from badgerjobs.web.authentication import address_of
from badgerjobs.web.retention import forget_sessions
from badgerjobs.workspaces import people
from badgerjobs.workspaces.mail import LoggedMail
from badgerjobs.workspaces.models import Role, User
from tests.factories import make_application, make_member, make_person
from tests.workspaces.visitors import (
    PASSWORD,
    QUICK_HASHERS,
    browser,
    is_in,
    mailed_link,
    prove,
    sign_in,
    sign_up,
    subjects,
)

pytestmark = pytest.mark.django_db

WRONG = "not the password"


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.SIGN_UP = "open"
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def alice() -> User:
    return make_person("alice@example.com", PASSWORD)


# Limits


def says_too_many(answer: Any) -> bool:
    return answer.status_code == 429 or b"Too many tries" in answer.content


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


# Sessions


def test_a_session_that_is_ended_is_out_at_its_next_request(alice: User) -> None:
    laptop, phone = browser(), browser(HTTP_USER_AGENT="Mozilla/5.0 (Android 15) Firefox/130.0")
    sign_in(laptop)
    sign_in(phone)
    listed = laptop.get(reverse("usersessions_list")).content.decode()
    assert "Firefox on Android" in listed
    other = UserSession.objects.get(session_key=phone.session.session_key)
    laptop.post(reverse("usersessions_list"), {"session": other.pk})
    assert (is_in(laptop), is_in(phone)) == (True, False)


def test_all_sessions_but_this_one_end_at_once(alice: User) -> None:
    browsers = [browser() for _ in range(3)]
    for each in browsers:
        sign_in(each)
    browsers[0].post(reverse("usersessions_list"))
    assert [is_in(each) for each in browsers] == [True, False, False]


@pytest.mark.parametrize("key", ["theirs", "0", "x", "9" * 40])
def test_nobody_ends_the_session_of_somebody_else(alice: User, key: str) -> None:
    make_person("charlie@example.com", PASSWORD)
    laptop, charlie = browser(), browser()
    sign_in(laptop)
    sign_in(charlie, "charlie@example.com")
    theirs = UserSession.objects.get(user=alice)
    charlie.post(reverse("usersessions_list"), {"session": str(theirs.pk) if key == "theirs" else key})
    assert (is_in(laptop), is_in(charlie)) == (True, True)


def test_a_new_password_ends_the_other_sessions(alice: User) -> None:
    laptop, phone = browser(), browser()
    sign_in(laptop)
    sign_in(phone)
    new = {"oldpassword": PASSWORD, "password1": "brand new one", "password2": "brand new one"}
    laptop.post(reverse("account_change_password"), new)
    assert (is_in(laptop), is_in(phone)) == (True, False)
    assert b"End all but this one" not in laptop.get(reverse("usersessions_list")).content
    assert UserSession.objects.count() == 1


@pytest.mark.parametrize(("ticked", "age"), [({"remember": "on"}, 30 * 24 * 3600), ({}, "")])
def test_who_does_not_want_to_stay_signed_in_is_out_when_the_browser_closes(
    alice: User, ticked: dict[str, str], age: Any
) -> None:
    visitor = browser()
    sign_in(visitor, **ticked)
    assert visitor.cookies["sessionid"]["max-age"] == age


def test_no_script_reads_the_session_and_no_other_site_sends_it(alice: User) -> None:
    visitor = browser()
    sign_in(visitor)
    cookie = visitor.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_page_costs_two_statements_to_know_who_it_is_and_one_to_remember_when(alice: User) -> None:
    application = make_application()
    make_member(application.workspace, Role.OWNER)
    visitor = browser()
    sign_in(visitor)
    with CaptureQueriesContext(connection) as seen:
        visitor.get(reverse("account_logout"))
    tables = [query["sql"] for query in seen.captured_queries]
    assert [sum(name in sql for sql in tables) for name in ("django_session", '"usersessions_usersession"')] == [1, 1]
    assert sum("SAVEPOINT" in sql or sql.startswith("INSERT") for sql in tables) == 0


def test_when_a_session_was_seen_is_written_once_a_minute(alice: User) -> None:
    visitor = browser()
    sign_in(visitor)
    session = UserSession.objects.get()
    visitor.get(reverse("account_email"))
    assert UserSession.objects.get().last_seen_at == session.last_seen_at
    UserSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    visitor.get(reverse("account_email"), REMOTE_ADDR="198.51.100.7")
    seen = UserSession.objects.get()
    assert timezone.now() - seen.last_seen_at < timedelta(minutes=1)
    assert seen.ip == "198.51.100.7"


def test_sessions_that_have_expired_are_forgotten_and_no_others(alice: User) -> None:
    laptop, phone = browser(), browser()
    sign_in(laptop)
    sign_in(phone)
    over = Session.objects.filter(session_key=phone.session.session_key)
    over.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert [forget_sessions(now=timezone.now()) for _ in range(2)] == [1, 0]
    assert [row.session_key for row in UserSession.objects.all()] == [laptop.session.session_key]
    assert is_in(laptop)


# Second factors


def code_of(secret: str, periods: int = 0) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30 + periods)))


def turn_on(client: Client) -> tuple[str, list[str]]:
    """Turn the second factor on. Returns its secret and the recovery codes."""
    prove(client)
    form = client.get(reverse("mfa_activate_totp"))
    secret = form.context["form"].secret
    shown = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)}, follow=True)
    return secret, list(shown.context["unused_codes"])


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


def test_what_matters_asks_for_the_password_again(alice: User) -> None:
    visitor = browser()
    sign_in(visitor)
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert visitor.get(reverse(name))["Location"].startswith(reverse("account_reauthenticate"))
    prove(visitor)
    assert visitor.get(reverse("mfa_activate_totp")).status_code == 200
