"""Sessions: which end when, who ends them, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.web import retention
from badgerjobs.web.retention import forget_sessions
from badgerjobs.workspaces.models import Role, User
from tests.factories import make_application, make_member, make_person
from tests.workspaces.visitors import (
    PASSWORD,
    browser,
    is_in,
    prove,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


@pytest.fixture
def alice() -> User:
    return make_person("alice@example.com", PASSWORD)


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


def test_where_somebody_was_signed_in_is_forgotten_after_they_have_signed_out(alice: User) -> None:
    laptop, phone = browser(), browser()
    sign_in(laptop)
    sign_in(phone)
    phone.logout()
    in_an_hour = timezone.now() + timedelta(hours=1)
    assert [forget_sessions(now=in_an_hour) for _ in range(2)] == [1, 0]
    assert [row.session_key for row in UserSession.objects.all()] == [laptop.session.session_key]


def test_a_session_that_is_just_being_made_is_not_taken_for_one_that_is_over(alice: User) -> None:
    UserSession.objects.create(user=alice, session_key="not-committed-yet", ip="127.0.0.1")
    assert forget_sessions(now=timezone.now()) == 0
    assert UserSession.objects.exists()


def test_sessions_are_forgotten_in_batches(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(3):
        UserSession.objects.create(user=alice, session_key=str(number), ip="127.0.0.1")
    in_an_hour = timezone.now() + timedelta(hours=1)
    assert [forget_sessions(now=in_an_hour) for _ in range(3)] == [2, 1, 0]


def test_what_matters_asks_for_the_password_again(alice: User) -> None:
    visitor = browser()
    sign_in(visitor)
    for name in ("mfa_activate_totp", "mfa_add_webauthn"):
        assert visitor.get(reverse(name))["Location"].startswith(reverse("account_reauthenticate"))
    prove(visitor)
    assert visitor.get(reverse("mfa_activate_totp")).status_code == 200
