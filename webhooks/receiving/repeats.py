"""By what a delivery is known again."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.crypto import salted_hmac

from badgerjobs.lib.vault import MASK
from webhooks.models import Hook, Repeats
from webhooks.receiving.addressed import Addressed
from webhooks.receiving.calls import Call
from webhooks.receiving.veiling import is_veiled
from webhooks.verification import scheme_of
from webhooks.verification.ids import kept

_MARK = """
INSERT INTO webhooks_seen AS s (runnable_id, digest, delivery_id, seen_at)
VALUES (%(runnable)s, %(digest)s, %(delivery)s, %(now)s)
ON CONFLICT (runnable_id, digest) DO UPDATE SET delivery_id = excluded.delivery_id, seen_at = excluded.seen_at
WHERE s.seen_at <= %(since)s
RETURNING delivery_id
"""

_MARKED = "SELECT delivery_id FROM webhooks_seen WHERE runnable_id = %(runnable)s AND digest = %(digest)s"


def event_id_of(hook: Addressed | Hook, call: Call) -> str:
    """The id by which it is known when it comes again; empty where there is none, or nobody looks for one.

    Of a call without a body, its query is what it says.
    """
    match hook.repeats:
        case Repeats.PROVIDER:
            return scheme_of(hook.verification).event_id(call)
        case Repeats.HEADER:
            return _in_header(hook, hook.repeats_header.lower(), call)
        case Repeats.BODY:
            return f"sha256:{sha256(call.raw or call.query.encode(errors='surrogatepass')).hexdigest()}"
    return ""


def _in_header(hook: Addressed | Hook, name: str, call: Call) -> str:
    """What it says; where that may be a password, what tells two of them apart, and nobody can guess it by."""
    found = kept(call.headers.get(name, ""))
    if not found or not is_veiled(hook, name):
        return found
    return "" if found == MASK else f"hmac:{salted_hmac(__name__, found, algorithm='sha256').hexdigest()}"


def digest_of(hook: Addressed | Hook, event_id: str) -> str:
    """What is marked as seen. Ids that were found in another way are others."""
    return sha256(f"{hook.repeats} {hook.repeats_header.lower()} {event_id}".encode()).hexdigest()


def mark(hook: Hook, event_id: str, delivery_id: UUID, *, now: datetime) -> UUID | None:
    """Mark what is accepted after it came as seen, as acceptance does. Returns the delivery that it repeats, if any.

    Called within a transaction: whoever sends the same waits until that is over.
    """
    since = now - timedelta(seconds=hook.repeats_window_s)
    values: dict[str, Any] = {
        "runnable": hook.runnable_id,
        "digest": digest_of(hook, event_id),
        "delivery": delivery_id,
    }
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {**values, "now": now, "since": since})
        if cursor.fetchone():
            return None
        cursor.execute(_MARKED, values)  # that row is ours to hold now, so it is there
        [first] = cursor.fetchone()
    return UUID(str(first))
