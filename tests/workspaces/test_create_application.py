"""`manage.py create_application`: makes what is missing, and prints a token and nothing else."""

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from badgerjobs.workspaces.models import Application, Member, Role, Scope, Token, User, Workspace
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


def test_the_same_name_in_another_workspace_is_another_application() -> None:
    create("shop", "--workspace", "Alice's")
    create("shop", "--workspace", "Charlie's")
    assert Application.objects.count() == 2


def test_the_owner_owns_the_workspace_and_cannot_sign_in_before_a_reset() -> None:
    create("shop", "--workspace", "Alice's", "--owner", "alice@example.com")
    member = Member.objects.get()
    assert (member.role, member.workspace.name, member.user.has_usable_password()) == (Role.OWNER, "Alice's", False)


def test_a_role_that_somebody_has_is_not_changed() -> None:
    create("shop", "--workspace", "Alice's", "--owner", "bob@example.com")
    Member.objects.update(role=Role.VIEWER)
    create("shop", "--workspace", "Alice's", "--owner", "bob@example.com")
    assert Member.objects.get().role == Role.VIEWER


@pytest.mark.parametrize(
    ("arguments", "right"),
    [
        (["", "--workspace", "w"], "1 to 100"),
        (["  ", "--workspace", "w"], "1 to 100"),
        (["a" * 101, "--workspace", "w"], "1 to 100"),
        (["a", "--workspace", ""], "1 to 100"),
        (["a", "--workspace", "w", "--owner", "nobody"], "e-mail"),
        (["a"], "--workspace"),
        (["a\0", "--workspace", "w"], "control"),
        (["a", "--workspace", "w\n"], "control"),
    ],
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(arguments: list[str], right: str) -> None:
    with pytest.raises(CommandError, match=right):
        create(*arguments)
    assert not Workspace.objects.exists()
