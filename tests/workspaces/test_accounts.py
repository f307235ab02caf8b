"""Accounts: who may make one, what it needs, and what nobody learns of others'."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces import account_urls, audit, invitations
from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, User, Workspace
from badgerjobs.workspaces.people import open_workspace
from tests.factories import make_application, make_member, make_person
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

ROOT = Path(__file__).resolve().parents[2]
THEIRS = Path(allauth.__file__).parent / "templates"
# Mails and messages of what we do not offer: codes by mail, phones.
UNUSED = re.compile(r"login_code|password_reset_code|phone|primary_email_not")


def templates_of_views() -> set[str]:
    views = [pattern.callback for pattern in account_urls.urlpatterns]
    named = {getattr(getattr(view, "view_class", None), "template_name", None) for view in views}
    return {name for name in named if name} | {"account/signup_closed.html", "account/verification_sent.html"}


def texts() -> set[str]:
    folders = [THEIRS / app / kind for app in ("account", "mfa", "usersessions") for kind in ("email", "messages")]
    found = {str(path.relative_to(THEIRS)) for folder in folders for path in folder.glob("*.txt")}
    return {name for name in found if not UNUSED.search(name)}


@pytest.mark.parametrize("name", sorted(templates_of_views() | texts()))
def test_every_page_mail_and_message_is_in_our_words(name: str) -> None:
    template: Any = get_template(name)
    assert Path(template.origin.name).is_relative_to(ROOT / "templates")


@pytest.mark.parametrize(
    "path",
    [
        "login/code/", "login/code/confirm/", "signup/passkey/", "phone/verify/", "phone/change/", "2fa/trust/",
        "2fa/recovery-codes/download/", "password/reset/confirm/", "password/reset/complete/", "3rdparty/",
        "social/login/error/", "2fa/webauthn/signup/",
    ],
)  # fmt: skip
def test_what_we_do_not_offer_is_not_there(path: str) -> None:
    assert browser().get(f"/accounts/{path}").status_code == 404


# Signing up


@pytest.mark.parametrize(
    ("setting", "is_invited", "may"),
    [
        ("open", False, True),
        ("open", True, True),
        ("invitation", False, False),
        ("invitation", True, True),
        ("closed", False, False),
        ("closed", True, False),
    ],
)
def test_the_setting_says_who_may_sign_up(setting: str, is_invited: bool, may: bool, settings: Any) -> None:
    settings.SIGN_UP = setting
    visitor = browser()
    if is_invited:
        visitor.get(reverse("panel:invitation", args=[invited()]))
    assert (b'name="password1"' in visitor.get(reverse("account_signup")).content) is may
    sign_up(visitor, "bob@example.com")
    assert User.objects.filter(email="bob@example.com").exists() is may


def test_by_an_invitation_only_whom_it_is_for_signs_up(settings: Any) -> None:
    settings.SIGN_UP = "invitation"
    visitor, other = browser(), browser()
    link = reverse("panel:invitation", args=[invited()])
    for one in (visitor, other):
        one.get(link)
    assert "The invitation is for b…b@example.com" in sign_up(other, "charlie@example.com").content.decode()
    sign_up(visitor, "Bob@Example.com")
    assert not User.objects.filter(email="charlie@example.com").exists()
    assert User.objects.filter(email="bob@example.com").exists()


@pytest.mark.parametrize("over", ["withdrawn_at", "accepted_at", "expires_at"])
def test_an_invitation_that_is_over_lets_nobody_sign_up(over: str, settings: Any) -> None:
    settings.SIGN_UP = "invitation"
    visitor = browser()
    secret = invited()
    visitor.get(reverse("panel:invitation", args=[secret]))
    found = invitations.find(secret)
    assert found
    setattr(found, over, timezone.now() - timedelta(seconds=1))
    found.save()
    assert b'name="password1"' not in visitor.get(reverse("account_signup")).content


def test_who_signs_up_confirms_and_is_where_they_can_begin() -> None:
    visitor = browser()
    assert b"Look into your mail" in sign_up(visitor).content
    assert not is_in(visitor)
    landed = visitor.post(mailed_link(), follow=True)
    application = Application.objects.get()
    assert landed.request["PATH_INFO"] == reverse("panel:overview", args=[application.slug])
    assert (application.name, application.workspace.name) == ("my-app", "alice's workspace")
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
    [("short", "too short"), ("password", "too common"), ("alice@example.com", "too similar")],
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


# Invitations


def invited(email: str = "bob@example.com", role: Role = Role.VIEWER) -> str:
    """The secret of an invitation into Alice's workspace."""
    workspace = make_application("Example Shop").workspace
    alice = make_member(workspace, Role.OWNER).user
    _, secret = invitations.invite(
        workspace=workspace, email=email, role=role, by=audit.person(alice, ""), now=timezone.now()
    )
    return secret


def mailed_invitation(secret: str) -> str:
    return reverse("panel:invitation", args=[secret]) + f"?mail={invitations.mail_proof(secret)}"


def test_who_comes_by_the_mail_need_not_confirm_again_and_lands_on_the_invitation() -> None:
    secret, visitor = invited(), browser()
    visitor.get(mailed_invitation(secret))
    landed = sign_up(visitor, "bob@example.com")
    assert landed.request["PATH_INFO"] == reverse("panel:invitation", args=[secret])
    assert EmailAddress.objects.get(email="bob@example.com").verified
    assert "Confirm your address" not in subjects()
    assert not Member.objects.filter(user__email="bob@example.com").exists()


def test_who_comes_by_a_copied_link_confirms_first_and_then_lands_on_the_invitation() -> None:
    secret, visitor = invited(), browser()
    visitor.get(reverse("panel:invitation", args=[secret]))
    sign_up(visitor, "bob@example.com")
    assert not EmailAddress.objects.get(email="bob@example.com").verified
    landed = visitor.post(mailed_link("bob@example.com"), follow=True)
    assert landed.request["PATH_INFO"] == reverse("panel:invitation", args=[secret])


def test_another_address_than_the_invited_one_is_confirmed_by_no_invitation() -> None:
    visitor = browser()
    visitor.get(mailed_invitation(invited()))
    sign_up(visitor, "charlie@example.com")
    assert not EmailAddress.objects.get(email="charlie@example.com").verified


def test_the_mail_of_one_invitation_says_nothing_of_another_one() -> None:
    """Else who invites themselves, and then somebody else, could make an account in that one's name."""
    visitor, own, other = browser(), invited("charlie@example.com"), invited("bob@example.com")
    visitor.get(mailed_invitation(own))
    visitor.get(reverse("panel:invitation", args=[other]))
    sign_up(visitor, "bob@example.com")
    assert not EmailAddress.objects.get(email="bob@example.com").verified


def test_the_invited_address_is_filled_in() -> None:
    visitor = browser()
    visitor.get(mailed_invitation(invited()))
    assert b'value="bob@example.com"' in visitor.get(reverse("account_signup")).content


# What nobody learns


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


# Changing it


def test_a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told() -> None:
    make_person("alice@example.com", PASSWORD)
    visitor = browser()
    sign_in(visitor)
    prove(visitor)
    visitor.post(reverse("account_email"), {"email": "new@example.com", "action_add": ""})
    assert User.objects.get().email == "alice@example.com"
    visitor.post(mailed_link("new@example.com"))
    assert User.objects.get().email == "new@example.com"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("new@example.com", True)]
    assert "Your address was changed" in subjects()


def test_a_reset_signs_in_and_ends_every_other_session() -> None:
    make_person("alice@example.com", PASSWORD)
    laptop, phone = browser(), browser()
    sign_in(laptop)
    phone.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = phone.get(mailed_link(), follow=True)
    password = "one that is new"
    phone.post(form.request["PATH_INFO"], {"password1": password, "password2": password}, follow=True)
    assert (is_in(phone), is_in(laptop)) == (True, False)
    assert not is_in(browser())


@pytest.mark.parametrize("setting", ["open", "invitation", "closed"])
def test_the_owner_whom_a_command_named_comes_in_by_a_reset(setting: str, settings: Any) -> None:
    settings.SIGN_UP = setting
    call_command("create_application", "shop", "--workspace", "Acme", "--owner", "alice@example.com")
    visitor = browser()
    visitor.post(reverse("account_reset_password"), {"email": "alice@example.com"})
    form = visitor.get(mailed_link(), follow=True)
    visitor.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD}, follow=True)
    assert subjects() == ["Set a new password", "Your password was changed"]
    assert visitor.get("/", follow=True).request["PATH_INFO"].startswith("/a/")
    assert Workspace.objects.count() == 1
