"""What the link of an invitation opens, and for whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.invitations import GOOD_FOR, withdraw
from badgerjobs.workspaces.models import Application, Invitation, Member
from tests.factories import NOW
from tests.panel.invited import make_invitation, visitor, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alice")]


def test_whom_it_is_for_joins_by_a_button_and_lands_in_the_application(shop: Application) -> None:
    link, bob = make_invitation(shop), visitor("bob@example.com")
    assert "Join Example Shop as editor" in words(bob.get(link))
    assert not Member.objects.filter(user__email="bob@example.com").exists()
    assert bob.post(link)["Location"] == reverse("panel:overview", args=[shop.slug])
    assert Member.objects.get(user__email="bob@example.com").role == "editor"
    assert bob.get(link)["Location"] == reverse("panel:workspace", args=[shop.workspace.slug])


def test_nobody_is_sent_to_sign_in_or_up_and_comes_back(shop: Application) -> None:
    link, nobody = make_invitation(shop), visitor()
    page = nobody.get(link)
    assert "b…b@example.com" in words(page)
    assert "bob@example.com" not in words(page)
    for name in ("account_login", "account_signup"):
        assert f"{reverse(name)}?next={link}" in page.content.decode()
    assert nobody.post(link).status_code == 200
    assert nobody.session["invitation"] == link.split("/")[2]
    assert not Member.objects.filter(role="editor").exists()


def test_where_sign_up_is_closed_the_page_offers_none(shop: Application, settings: Any) -> None:
    settings.SIGN_UP = "closed"
    assert reverse("account_signup") not in visitor().get(make_invitation(shop)).content.decode()


def test_another_account_is_told_for_whom_it_is_and_may_sign_out(shop: Application) -> None:
    link, charlie = make_invitation(shop), visitor("charlie@example.com")
    for answer in (charlie.get(link), charlie.post(link)):
        assert (answer.status_code, "b…b@example.com" in words(answer)) == (403, True)
        assert "bob@example.com" not in answer.content.decode()
        assert "Example Shop" not in answer.content.decode()
    assert Member.objects.count() == 1
    answer = charlie.post(reverse("account_logout"), {"next": link})
    assert answer["Location"] == link
    assert "Sign in" in words(charlie.get(link))


def over(shop: Application, how: str) -> str:
    if how == "expired":
        return make_invitation(shop, now=timezone.now() - GOOD_FOR - timedelta(seconds=1))
    link = make_invitation(shop)
    if how == "withdrawn":
        withdraw(invitation=Invitation.objects.get(), by=OPERATOR, now=NOW)
    elif how == "used":
        Invitation.objects.update(accepted_at=NOW)
    else:
        Invitation.objects.all().delete()
    return link


@pytest.mark.parametrize("who", ["", "bob@example.com"], ids=["nobody", "Bob"])
@pytest.mark.parametrize(
    ("how", "status", "said"),
    [
        ("unknown", 404, "There is no such invitation"),
        ("expired", 410, "has expired"),
        ("withdrawn", 410, "was withdrawn"),
        ("used", 410, "was used"),
    ],
)
def test_one_that_is_over_says_what_to_do_and_opens_nothing(
    how: str, status: int, said: str, who: str, shop: Application
) -> None:
    link, client = over(shop, how), visitor(who)
    for answer in (client.get(link), client.post(link)):
        assert (answer.status_code, said in words(answer)) == (status, True)
        assert "Example Shop" not in answer.content.decode()
    assert "invitation" not in client.session
    assert Member.objects.count() == 1
