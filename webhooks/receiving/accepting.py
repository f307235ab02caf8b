"""Stores what came, with the run that acts upon it: both or neither, in one statement.

What the usual call costs here is one statement, and no lock that another call would wait for: the hook's row and its
runnable's are read, and never written.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.models import Cause
from webhooks.models import Standing, Verification
from webhooks.receiving.addressed import Addressed
from webhooks.receiving.calls import Call, kept_headers, kept_query
from webhooks.receiving.packing import packed
from webhooks.receiving.repeats import digest_of, event_id_of
from webhooks.receiving.veiling import proofs_and_credentials

_DELIVERY = """
INSERT INTO webhooks_delivery (id, application_id, runnable_id, run_id, standing, reason, duplicate_of, event_id,
                               verified, method, query, headers, address, body, packed, bytes, received_at)
SELECT %(id)s, %(application)s, %(runnable)s, {run_id}, %(standing)s, %(reason)s, {duplicate_of}, %(event_id)s,
       %(verified)s, %(method)s, %(query)s, %(headers)s::jsonb, %(address)s::inet, %(body)s, %(packed)s, %(bytes)s,
       %(now)s
FROM """

# Its runnable, unless it was deleted in the meantime; or was paused, where it must be `on`.
_FOUND = """
WITH found AS (
    SELECT id, application_id, kind, queue, priority FROM runs_runnable
    WHERE id = %(runnable)s AND (enabled OR NOT %(on)s)
)"""

# Marks it as seen, unless that was done within the window: then nothing is stored. Of two at once one waits for the
# other, and sees what that marked.
_MARKED = """, marked AS (
    INSERT INTO webhooks_seen AS s (runnable_id, digest, delivery_id, seen_at)
    SELECT id, %(digest)s, %(id)s, %(now)s FROM found
    ON CONFLICT (runnable_id, digest) DO UPDATE SET delivery_id = excluded.delivery_id, seen_at = excluded.seen_at
    WHERE s.seen_at <= %(since)s
    RETURNING runnable_id
)"""

# Nobody counts it: the runnable's row would be what all calls of a hook wait for.
_RUN = """, run AS (
    INSERT INTO runs_run (id, application_id, runnable_id, kind, queue, priority, cause, number, state, due_at,
                          attempts, rescues, input, error, created_at)
    SELECT %(id)s, found.application_id, found.id, found.kind, found.queue, found.priority, %(cause)s, 0, 'queued',
           %(now)s, 0, 0, %(input)s::jsonb, '', %(now)s
    FROM {source}
)"""


def _statement(*, marks: bool, runs: bool) -> str:
    source = "found, marked" if marks else "found"
    run = _RUN.format(source=source) if runs else ""
    stored = _DELIVERY.format(run_id="%(id)s" if runs else "NULL::uuid", duplicate_of="NULL::uuid")
    return f"{_FOUND}{_MARKED if marks else ''}{run}{stored}{source}"


# (whether it is marked, whether it gets a run) → the statement.
_STORE = {(marks, runs): _statement(marks=marks, runs=runs) for marks in (False, True) for runs in (False, True)}

_DUPLICATE = f"""{_DELIVERY.format(run_id="NULL::uuid", duplicate_of="s.delivery_id")}webhooks_seen s
WHERE s.runnable_id = %(runnable)s AND s.digest = %(digest)s AND s.seen_at > %(since)s RETURNING duplicate_of
"""

# While it is held, nobody pauses or resumes: who resumes afterwards finds what was held until then.
_HOLD = "SELECT enabled FROM runs_runnable WHERE id = %s FOR SHARE"

# What was seen may be forgotten between two looks. Not so often.
_TURNS = 3


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a call: the delivery's id, how it stands, and which one it repeats."""

    id: UUID
    standing: Standing
    duplicate_of: UUID | None = None


def accept(*, hook: Addressed, call: Call, verdict: str, now: datetime) -> Accepted | None:
    """Store a call: committed when this returns. None when its hook was deleted in the meantime.

    `verdict` says why it is refused; it is empty where it is not.
    """
    if verdict:
        return _stored({**_values(hook, call, now), "reason": verdict[:300], "verified": ""}, Standing.REFUSED)
    values = _values(hook, call, now, event_id_of(hook, call))
    usual = Standing.ACCEPTED if hook.acts else Standing.STORED
    accepted = _stored(values, usual, on=True) if hook.enabled else None
    for _ in range(_TURNS):
        accepted = accepted or _repeated(values) or _held(values, usual)
    return accepted


def _held(values: dict[str, Any], usual: Standing) -> Accepted | None:
    """Hold it where its hook is paused; if that was resumed in the meantime, it is like all others."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_HOLD, [values["runnable"]])
        found = cursor.fetchone()
        return _stored(values, usual if found[0] else Standing.HELD) if found else None


def _stored(values: dict[str, Any], standing: Standing, *, on: bool = False) -> Accepted | None:
    """Store it, and mark it if it has an id; None where it was marked before, or there is no such runnable."""
    statement = _STORE[bool(values["event_id"]), standing == Standing.ACCEPTED]
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "standing": standing.value, "on": on})
        return Accepted(values["id"], standing) if cursor.rowcount else None


def _repeated(values: dict[str, Any]) -> Accepted | None:
    """Store it as a duplicate of what was marked with its id; None where nothing is."""
    if not values["event_id"]:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_DUPLICATE, {**values, "standing": Standing.DUPLICATE.value})
        row = cursor.fetchone()
    return Accepted(values["id"], Standing.DUPLICATE, row[0]) if row else None


def _values(hook: Addressed, call: Call, now: datetime, event_id: str = "") -> dict[str, Any]:
    """What the statements are given, all but how it stands."""
    delivery_id, is_verified = uuid7(), hook.verification != Verification.NONE
    body, is_packed = packed(call.raw)
    return {
        "id": delivery_id,
        "application": hook.application_id,
        "runnable": hook.runnable_id,
        "reason": "",
        "event_id": event_id,
        "digest": digest_of(hook, event_id),
        "since": now - timedelta(seconds=hook.repeats_window_s),
        "verified": hook.verification if is_verified else "",
        "method": call.method,
        "query": kept_query(call, hook.secret),
        "headers": json.dumps(_headers(hook, call)),
        "address": call.address,
        "body": body,
        "packed": is_packed,
        "bytes": len(call.raw),
        "cause": Cause.WEBHOOK.value,
        "input": f'{{"delivery": "{delivery_id}"}}',
        "now": now,
    }


def _headers(hook: Addressed, call: Call) -> dict[str, str]:
    return kept_headers(call, hook.secret, *proofs_and_credentials(hook))
