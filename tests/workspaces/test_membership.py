"""Who may make whom what; and that a workspace has an owner at every moment."""

import pytest

from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import OPERATOR, Actor
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.invitations import invite
from badgerjobs.workspaces.membership import change_role, leave, remove_member
from badgerjobs.workspaces.models import AuditEntry, Invitation, Member, Role, Workspace
from tests.factories import NOW, make_member
from tests.runs.together import together

OWNER, ADMIN, EDITOR, VIEWER = Role
ADDRESS = "127.0.0.1"


@pytest.fixture
def workspace(db: None) -> Workspace:
    return Workspace.objects.create(name="Example Shop")


def by(member: Member) -> Actor:
    return audit.person(member.user, ADDRESS)


def roles(workspace: Workspace) -> dict[str, str]:
    found = workspace.members.values_list("user__email", "role")
    return {email.partition("@")[0]: role for email, role in found}


@pytest.mark.parametrize(
    ("asker", "before", "after", "allowed"),
    [
        pytest.param(OWNER, VIEWER, OWNER, True, id="an owner makes an owner"),
        pytest.param(OWNER, OWNER, VIEWER, True, id="an owner lowers another owner"),
        pytest.param(ADMIN, VIEWER, ADMIN, True, id="an admin makes an admin"),
        pytest.param(ADMIN, ADMIN, EDITOR, True, id="an admin lowers an admin"),
        pytest.param(ADMIN, EDITOR, OWNER, False, id="an admin makes no owner"),
        pytest.param(ADMIN, OWNER, ADMIN, False, id="an admin lowers no owner"),
        pytest.param(EDITOR, VIEWER, EDITOR, False, id="an editor changes no role"),
        pytest.param(VIEWER, EDITOR, VIEWER, False, id="a viewer changes no role"),
    ],
)
def test_who_may_make_whom_what(asker: Role, before: Role, after: Role, allowed: bool, workspace: Workspace) -> None:
    make_member(workspace, OWNER, "owner@example.com")
    alice = make_member(workspace, asker, "alice@example.com")
    bob = make_member(workspace, before, "bob@example.com")
    if allowed:
        change_role(member=bob, role=after, by=by(alice), now=NOW)
    else:
        with pytest.raises(RefusedError):
            change_role(member=bob, role=after, by=by(alice), now=NOW)
    assert roles(workspace)["bob"] == (after if allowed else before)


@pytest.mark.parametrize("role", [ADMIN, EDITOR, VIEWER])
def test_nobody_raises_themselves(role: Role, workspace: Workspace) -> None:
    make_member(workspace, OWNER, "owner@example.com")
    bob = make_member(workspace, role, "bob@example.com")
    higher = list(Role)[list(Role).index(role) - 1]
    with pytest.raises(RefusedError):
        change_role(member=bob, role=higher, by=by(bob), now=NOW)
    assert roles(workspace)["bob"] == role


@pytest.mark.parametrize(
    ("asker", "other", "allowed"), [(ADMIN, OWNER, False), (ADMIN, ADMIN, True), (EDITOR, VIEWER, False)]
)
def test_who_may_remove_whom(asker: Role, other: Role, allowed: bool, workspace: Workspace) -> None:
    make_member(workspace, OWNER, "owner@example.com")
    alice, bob = make_member(workspace, asker), make_member(workspace, other, "bob@example.com")
    if allowed:
        remove_member(member=bob, by=by(alice), now=NOW)
    else:
        with pytest.raises(RefusedError):
            remove_member(member=bob, by=by(alice), now=NOW)
    assert ("bob" in roles(workspace)) is not allowed


def test_the_only_owner_is_not_lowered_not_removed_and_cannot_leave(workspace: Workspace) -> None:
    alice = make_member(workspace)
    make_member(workspace, ADMIN, "bob@example.com")
    with pytest.raises(RefusedError, match="only owner"):
        change_role(member=alice, role=ADMIN, by=by(alice), now=NOW)
    with pytest.raises(RefusedError, match="only owner"):
        remove_member(member=alice, by=OPERATOR, now=NOW)
    with pytest.raises(RefusedError, match="only owner"):
        leave(workspace=workspace, user=alice.user, by=by(alice), now=NOW)
    assert roles(workspace) == {"alice": "owner", "bob": "admin"}


def test_one_of_two_owners_may_leave(workspace: Workspace) -> None:
    alice, _ = make_member(workspace), make_member(workspace, OWNER, "bob@example.com")
    leave(workspace=workspace, user=alice.user, by=by(alice), now=NOW)
    assert roles(workspace) == {"bob": "owner"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("do", ["lower", "remove", "leave"])
def test_of_two_owners_who_go_at_once_one_stays(do: str) -> None:
    workspace = Workspace.objects.create(name="Example Shop")
    alice, bob = make_member(workspace), make_member(workspace, OWNER, "bob@example.com")

    def one(asker: Member, other: Member) -> bool:
        try:
            if do == "lower":
                change_role(member=other, role=VIEWER, by=by(asker), now=NOW)
            elif do == "remove":
                remove_member(member=other, by=by(asker), now=NOW)
            else:
                leave(workspace=workspace, user=asker.user, by=by(asker), now=NOW)
        except RefusedError:
            return False
        return True

    done = together(lambda: one(alice, bob), lambda: one(bob, alice))

    assert sorted(done) == [False, True]
    assert list(roles(workspace).values()).count("owner") == 1


def test_who_asks_is_believed_as_they_are_now_and_not_as_the_page_was(workspace: Workspace) -> None:
    make_member(workspace, OWNER, "owner@example.com")
    alice, bob = make_member(workspace, ADMIN), make_member(workspace, VIEWER, "bob@example.com")
    Member.objects.filter(pk=alice.pk).update(role=VIEWER)
    with pytest.raises(RefusedError):
        change_role(member=bob, role=EDITOR, by=by(alice), now=NOW)
    Member.objects.filter(pk=alice.pk).delete()
    with pytest.raises(RefusedError):
        remove_member(member=bob, by=by(alice), now=NOW)


def test_an_owner_of_another_workspace_is_nobody_here(workspace: Workspace) -> None:
    bob = make_member(workspace, VIEWER, "bob@example.com")
    charlie = make_member(Workspace.objects.create(name="Charlie's"), OWNER, "charlie@example.com")
    with pytest.raises(RefusedError):
        remove_member(member=bob, by=by(charlie), now=NOW)


@pytest.mark.parametrize("do", ["remove", "leave", "lower"])
def test_the_open_invitations_of_who_goes_are_withdrawn(do: str, workspace: Workspace) -> None:
    owner = make_member(workspace, OWNER, "owner@example.com")
    alice = make_member(workspace, ADMIN)
    for asker, email in ((alice, "mallory@example.com"), (owner, "bob@example.com")):
        invite(workspace=workspace, email=email, role=VIEWER, by=by(asker), now=NOW)
    if do == "remove":
        remove_member(member=alice, by=by(owner), now=NOW)
    elif do == "leave":
        leave(workspace=workspace, user=alice.user, by=by(alice), now=NOW)
    else:
        change_role(member=alice, role=EDITOR, by=by(owner), now=NOW)
    assert [invitation.email for invitation in Invitation.objects.open(NOW)] == ["bob@example.com"]


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        pytest.param(OWNER, ADMIN, [ADMIN, EDITOR, VIEWER], id="an owner becomes an admin"),
        pytest.param(OWNER, VIEWER, [], id="an owner becomes a viewer"),
        pytest.param(ADMIN, OWNER, [ADMIN, EDITOR, VIEWER], id="an admin becomes an owner"),
    ],
)
def test_who_is_lowered_keeps_no_invitation_of_a_role_that_they_may_not_give(
    before: Role, after: Role, kept: list[Role], workspace: Workspace
) -> None:
    make_member(workspace, OWNER, "owner@example.com")
    mallory = make_member(workspace, before, "mallory@example.com")
    for role in Role:
        if before.reaches(role):
            invite(workspace=workspace, email=f"new-{role}@example.com", role=role, by=by(mallory), now=NOW)
    change_role(member=mallory, role=after, by=OPERATOR, now=NOW)
    assert list(Invitation.objects.open(NOW).order_by("pk").values_list("role", flat=True)) == kept


def test_each_change_is_in_the_log_with_before_and_after(workspace: Workspace) -> None:
    alice = make_member(workspace)
    bob, carol = (make_member(workspace, VIEWER, f"{name}@example.com") for name in ("bob", "carol"))
    change_role(member=bob, role=EDITOR, by=by(alice), now=NOW)
    change_role(member=bob, role=EDITOR, by=by(alice), now=NOW)
    remove_member(member=bob, by=by(alice), now=NOW)
    leave(workspace=workspace, user=carol.user, by=by(carol), now=NOW)
    entries = AuditEntry.objects.order_by("id").values_list("actor", "action", "subject", "changes")
    assert list(entries) == [
        ("alice@example.com", "member.role", "bob@example.com", {"role": ["viewer", "editor"]}),
        ("alice@example.com", "member.remove", "bob@example.com", {"role": ["editor", None]}),
        ("carol@example.com", "member.leave", "carol@example.com", {"role": ["viewer", None]}),
    ]
