"""Inviting somebody in the panel: the mail, the link that is shown once, and how many are sent."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel import member_views
from badgerjobs.workspaces.models import Application, Invitation, Role
from tests.factories import make_application, make_member
from tests.panel.invited import LINK, invite_by_page, members_of, visitor, words
from tests.workspaces.database_texts import places_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alice")]


def test_an_invitation_is_mailed_with_a_link_that_says_where_it_was_read(alice: Client, shop: Application) -> None:
    invite_by_page(alice, shop)
    [letter] = mail.outbox
    assert (letter.to, letter.subject) == (["bob@example.com"], "You are invited to a workspace of Badger Jobs")
    assert "alice@example.com invites you to the workspace “Example Shop”" in letter.body
    assert "as viewer" in letter.body
    link = LINK.search(str(letter.body))
    assert link
    assert link[2]
    assert "Join Example Shop" in words(visitor().get(link[0]))


def test_the_link_is_shown_once_and_stands_nowhere_in_the_database(alice: Client, shop: Application) -> None:
    page = invite_by_page(alice, shop).content.decode()
    link = LINK.search(page)
    assert link
    assert link[2] is None
    assert places_of(link[1].split("/")[2]) == []
    assert not LINK.search(alice.get(members_of(shop)).content.decode())


def test_without_a_mail_server_the_page_says_so_and_shows_the_link(alice: Client, shop: Application) -> None:
    answer = invite_by_page(alice, shop)
    assert "has no mail server. Give them the link below yourself" in words(answer)
    assert LINK.search(answer.content.decode())


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError])
def test_a_mail_server_that_is_away_loses_no_invitation(
    error: type[OSError], alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    def away(*_: Any) -> None:
        raise error

    settings.EMAIL_URL = "smtp://mail.example.com"
    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", away)
    answer = invite_by_page(alice, shop)
    assert "the mail could not be sent. Give them the link below yourself" in words(answer)
    assert LINK.search(answer.content.decode())
    assert Invitation.objects.open(timezone.now()).count() == 1


@pytest.mark.parametrize(
    ("email", "role", "said"),
    [
        ("", "viewer", "Say whom to invite"),
        ("bob", "viewer", "Give an e-mail address like bob@example.com."),
        ("alice@example.com", "viewer", "a member already"),
        ("bob@example.com", "king", "Choose one of the roles"),
    ],
)
def test_what_cannot_be_invited_is_said_beside_its_field(
    email: str, role: str, said: str, alice: Client, shop: Application
) -> None:
    answer = invite_by_page(alice, shop, email, role)
    assert said in words(answer)
    assert f'value="{email}"' in answer.content.decode() or not email
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_so_many_mails_in_an_hour_and_no_more(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_views, "MAILS_PER_HOUR", 2)
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    for name in ("bob", "carol", "erin"):
        answer = invite_by_page(alice, shop, f"{name}@example.com")
    assert "Go on in the next one" in words(answer)
    assert len(mail.outbox) == 2


def test_nobody_is_mailed_without_end_by_however_many_inviters(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_views, "MAILS_TO_ONE", 2)
    monkeypatch.setattr("time.time", lambda: 1_700_003_600.0)
    charlies = make_application("Charlie's")
    make_member(charlies.workspace, Role.OWNER, "charlie@example.com")
    charlie = visitor("charlie@example.com")
    invite_by_page(alice, shop, "Bob@example.com")
    invite_by_page(charlie, charlies)
    assert "Try again in the next one" in words(invite_by_page(alice, shop))
    slug = Invitation.objects.get(workspace=charlies.workspace).slug
    again = charlie.post(reverse("panel:send-anew", args=[charlies.workspace.slug, slug]), follow=True)
    assert "Try again in the next one" in words(again)
    assert len(mail.outbox) == 2
    invite_by_page(alice, shop, "carol@example.com")
    assert len(mail.outbox) == 3


def test_an_address_longer_than_any_is_said_beside_its_field(alice: Client, shop: Application) -> None:
    long = f"{'b' * 60}@{'.'.join(['b' * 60] * 4)}.com"
    assert "at most 254 characters" in words(invite_by_page(alice, shop, long))


def test_sent_anew_the_new_link_works_and_the_old_one_does_not(alice: Client, shop: Application) -> None:
    old = LINK.search(invite_by_page(alice, shop).content.decode())
    again = reverse("panel:send-anew", args=[shop.workspace.slug, Invitation.objects.get().slug])
    new = LINK.search(alice.post(again, follow=True).content.decode())
    assert old
    assert new
    assert [visitor().get(link[1]).status_code for link in (old, new)] == [404, 200]
    assert len(mail.outbox) == 2


def test_a_withdrawn_one_leaves_the_list_and_opens_nothing(alice: Client, shop: Application) -> None:
    link = LINK.search(invite_by_page(alice, shop).content.decode())
    assert link
    at = reverse("panel:withdraw", args=[shop.workspace.slug, Invitation.objects.get().slug])
    assert "is withdrawn" in words(alice.post(at, follow=True))
    assert at not in alice.get(members_of(shop)).content.decode()
    assert "was withdrawn" in words(visitor().get(link[1]))
