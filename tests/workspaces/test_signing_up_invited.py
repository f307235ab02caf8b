"""Signing up by an invitation: who may, and whether it says whose address that is."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces import audit, invitations
from badgerjobs.workspaces.models import Member, Role, User
from tests.factories import make_application, make_member
from tests.workspaces.visitors import (
    browser,
    mailed_link,
    sign_up,
    subjects,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("open_house")]


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


@pytest.mark.parametrize(
    ("setting", "said"), [("invitation", "to invite you"), ("closed", "No accounts are made here")]
)
def test_who_may_not_sign_up_is_told_what_would_help(setting: str, said: str, settings: Any) -> None:
    settings.SIGN_UP = setting
    page = browser().get(reverse("account_signup")).content.decode()
    assert said in page
    assert ("to invite you" in page) is (setting == "invitation")
