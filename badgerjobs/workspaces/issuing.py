"""What can be done with tokens: each is made once, shown once, and ends at a moment that is known."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from badgerjobs.lib import tokens
from badgerjobs.lib.ids import slug as make_slug
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.errors import RefusedError
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application, Scope, Token


class MadeAlreadyError(RefusedError):
    """A form came twice: the first one made this token, and its secret was shown then."""

    def __init__(self, token: Token) -> None:
        super().__init__(f"The token “{token.label}” was made already.")
        self.token = token


@transaction.atomic
def issue_token(  # noqa: PLR0913  what a token is, and who made it when
    *,
    application: Application,
    label: str,
    by: audit.Actor,
    now: datetime,
    scopes: Iterable[str] = Scope.values,
    expires_at: datetime | None = None,
    requests_per_second: int | None = None,
    slug: str = "",
) -> tuple[Token, str]:
    """Make a token. The secret is returned beside the row, once: it is stored nowhere.

    Who gives a `slug` gets one token for it, however often they ask. Raises MadeAlreadyError the second time, and
    RefusedError when the application is gone.
    """
    hold_application(application)
    fields = {
        "label": label, "scopes": list(scopes), "expires_at": expires_at, "requests_per_second": requests_per_second,
    }  # fmt: skip
    token, secret = _make(application, by, slug, **fields)
    _record(token, by=by, action="token.create", now=now, changes=audit.difference({}, fields))
    return token, secret


@transaction.atomic
def rotate_token(
    *, token: Token, by: audit.Actor, now: datetime, overlap: timedelta, slug: str = ""
) -> tuple[Token, str]:
    """Make a new secret for what an old one is used for: same label, same scopes and limit, as long a life again.

    The old one works for the overlap, and not longer than it would have; with none it is revoked at once. It is not
    rotated again: the life that an overlap has shortened is nobody's choice. Raises RefusedError for one that is over,
    gone or rotated already, and MadeAlreadyError as `issue_token` does.
    """
    hold_application(token.application)
    old = Token.objects.select_for_update(no_key=True).filter(pk=token.pk).first()
    if made := Token.objects.filter(application=token.application, slug=slug).first():
        raise MadeAlreadyError(made)
    if old is None or old.is_over(now):
        raise RefusedError("This token is over: it was revoked, or has expired. Make a new one in its place.")
    if old.rotated_at:
        raise RefusedError("This token was rotated already. Rotate the one that was made in its place.")
    old.application = token.application
    life = old.expires_at - old.created_at if old.expires_at else None
    kept = {"label": old.label, "scopes": old.scopes, "requests_per_second": old.requests_per_second}
    new, secret = _make(old.application, by, slug, **kept, expires_at=now + life if life else None)
    before, old.rotated_at = old.expires_at, now
    if overlap:
        old.expires_at = min(now + overlap, before) if before else now + overlap
    else:
        old.revoked_at = now
    old.save(update_fields=["expires_at", "revoked_at", "rotated_at"])
    changes = {
        "prefix": audit.pair(old.prefix, new.prefix),
        "old one ends": audit.pair(before, old.revoked_at or old.expires_at),
    }
    _record(old, by=by, action="token.rotate", now=now, changes=changes)
    return new, secret


@transaction.atomic
def revoke_token(*, token: Token, by: audit.Actor, now: datetime) -> bool:
    """End a token at once, and say whether that changed anything. Ending it twice keeps the first moment."""
    ended = Token.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)
    if ended:
        _record(token, by=by, action="token.revoke", now=now)
    return bool(ended)


def _make(application: Application, by: audit.Actor, slug: str, **fields: Any) -> tuple[Token, str]:
    made = tokens.make()
    row = Token(
        application=application,
        slug=slug or make_slug(),
        created_by=by.user,
        prefix=made.prefix,
        digest=made.digest,
        **fields,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        earlier = Token.objects.filter(application=application, slug=slug).first()
        if earlier is None:
            raise
        raise MadeAlreadyError(earlier) from None
    return row, made.secret


def _record(token: Token, **entry: Any) -> None:
    audit.record(subject=str(token), application=token.application, **entry)
