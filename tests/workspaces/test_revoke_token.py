"""`manage.py revoke_token`: ends a token, and says whose it was."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.issuing import issue_token
from badgerjobs.workspaces.models import AuditEntry, Token
from tests.callers import Caller
from tests.factories import NOW, make_application, make_token

pytestmark = pytest.mark.django_db


def revoke(prefix: str) -> str:
    said = StringIO()
    call_command("revoke_token", prefix, stdout=said)
    return said.getvalue()


def test_the_token_opens_nothing_any_more_and_its_owner_is_named() -> None:
    token, secret = issue_token(application=make_application("Alice's", "shop"), label="laptop", by=OPERATOR, now=NOW)
    other = make_token(token.application)

    said = revoke(token.prefix)

    assert said == (
        f"The token “laptop” ({token.prefix}…) of the application “shop” in the workspace “Alice's” is over now.\n"
    )
    assert Caller(secret).get("/jobs/").status == 401
    assert Caller(other).get("/jobs/").status == 200
    entry = AuditEntry.objects.get(action="token.revoke")
    assert (entry.actor, entry.via, entry.subject) == ("operator", "command", str(token))


def test_revoking_twice_says_since_when_it_is_over_and_keeps_the_moment() -> None:
    token, _ = issue_token(application=make_application(), label="laptop", by=OPERATOR, now=NOW)
    revoke(token.prefix)
    first = Token.objects.get().revoked_at
    assert first

    assert f"is over since {first:%Y-%m-%d %H:%M:%S} UTC" in revoke(token.prefix)
    assert Token.objects.get().revoked_at == first


@pytest.mark.parametrize("form", ["{prefix}", "bj_{prefix}", "bj_{prefix}_", "{secret}"])
def test_the_prefix_is_taken_as_it_stands_in_the_token(form: str) -> None:
    token, secret = issue_token(application=make_application(), label="laptop", by=OPERATOR, now=NOW)
    revoke(form.format(prefix=token.prefix, secret=secret))
    assert Token.objects.get().revoked_at


@pytest.mark.parametrize("prefix", ["", "bj_", "nothing0", "%"])
def test_an_unknown_prefix_is_refused(prefix: str) -> None:
    make_token(make_application())
    with pytest.raises(CommandError, match="no token with the prefix"):
        revoke(prefix)
    assert Token.objects.get().revoked_at is None


def test_of_two_tokens_with_one_prefix_both_end() -> None:
    for label in ("one", "other"):
        issue_token(application=make_application(), label=label, by=OPERATOR, now=NOW)
    Token.objects.update(prefix="abcd1234")
    said = revoke("abcd1234")
    assert said.count("\n") == 2
    assert not Token.objects.filter(revoked_at=None).exists()
