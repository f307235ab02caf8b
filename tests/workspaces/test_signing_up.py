"""Signing up: what it needs, and where it leads."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, User, Workspace
from badgerjobs.workspaces.people import open_workspace
from tests.factories import make_person
from tests.workspaces.visitors import (
    PASSWORD,
    browser,
    is_in,
    mailed_link,
    sign_in,
    sign_up,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


def test_who_signs_up_confirms_and_is_where_they_can_begin() -> None:
    visitor = browser()
    assert b"Look into your mail" in sign_up(visitor).content
    assert not is_in(visitor)
    landed = visitor.post(mailed_link(), follow=True)
    application = Application.objects.get()
    assert landed.request["PATH_INFO"] == reverse("panel:overview", args=[application.slug])
    assert (application.name, application.workspace.name) == ("my-app", "alice\u2019s workspace")
    assert Member.objects.get().role == Role.OWNER
    actions = AuditEntry.objects.order_by("id").values_list("actor", "action")
    assert list(actions) == [
        ("alice@example.com", "workspace.create"),
        ("alice@example.com", "application.create"),
    ]


@pytest.mark.parametrize(("server", "says"), [("", True), ("smtp://mail.example", False)], ids=["none", "one"])
def test_where_the_mail_is_when_there_is_no_server_for_it_is_said(server: str, says: bool, settings: Any) -> None:
    settings.EMAIL_URL = server
    told = [sign_up(browser()), browser().get(reverse("account_reset_password_done"))]
    assert [b"on the terminal of" in answer.content for answer in told] == [says, says]


def test_opening_the_link_alone_confirms_nothing() -> None:
    """Programs that look through mail open every link."""
    sign_up(browser())
    assert b"Is this your address?" in browser().get(mailed_link()).content
    assert not EmailAddress.objects.get().verified


def test_the_link_may_be_opened_on_another_device() -> None:
    visitor, phone = browser(), browser()
    sign_up(visitor)
    phone.post(mailed_link())
    assert not is_in(phone)
    assert sign_in(visitor).request["PATH_INFO"].startswith("/a/")


def test_a_link_that_was_used_says_what_to_do() -> None:
    sign_up(browser())
    link = mailed_link()
    browser().post(link)
    again = browser().get(link)
    assert (again.status_code, b"does not count any more" in again.content) == (200, True)


def test_a_workspace_is_opened_once_however_often_somebody_comes() -> None:
    visitor = browser()
    sign_up(visitor)
    visitor.post(mailed_link())
    visitor.post(reverse("account_logout"))
    sign_in(visitor)
    alice = User.objects.get()
    assert open_workspace(user=alice, by=audit.person(alice, ""), now=timezone.now()) is None
    assert (Workspace.objects.count(), Application.objects.count()) == (1, 1)


@pytest.mark.parametrize("setting", ["invitation", "closed"])
def test_where_not_everybody_may_come_nobody_gets_a_workspace_by_signing_in(setting: str, settings: Any) -> None:
    settings.SIGN_UP = setting
    make_person("alice@example.com", PASSWORD)
    assert sign_in(browser()).status_code == 200
    assert not Workspace.objects.exists()


@pytest.mark.parametrize(
    ("password", "says"),
    [
        ("short", "Give at least 8 characters."),
        ("password", "Choose another: so many people have this one"),
        ("alice@example.com", "Choose one that is less like your e-mail address."),
    ],
)
def test_a_password_that_everybody_could_guess_is_refused(password: str, says: str) -> None:
    assert says in sign_up(browser(), password=password).content.decode()
    assert not User.objects.exists()


def test_the_same_form_sent_twice_at_once_makes_one_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one looked before the first one had made it."""
    sign_up(browser())
    monkeypatch.setattr("badgerjobs.workspaces.account_forms.SignUp.validate_unique_email", lambda _, value: value)
    assert b"Look into your mail" in sign_up(browser()).content
    assert User.objects.count() == 1
