"""An application's signing key, and the time in which calls bear the signatures of two."""

from datetime import datetime, timedelta

from django.db import transaction

from badgerjobs.lib import signatures
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.audit import Actor
from badgerjobs.workspaces.locks import hold_application
from badgerjobs.workspaces.models import Application


@transaction.atomic
def rotate_key(*, application: Application, overlap: timedelta, by: Actor, now: datetime) -> Application:
    """Give the application a new signing key. For so long, calls bear the old one's signature too; none is possible.

    A key that was still ending after an earlier rotation is over at once: calls never bear more than two.
    """
    held = hold_application(application)
    before = held.previous_key_until
    held.previous_signing_key = held.signing_key if overlap else ""
    held.previous_key_until = now + overlap if overlap else None
    held.signing_key = signatures.make_secret()
    held.save(update_fields=[*_FIELDS, "signing_key"])
    changes = audit.difference({"previous_key_until": before}, {"previous_key_until": held.previous_key_until})
    audit.record(by=by, action="key.rotate", subject=held.name, now=now, application=held, changes=changes)
    return held


@transaction.atomic
def end_previous_key(*, application: Application, by: Actor, now: datetime) -> Application:
    """Stop signing with the key from before the last rotation. Without one, nothing happens."""
    held = hold_application(application)
    before = held.previous_key_until
    if held.previous_signing_key:
        held.previous_signing_key, held.previous_key_until = "", None
        held.save(update_fields=_FIELDS)
        changes = audit.difference({"previous_key_until": before}, {"previous_key_until": None})
        audit.record(by=by, action="key.end", subject=held.name, now=now, application=held, changes=changes)
    return held


_FIELDS = ["previous_signing_key", "previous_key_until", "updated_at"]
