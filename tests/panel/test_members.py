"""The members of a workspace in the panel: their roles, and how they go."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.panel.roles import MAY
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.models import Application, Invitation, Member, Role
from tests.factories import make_application, make_job, make_member, make_run
from tests.panel.invited import invite_by_page, make_invitation, members_of, visitor, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("alice")]


@pytest.fixture
def bob(shop: Application) -> Member:
    return make_member(shop.workspace, Role.VIEWER, "bob@example.com")


def test_an_admin_is_offered_no_owners_role_and_gets_none(shop: Application) -> None:
    make_member(shop.workspace, Role.ADMIN, "dora@example.com")
    dora = visitor("dora@example.com")
    assert 'value="owner"' not in dora.get(members_of(shop)).content.decode()
    assert "Choose one of the roles" in words(invite_by_page(dora, shop, role="owner"))


def test_a_role_is_changed_and_what_is_refused_is_said(alice: Client, shop: Application, bob: Member) -> None:
    at = reverse("panel:change-role", args=[shop.workspace.slug, bob.slug])
    assert "bob@example.com is an editor now." in words(alice.post(at, {"role": "editor"}, follow=True))
    own = Member.objects.get(role="owner")
    at = reverse("panel:change-role", args=[shop.workspace.slug, own.slug])
    assert "is the only owner" in words(alice.post(at, {"role": "viewer"}, follow=True))
    assert "no such role" in words(alice.post(at, {"role": "king"}, follow=True))
    assert list(Member.objects.order_by("pk").values_list("role", flat=True)) == ["owner", "editor"]


def test_a_removed_members_session_sees_nothing_from_then_on(alice: Client, shop: Application, bob: Member) -> None:
    make_run(make_job(shop).runnable)
    theirs = visitor("bob@example.com")
    places = [members_of(shop), *(reverse(f"panel:{name}", args=[shop.slug]) for name in ("overview", "settings"))]
    assert [theirs.get(at).status_code for at in places] == [200] * 3
    alice.post(reverse("panel:remove-member", args=[shop.workspace.slug, bob.slug]))
    assert [theirs.get(at).status_code for at in places] == [404] * 3
    assert "Example Shop" not in theirs.get(reverse("panel:workspaces")).content.decode()


def test_who_leaves_is_out_and_the_last_owner_stays(alice: Client, shop: Application, bob: Member) -> None:
    at = reverse("panel:leave", args=[shop.workspace.slug])
    theirs = visitor("bob@example.com")
    assert "Leave “Example Shop”?" in words(theirs.get(at))
    assert theirs.post(at)["Location"] == reverse("panel:workspaces")
    assert theirs.get(members_of(shop)).status_code == 404
    assert "is the only owner" in words(alice.post(at, follow=True))


@pytest.mark.parametrize("name", ["change-role", "remove-member", "withdraw", "send-anew"])
def test_what_is_another_workspaces_is_not_found(name: str, alice: Client, shop: Application, bob: Member) -> None:
    theirs = make_application("Charlie's")
    charlie = make_member(theirs.workspace, Role.OWNER, "charlie@example.com")
    make_invitation(theirs, email="erin@example.com")
    slug = charlie.slug if name in {"change-role", "remove-member"} else Invitation.objects.get().slug
    answer = alice.post(reverse(f"panel:{name}", args=[shop.workspace.slug, slug]), {"role": "viewer"})
    assert answer.status_code == 404
    assert Invitation.objects.pending().count() == 1
    assert charlie.user.memberships.get().role == "owner"


def test_what_each_role_may_do_is_told_lowest_first(alice: Client, shop: Application) -> None:
    said = words(alice.get(members_of(shop))).partition("What each role may do")[2]
    assert list(MAY) == list(reversed(Role))
    places = [said.find(f"{role.label} {may}") for role, may in MAY.items()]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("verb", ["membership.remove_member", "invitations.withdraw"])
def test_what_a_verb_refuses_is_said_in_the_list(
    verb: str, alice: Client, shop: Application, bob: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise RefusedError("Somebody was quicker.")

    monkeypatch.setattr(f"badgerjobs.workspaces.{verb}", refuse)
    make_invitation(shop, email="erin@example.com")
    name, row = ("withdraw", Invitation.objects.get()) if "withdraw" in verb else ("remove-member", bob)
    answer = alice.post(reverse(f"panel:{name}", args=[shop.workspace.slug, row.slug]), follow=True)
    assert answer.redirect_chain == [(members_of(shop), 302)]
    assert "Somebody was quicker." in words(answer)
