"""Making, rotating and revoking tokens: what is told to the log, and what two at once come to."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from badgerjobs.lib.ids import slug
from badgerjobs.runs.services import delete_application
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.issuing import MadeAlreadyError, issue_token, revoke_token, rotate_token
from badgerjobs.workspaces.models import Application, AuditEntry, Token
from tests.factories import NOW, make_application
from tests.runs.together import together

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def issue(application: Application, **fields: Any) -> tuple[Token, str]:
    token, secret = issue_token(**{"application": application, "label": "ci", "by": OPERATOR, "now": NOW, **fields})
    # The tests have a clock of their own, and this column has the machine's.
    Token.objects.filter(pk=token.pk).update(created_at=NOW)
    token.refresh_from_db()
    return token, secret


def works(secret: str, now: datetime) -> bool:
    return Token.objects.by_token(secret, now) is not None


@pytest.mark.django_db
def test_the_log_has_who_made_which_token_and_no_secret() -> None:
    token, secret = issue(make_application(), scopes=["read"], expires_at=NOW + DAY)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("token.create", f"ci ({token.prefix}…)", "operator")
    assert entry.changes == {
        "label": [None, "ci"],
        "scopes": [None, "read"],
        "expires_at": [None, "2026-03-03 12:00:00 UTC"],
    }
    assert secret.removeprefix(f"bj_{token.prefix}_") not in str(entry.changes)


@pytest.mark.django_db
def test_a_form_that_comes_twice_makes_one_token() -> None:
    application, key = make_application(), slug()
    token, _ = issue(application, slug=key)
    with pytest.raises(MadeAlreadyError) as told:
        issue(application, slug=key)
    assert told.value.token == token
    assert (Token.objects.count(), AuditEntry.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_form_that_comes_twice_at_once_makes_one_token() -> None:
    application, key = make_application(), slug()

    def make() -> bool:
        with suppress(MadeAlreadyError):
            issue_token(application=application, label="ci", by=OPERATOR, now=NOW, slug=key)
            return True
        return False

    assert sorted(together(make, make)) == [False, True]
    assert (Token.objects.count(), AuditEntry.objects.count()) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("overlap", [HOUR, DAY, 7 * DAY], ids=["an hour", "a day", "a week"])
def test_a_rotated_token_works_for_the_overlap_beside_the_new_one(overlap: timedelta) -> None:
    old, old_secret = issue(make_application(), scopes=["read"])
    new, new_secret = rotate_token(token=old, by=OPERATOR, now=NOW, overlap=overlap)
    assert (new.label, new.scopes, new.expires_at) == ("ci", ["read"], None)
    last = NOW + overlap - timedelta(seconds=1)
    assert [works(old_secret, last), works(new_secret, last)] == [True, True]
    assert [works(old_secret, NOW + overlap), works(new_secret, NOW + overlap)] == [False, True]


@pytest.mark.django_db
def test_without_an_overlap_the_old_one_is_over_at_once() -> None:
    old, old_secret = issue(make_application(), expires_at=NOW + DAY)
    _, new_secret = rotate_token(token=old, by=OPERATOR, now=NOW, overlap=timedelta(0))
    assert [works(old_secret, NOW), works(new_secret, NOW)] == [False, True]
    told = AuditEntry.objects.get(action="token.rotate").changes["old one ends"]
    assert told == ["2026-03-03 12:00:00 UTC", "2026-03-02 12:00:00 UTC"]


@pytest.mark.django_db
def test_an_overlap_makes_no_life_longer_and_the_new_one_lives_as_long_again() -> None:
    old, _ = issue(make_application(), expires_at=NOW + 30 * DAY)
    new, _ = rotate_token(token=old, by=OPERATOR, now=NOW + 29 * DAY, overlap=7 * DAY)
    old.refresh_from_db()
    assert old.expires_at == NOW + 30 * DAY
    assert new.expires_at == NOW + 59 * DAY


@pytest.mark.django_db
def test_the_log_says_what_a_rotation_replaced_and_when_the_old_one_ends() -> None:
    old, _ = issue(make_application())
    new, _ = rotate_token(token=old, by=OPERATOR, now=NOW, overlap=HOUR)
    entry = AuditEntry.objects.get(action="token.rotate")
    assert entry.subject == f"ci ({old.prefix}…)"
    assert entry.changes == {"prefix": [old.prefix, new.prefix], "old one ends": [None, "2026-03-02 13:00:00 UTC"]}


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
def test_what_is_over_is_not_rotated(end: str) -> None:
    old, _ = issue(make_application())
    Token.objects.update(**{end: NOW})
    with pytest.raises(RefusedError, match="is over"):
        rotate_token(token=old, by=OPERATOR, now=NOW, overlap=HOUR)
    assert Token.objects.count() == 1


@pytest.mark.django_db
def test_what_was_rotated_is_not_rotated_again_and_the_new_one_keeps_the_life_that_was_chosen() -> None:
    old, _ = issue(make_application())
    new, _ = rotate_token(token=old, by=OPERATOR, now=NOW, overlap=HOUR)
    with pytest.raises(RefusedError, match="rotated already"):
        rotate_token(token=old, by=OPERATOR, now=NOW + HOUR / 2, overlap=HOUR)
    newest, _ = rotate_token(token=new, by=OPERATOR, now=NOW + HOUR / 2, overlap=HOUR)
    assert [newest.expires_at, Token.objects.count()] == [None, 3]


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_is_refused() -> None:
    old, _ = issue(make_application())

    def rotate() -> bool:
        with suppress(RefusedError):
            rotate_token(token=old, by=OPERATOR, now=NOW, overlap=HOUR)
            return True
        return False

    assert sorted(together(rotate, rotate)) == [False, True]
    assert Token.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_application_that_was_deleted_meanwhile_gets_no_token() -> None:
    application = make_application()
    stale = Application.objects.select_related("workspace").get()
    delete_application(application=application)
    with pytest.raises(RefusedError, match="deleted in the meantime"):
        issue_token(application=stale, label="ci", by=OPERATOR, now=NOW)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_a_token_and_the_end_of_its_application_at_once_nothing_is_left() -> None:
    application = make_application()

    def make() -> None:
        with suppress(RefusedError):
            issue_token(application=application, label="ci", by=OPERATOR, now=NOW)

    together(make, lambda: delete_application(application=application))
    assert not Token.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_a_rotation_and_a_revocation_at_once_neither_brings_the_old_one_back() -> None:
    old, old_secret = issue(make_application())

    def rotate() -> None:
        with suppress(RefusedError):
            rotate_token(token=old, by=OPERATOR, now=NOW, overlap=HOUR)

    def revoke() -> None:
        revoke_token(token=old, by=OPERATOR, now=NOW)

    together(rotate, revoke)
    assert not works(old_secret, NOW)


@pytest.mark.django_db
def test_revoking_twice_is_told_once() -> None:
    token, _ = issue(make_application())
    assert [revoke_token(token=token, by=OPERATOR, now=NOW) for _ in range(2)] == [True, False]
    assert AuditEntry.objects.filter(action="token.revoke").count() == 1
