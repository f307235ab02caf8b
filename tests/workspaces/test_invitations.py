"""Invitations: whom they let in, how often, and until when."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from badgerjobs.workspaces import audit, invitations
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.invitations import GOOD_FOR, find, invite, join, send_anew, standing, withdraw
from badgerjobs.workspaces.models import AuditEntry, Invitation, Member, Role, User, Workspace
from tests.factories import NOW, make_member, make_person
from tests.runs.together import together
from tests.workspaces.database_texts import places_of

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def alice(db: None) -> Member:
    return make_member(Workspace.objects.create(name="Example Shop"))


@pytest.fixture
def bob(db: None) -> User:
    return make_person("bob@example.com")


def by(user: User) -> Actor:
    return audit.person(user, "127.0.0.1")


def invited(alice: Member, email: str = "bob@example.com", role: Role = Role.VIEWER) -> tuple[Invitation, str]:
    return invite(workspace=alice.workspace, email=email, role=role, by=by(alice.user), now=NOW)


def test_whoever_it_was_sent_to_joins_with_the_role_that_it_says(alice: Member, bob: User) -> None:
    invitation, _ = invited(alice, "Bob@Example.com ", Role.EDITOR)
    member = join(invitation=invitation, user=bob, by=by(bob), now=NOW)
    assert (member.user, member.workspace, member.role) == (bob, alice.workspace, "editor")
    assert list(AuditEntry.objects.order_by("id").values_list("actor", "action", "subject")) == [
        ("alice@example.com", "member.invite", "bob@example.com"),
        ("bob@example.com", "member.join", "bob@example.com"),
    ]


def test_the_secret_stands_nowhere_in_the_database(alice: Member) -> None:
    invitation, secret = invited(alice)
    assert len(secret) == 43
    assert places_of(secret) == []
    assert find(secret) == invitation
    assert find(secret[:-1]) is None


def test_it_works_once(alice: Member, bob: User) -> None:
    invitation, _ = invited(alice)
    join(invitation=invitation, user=bob, by=by(bob), now=NOW)
    Member.objects.filter(user=bob).delete()
    with pytest.raises(RefusedError, match="used"):
        join(invitation=invitation, user=bob, by=by(bob), now=NOW)
    assert not Member.objects.filter(user=bob).exists()


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_make_one_member(alice: Member, bob: User) -> None:
    invitation, _ = invited(alice)

    def one() -> bool:
        try:
            join(invitation=invitation, user=bob, by=by(bob), now=NOW)
        except RefusedError:
            return False
        return True

    assert sorted(together(one, one)) == [False, True]
    assert Member.objects.filter(user=bob).count() == 1


@pytest.mark.parametrize(("later", "opens"), [(GOOD_FOR - SECOND, True), (GOOD_FOR, False)], ids=["before", "after"])
def test_it_is_good_for_seven_days(later: timedelta, opens: bool, alice: Member, bob: User) -> None:
    invitation, _ = invited(alice)
    if opens:
        join(invitation=invitation, user=bob, by=by(bob), now=NOW + later)
    else:
        with pytest.raises(RefusedError, match="expired"):
            join(invitation=invitation, user=bob, by=by(bob), now=NOW + later)
    assert Member.objects.filter(user=bob).exists() is opens
    assert timedelta(days=7) == GOOD_FOR


def test_a_withdrawn_one_opens_nothing(alice: Member, bob: User) -> None:
    invitation, _ = invited(alice)
    for _ in range(2):
        withdraw(invitation=invitation, by=by(alice.user), now=NOW)
    with pytest.raises(RefusedError, match="withdrawn"):
        join(invitation=invitation, user=bob, by=by(bob), now=NOW)
    assert AuditEntry.objects.filter(action="member.withdraw").count() == 1


def test_nobody_else_joins_by_it(alice: Member) -> None:
    invitation, _ = invited(alice)
    charlie = make_person("charlie@example.com")
    with pytest.raises(RefusedError, match="another"):
        join(invitation=invitation, user=charlie, by=by(charlie), now=NOW)
    assert not Member.objects.filter(user=charlie).exists()


@pytest.mark.parametrize("verified", [True, False])
def test_an_address_besides_the_first_counts_when_it_is_confirmed(verified: bool, alice: Member) -> None:
    carol = make_person("carol@example.com")
    EmailAddress.objects.create(user=carol, email="bob@example.com", verified=verified)
    invitation, _ = invited(alice)
    assert invitations.is_for(invitation, carol) is verified


def test_sent_anew_the_old_link_is_over_and_the_new_one_good_for_another_week(alice: Member) -> None:
    invitation, old = invited(alice)
    later = NOW + GOOD_FOR + SECOND
    _, new = send_anew(invitation=invitation, by=by(alice.user), now=later)
    assert find(old) is None
    found = find(new)
    assert found
    assert found.pk == invitation.pk
    assert standing(found, later + GOOD_FOR - SECOND) == "open"


def test_one_that_was_used_is_not_sent_anew(alice: Member, bob: User) -> None:
    invitation, secret = invited(alice)
    join(invitation=invitation, user=bob, by=by(bob), now=NOW)
    with pytest.raises(RefusedError, match="used"):
        send_anew(invitation=invitation, by=by(alice.user), now=NOW)
    assert find(secret)


def test_invited_twice_the_newest_counts(alice: Member) -> None:
    first, _ = invited(alice)
    second, _ = invited(alice, role=Role.EDITOR)
    first.refresh_from_db()
    assert (standing(first, NOW), standing(second, NOW)) == ("withdrawn", "open")


def test_who_is_a_member_is_not_invited(alice: Member) -> None:
    make_member(alice.workspace, Role.VIEWER, "bob@example.com")
    with pytest.raises(RefusedError, match="a member already"):
        invited(alice, "BOB@example.com")


@pytest.mark.parametrize(
    ("asker", "role", "allowed"),
    [
        (Role.OWNER, Role.OWNER, True),
        (Role.ADMIN, Role.ADMIN, True),
        (Role.ADMIN, Role.OWNER, False),
        (Role.EDITOR, Role.VIEWER, False),
    ],
)
def test_who_may_invite_as_what(asker: Role, role: Role, allowed: bool, alice: Member) -> None:
    dora = make_member(alice.workspace, asker, "dora@example.com")
    if allowed:
        invited(dora, role=role)
    else:
        with pytest.raises(RefusedError):
            invited(dora, role=role)
    assert Invitation.objects.exists() is allowed


def test_an_admin_touches_no_invitation_of_an_owner_to_be(alice: Member) -> None:
    dora = make_member(alice.workspace, Role.ADMIN, "dora@example.com")
    invitation, secret = invited(alice, role=Role.OWNER)
    for touch in (withdraw, send_anew):
        with pytest.raises(RefusedError):
            touch(invitation=invitation, by=by(dora.user), now=NOW)
    with pytest.raises(RefusedError):
        invited(dora)
    found = find(secret)
    assert found
    assert standing(found, NOW) == "open"


def test_a_workspace_has_so_many_waiting_and_no_more(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MOST_PENDING", 2)
    for name in ("bob", "carol", "bob"):
        invited(alice, f"{name}@example.com")
    with pytest.raises(RefusedError, match="Withdraw some"):
        invited(alice, "dora@example.com")


def test_only_the_mailed_link_proves_that_the_mail_was_read(alice: Member) -> None:
    _, secret = invited(alice)
    _, other = invited(alice, "carol@example.com")
    assert invitations.was_mailed(secret, invitations.mail_proof(secret))
    for proof in ("", "x", invitations.mail_proof(other)):
        assert not invitations.was_mailed(secret, proof)
