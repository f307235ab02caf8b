"""What the audit logs of somebody's workspaces say of their account: what concerns how safe it is, and no more."""

from io import StringIO
from typing import Any

import pytest
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.template.loader import get_template
from django.test import Client, RequestFactory
from django.urls import reverse

from badgerjobs.workspaces.accounts import MAILED_ACTIONS
from badgerjobs.workspaces.models import AuditEntry, Role, User
from tests.factories import make_application, make_member, make_person
from tests.workspaces.visitors import PASSWORD, QUICK_HASHERS, browser, mailed_link, prove, sign_in, turn_on

pytestmark = pytest.mark.django_db

NEW = {"password1": "brand new one", "password2": "brand new one"}


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = QUICK_HASHERS


@pytest.fixture
def alice() -> User:
    """A member of two workspaces; of a third one, Charlie's, she is none."""
    person = make_person("alice@example.com", PASSWORD)
    make_member(make_application("Alice's").workspace)
    make_member(make_application("Bob's").workspace, Role.VIEWER)
    make_member(make_application("Charlie's").workspace, email="charlie@example.com")
    return person


def told() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "workspace__name"))


def in_both(action: str) -> list[tuple[str, str]]:
    return [(action, "Alice's"), (action, "Bob's")]


def change(visitor: Client) -> None:
    sign_in(visitor)
    visitor.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **NEW})


def reset(visitor: Client) -> None:
    visitor.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = visitor.get(mailed_link(), follow=True)
    visitor.post(form.request["PATH_INFO"], NEW, follow=True)


@pytest.mark.parametrize("way", [change, reset])
def test_a_new_password_stands_in_the_log_of_each_workspace_of_its_owner(alice: User, way: Any) -> None:
    way(browser(REMOTE_ADDR="192.0.2.7"))
    assert sorted(told()) == in_both("account.password")
    entry = AuditEntry.objects.earliest("id")
    assert (entry.user, entry.actor, entry.subject) == (alice, "alice@example.com", "alice@example.com")
    assert (entry.via, entry.address, entry.changes) == ("panel", "192.0.2.7", {})


@pytest.mark.django_db(transaction=True)  # it is told after the commit
def test_a_second_factor_that_goes_on_and_off_stands_there_too(alice: User) -> None:
    visitor = browser()
    sign_in(visitor)
    turn_on(visitor)
    assert sorted(told()) == in_both("account.factor_on")
    AuditEntry.objects.all().delete()
    prove(visitor)
    visitor.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.filter(type="totp").exists()
    assert sorted(told()) == in_both("account.factor_off")


@pytest.mark.parametrize("mailed", MAILED_ACTIONS)
def test_every_mail_that_stands_for_an_action_is_one_that_is_sent(alice: User, mailed: str) -> None:
    get_template(f"{mailed}_message.txt")
    tell(mailed, alice)
    assert sorted(told()) == in_both(MAILED_ACTIONS[mailed])


def test_addresses_and_recovery_codes_are_nobody_elses_business(alice: User) -> None:
    for mailed in ("account/email/email_changed", "mfa/email/recovery_codes_generated"):
        tell(mailed, alice, {"to_email": "new@example.com", "from_email": "alice@example.com"})
    assert told() == []


def tell(mailed: str, person: User, about: dict[str, str] | None = None) -> None:
    request = RequestFactory().get("/")
    with context.request_context(request):
        get_adapter(request).send_notification_mail(mailed, person, about)


def test_the_operator_who_turns_a_second_factor_off_leaves_a_trace_and_only_once(alice: User) -> None:
    Authenticator.objects.create(user=alice, type="totp", data={})
    for _ in range(2):
        call_command("forget_second_factor", "alice@example.com", stdout=StringIO())
    assert sorted(told()) == in_both("account.factor_forgotten")
    assert set(AuditEntry.objects.values_list("actor", "via", "subject")) == {
        ("operator", "command", "alice@example.com")
    }
