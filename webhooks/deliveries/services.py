"""What can be done with deliveries: they are replayed, held, let go, and judged once more."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.runs.models import Cause, Run
from badgerjobs.runs.services import MOST_NAMED, batched
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from webhooks.deliveries.making import make_runs
from webhooks.models import Delivery, Hook, Standing, Verification
from webhooks.performing.planning import actions_of
from webhooks.querysets import REPLAYABLE
from webhooks.receiving.calls import Call
from webhooks.receiving.packing import unpacked
from webhooks.receiving.repeats import event_id_of, mark
from webhooks.verification import scheme_of

# So many one request may replay, and so many in one transaction: acceptance and workers wait for its locks.
MOST_AT_ONCE = 10_000
STEP = 1000

WHY_NOT = {
    Standing.HELD: "This delivery is held: resume its webhook, and it is acted upon.",
    Standing.DUPLICATE: "This is a duplicate: replay the delivery that it repeats.",
    Standing.REFUSED: "This delivery was refused: verify it again first, with the secrets as they are now.",
}
# Who pauses or deletes it waits, or was first.
_HOOK = "SELECT enabled FROM runs_runnable WHERE id = %s FOR SHARE"

GOES_ON = "This delivery is being worked on: it can be replayed when that is over."
GONE = "This delivery, or its webhook, was deleted in the meantime."
NOT_REFUSED = "This delivery was not refused: there is nothing to verify again."
STILL_REFUSED = "It is still refused: {}"


@transaction.atomic
def replay_delivery(*, delivery: Delivery, by: audit.Actor, now: datetime) -> Run:
    """Act upon it once more, as it came, with its hook as that is now, paused or not. Returns the new run.

    Raises Conflict while a run of it goes on, for what was never accepted, and when it or its hook is gone.
    """
    held, _ = _held(delivery)
    if said := WHY_NOT.get(Standing(held.standing)):
        raise Conflict(said)
    if not make_runs(held.application_id, [held.pk], standings=REPLAYABLE, cause=Cause.REPLAY, now=now):
        raise Conflict(GOES_ON)
    delivery.refresh_from_db(fields=["run_id", "standing"])
    made: Any = delivery.run_id
    _record([held.pk], action="delivery.replay", by=by, now=now, application=delivery.application)
    return Run.objects.get(pk=made)


def replay_deliveries(
    *,
    application: Application,
    delivery_ids: Sequence[UUID],
    by: audit.Actor,
    now: datetime,
    per_minute: int | None = None,
) -> int:
    """Replay those of these that were accepted and that nobody works on, the oldest first. Returns how many.

    Those of another application are none of these. If `per_minute` is given, no more of them begin in a minute.
    """
    count, step_s = 0, 60 / per_minute if per_minute else 0
    for ids in batched(sorted(set(delivery_ids)), STEP):
        with transaction.atomic():
            made = make_runs(
                application.pk, ids, standings=REPLAYABLE, cause=Cause.REPLAY, now=now, step=step_s, start=count
            )
            count += len(made)
            if made:
                _record(made, action="delivery.replay", by=by, now=now, application=application)
    return count


_HOLD = """
WITH waited AS (
    SELECT id FROM webhooks_delivery WHERE run_id = ANY(%s) AND standing = 'accepted' ORDER BY id FOR NO KEY UPDATE
)
UPDATE webhooks_delivery d SET standing = 'held' FROM waited WHERE d.id = waited.id
"""


def hold(run_ids: Collection[UUID]) -> int:
    """Hold the deliveries whose runs these are: they waited, and were aborted because their hook was paused.

    Called within the transaction that aborted them. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [list(run_ids)])
        return int(cursor.rowcount)


# Hooks that are on and hold something: one look into an index for each hook there is, whatever else it was sent.
_HOLDING = """
SELECT o.id FROM webhooks_hook h JOIN runs_runnable o ON o.id = h.runnable_id
CROSS JOIN LATERAL (
    SELECT FROM webhooks_delivery d WHERE d.runnable_id = o.id AND d.standing = 'held' ORDER BY d.id LIMIT 1) held
WHERE o.enabled
"""

# What somebody else lets go at this moment is passed over.
_HELD = """
SELECT id, application_id FROM webhooks_delivery WHERE runnable_id = %s AND standing = 'held'
ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""


def release_all_held(*, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Let go what is held of all hooks that are on, at most so many deliveries. Returns how many that were."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDING)
        return release_held([runnable_id for (runnable_id,) in cursor.fetchall()], now=now, most=most)


def release_held(runnable_ids: Iterable[int], *, now: datetime, most: int = MOST_AT_ONCE) -> int:
    """Act upon what these hooks hold, if they are on: of each the oldest first, at most so many. Returns how many.

    What is left is let go by the next tick.
    """
    count = 0
    for runnable_id in runnable_ids:
        while count < most and (step := _release_some(runnable_id, now, min(STEP, most - count))):
            count += step
    return count


@transaction.atomic
def _release_some(runnable_id: int, now: datetime, limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_HOOK, [runnable_id])
        if cursor.fetchone() != (True,):
            return 0
        cursor.execute(_HELD, [runnable_id, limit])
        rows = cursor.fetchall()
    if not rows:
        return 0
    [owner] = {application_id for _, application_id in rows}
    ids = [delivery_id for delivery_id, _ in rows]
    return len(make_runs(owner, ids, standings=[Standing.HELD], cause=Cause.WEBHOOK, now=now))


@transaction.atomic
def verify_again(*, delivery: Delivery, by: audit.Actor, now: datetime) -> Delivery:
    """Judge a refused delivery once more, by its hook's secrets as they are now and the time at which it came.

    One that is found right is taken as if it came now: it is accepted, or held where its hook is paused, or stored
    where that does nothing. So it may be a duplicate of one that was accepted before. Raises Conflict for one that is
    not right, with the reason; for what was not refused; and when it or its hook is gone.
    """
    held, is_on = _held(delivery)
    if held.standing != Standing.REFUSED:
        raise Conflict(NOT_REFUSED)
    hook = Hook.objects.for_application(delivery.application).filter(runnable_id=held.runnable_id).first()
    if hook is None:
        raise Conflict(GONE)
    call = _as_it_came(held)
    if reason := scheme_of(hook.verification).verify(hook.settings, call, held.received_at):
        raise Conflict(STILL_REFUSED.format(reason))
    held.event_id = event_id_of(hook, call)
    held.duplicate_of = mark(hook, held.event_id, held.pk, now=now) if held.event_id else None
    usual = Standing.HELD if does_something(hook) else Standing.STORED
    held.standing = Standing.DUPLICATE if held.duplicate_of else usual
    held.reason, held.verified = "", "" if hook.verification == Verification.NONE else hook.verification
    held.save(update_fields=["standing", "reason", "verified", "event_id", "duplicate_of"])
    if held.standing == Standing.HELD and is_on:
        make_runs(held.application_id, [held.pk], standings=[Standing.HELD], cause=Cause.WEBHOOK, now=now)
    _record([held.pk], action="delivery.verify", by=by, now=now, application=delivery.application)
    delivery.refresh_from_db(fields=["standing", "reason", "verified", "run_id", "event_id", "duplicate_of"])
    return delivery


def _as_it_came(delivery: Delivery) -> Call:
    """Without what is not kept of it."""
    headers = {name.lower(): value for name, value in delivery.headers.items()}
    raw = unpacked(bytes(delivery.body), packed=delivery.packed)
    return Call(delivery.method, delivery.query, headers, raw, delivery.address)


def does_something(hook: Hook) -> bool:
    """Whether what comes leads to a run."""
    return bool(hook.transform.strip() or actions_of(hook))


def _held(delivery: Delivery) -> tuple[Delivery, bool]:
    """Read again under lock; and whether its hook, locked before it, is on. Raises Conflict when either is gone."""
    with connection.cursor() as cursor:
        cursor.execute(_HOOK, [delivery.runnable_id])
        if not (hook := cursor.fetchone()):
            raise Conflict(GONE)
    owned = Delivery.objects.for_application(delivery.application).select_for_update(no_key=True, of=("self",))
    try:
        return owned.get(pk=delivery.pk), hook[0]
    except Delivery.DoesNotExist:
        raise Conflict(GONE) from None


def _record(delivery_ids: Collection[UUID], **entry: Any) -> None:
    """One entry for all of them: `2 deliveries`, and which; one alone by its id."""
    if len(delivery_ids) == 1:
        return audit.record(subject=f"delivery {next(iter(delivery_ids))}", **entry)
    names = [str(delivery_id) for delivery_id in sorted(delivery_ids)[:MOST_NAMED]]
    if more := len(delivery_ids) - len(names):
        names.append(f"and {more:,} more")
    return audit.record(subject=f"{len(delivery_ids):,} deliveries", changes={"deliveries": [None, names]}, **entry)
