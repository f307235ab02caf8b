"""`manage.py create_application`: makes what is missing, and prints a token and nothing else."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from badgerjobs.workspaces.models import Application, AuditEntry, Member, Role, Scope, Token, User, Workspace
from tests.callers import Caller

pytestmark = pytest.mark.django_db


def create(*arguments: str) -> str:
    said = StringIO()
    call_command("create_application", *arguments, stdout=said)
    return said.getvalue()


def test_the_token_is_all_that_is_printed_and_it_works() -> None:
    printed = create("shop", "--workspace", "Alice's")
    assert re.fullmatch(r"bj_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", printed)
    assert Caller(printed.strip()).get("/application/").body["name"] == "shop"


def test_the_token_has_every_scope_and_no_end() -> None:
    create("shop", "--workspace", "Alice's")
    token = Token.objects.get()
    assert (set(token.scopes), token.expires_at) == (set(Scope.values), None)


def test_what_is_there_is_used_again_in_any_case() -> None:
    first = create("Shop", "--workspace", "Alice's", "--owner", "Alice@Example.com")
    again = create(" sHOP ", "--workspace", "Alice's", "--owner", "alice@example.COM")
    assert first != again
    counts = [model.objects.count() for model in (Workspace, Application, User, Member, Token)]
    assert counts == [1, 1, 1, 1, 2]
    assert (Application.objects.get().name, User.objects.get().email) == ("Shop", "alice@example.com")


def told() -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(actor="operator", via="command").order_by("id")
    return [(entry.action, entry.subject.partition(" (")[0]) for entry in entries]


def test_all_that_was_made_is_in_the_log_and_what_was_there_is_not() -> None:
    made = [
        ("workspace.create", "Alice's"),
        ("member.add", "alice@example.com"),
        ("application.create", "shop"),
        ("token.create", "create_application"),
    ]
    create("shop", "--workspace", "Alice's", "--owner", "alice@example.com")
    assert told() == made
    assert AuditEntry.objects.get(action="member.add").changes == {"role": [None, "owner"]}
    create("shop", "--workspace", "Alice's", "--owner", "alice@example.com")
    assert told() == [*made, ("token.create", "create_application")]


def test_without_an_owner_the_log_tells_of_no_member() -> None:
    create("shop", "--workspace", "Alice's")
    assert [action for action, _ in told()] == ["workspace.create", "application.create", "token.create"]


def test_the_same_name_in_another_workspace_is_another_application() -> None:
    create("shop", "--workspace", "Alice's")
    create("shop", "--workspace", "Charlie's")
    assert Application.objects.count() == 2


def test_the_owner_owns_the_workspace_and_cannot_sign_in_before_a_reset() -> None:
    create("shop", "--workspace", "Alice's", "--owner", "alice@example.com")
    member = Member.objects.get()
    assert (member.role, member.workspace.name, member.user.has_usable_password()) == (Role.OWNER, "Alice's", False)


@pytest.mark.parametrize("role", [None, *Role])
def test_who_is_named_as_the_owner_gets_into_no_workspace_of_somebody_elses(role: Role | None) -> None:
    create("shop", "--workspace", "Acme", "--owner", "alice@example.com")
    bob = User.objects.create_user("bob@example.com")
    if role:
        Member.objects.create(workspace=Workspace.objects.get(), user=bob, role=role)
    create("shop", "--workspace", "Acme", "--owner", "bob@example.com")

    theirs = set() if role is None else {("alice@example.com", role)}
    assert Application.objects.count() == Workspace.objects.count() == (1 if role == Role.OWNER else 2)
    first = set(Workspace.objects.earliest("id").members.values_list("user__email", "role"))
    assert first == {("alice@example.com", "owner")} | {("bob@example.com", role) for _ in theirs}
    assert Application.objects.for_user(bob).filter(workspace__members__role=Role.OWNER).exists()


def test_each_owner_finds_their_own_of_two_workspaces_with_one_name() -> None:
    for owner in ("alice@example.com", "bob@example.com") * 2:
        create("shop", "--workspace", "Acme", "--owner", owner)
    assert Workspace.objects.count() == Application.objects.count() == Member.objects.count() == 2


def test_a_workspace_without_members_gets_its_owner() -> None:
    create("shop", "--workspace", "Acme")
    create("shop", "--workspace", "Acme", "--owner", "alice@example.com")
    member = Member.objects.get()
    assert (member.workspace, member.role) == (Workspace.objects.get(), Role.OWNER)
    assert Application.objects.count() == 1


def test_without_an_owner_a_name_that_several_workspaces_have_is_refused() -> None:
    for owner in ("alice@example.com", "bob@example.com"):
        create("shop", "--workspace", "Acme", "--owner", owner)
    with pytest.raises(CommandError, match=r"several workspaces named “Acme”.*--owner"):
        create("shop", "--workspace", "Acme")
    assert Token.objects.count() == 2


def test_a_token_may_be_given_scopes_and_an_end() -> None:
    printed = create("shop", "--workspace", "w", "--scopes", "read, cache:read", "--expires", "7")
    token = Token.objects.get()
    assert token.scopes == ["read", "cache:read"]
    assert token.expires_at
    assert abs(token.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)
    assert Caller(printed.strip()).post("/jobs/", {}).status == 403


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["", "--workspace", "w"], "1 to 100"),
        (["  ", "--workspace", "w"], "1 to 100"),
        (["a" * 101, "--workspace", "w"], "1 to 100"),
        (["a", "--workspace", ""], "1 to 100"),
        (["a", "--workspace", "w", "--owner", "nobody"], "e-mail"),
        (["a"], "--workspace"),
        (["a", "--workspace", "w", "--scopes", "read,admin"], "no scope 'admin'"),
        (["a", "--workspace", "w", "--scopes", ""], "no scope"),
        (["a", "--workspace", "w", "--expires", "0"], "from 1 to 3650"),
        (["a", "--workspace", "w", "--expires", "-1"], "from 1 to 3650"),
        (["a", "--workspace", "w", "--expires", "soon"], "from 1 to 3650"),
        (["a", "--workspace", "w", "--expires", "9999999"], "from 1 to 3650"),
        (["a\0", "--workspace", "w"], "control"),
        (["a", "--workspace", "w\n"], "control"),
    ],
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(arguments: list[str], right: str) -> None:
    with pytest.raises(CommandError, match=right):
        create(*arguments)
    assert not Workspace.objects.exists()
