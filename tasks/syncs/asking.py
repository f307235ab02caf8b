"""Has keys fetched by themselves: because somebody asks for it, or because a reader found a value stale or missing."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.runs import making
from badgerjobs.runs.models import Cause, Queue, Run
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from tasks.counts import keys_in_words
from tasks.models import REFRESH_KIND, CacheKey

# For readers a key is fetched at most this often.
REFRESH_AGAIN_S = 10
# A key that waits for its next attempt for longer than this is fetched all the same, if a reader needs it.
SOON_S = 60
# Before most other work of the application: a reader may be waiting for it.
PRIORITY = 10
# So many keys may be fetched by one request.
MOST_KEYS = 10_000


@transaction.atomic
def refresh_key(*, key: CacheKey, by: audit.Actor, now: datetime) -> Run:
    """Fetch a key now, whatever its value's age. Returns the run."""
    run = _queue(key.application_id, [key.pk], now)
    audit.record(by=by, action="cachekey.sync", subject=key.name, now=now, application=key.application)
    return run


@transaction.atomic
def refresh_keys(
    *, application: Application, key_ids: Sequence[int], by: audit.Actor, now: datetime, run_id: UUID | None = None
) -> Run | None:
    """Fetch these keys now, in one run; None where none of them is the application's.

    Who may have to ask once more gives the run its id: the run with that id is returned where it is there already.
    """
    if run_id and (made := Run.objects.for_application(application).filter(pk=run_id).first()):
        return made
    keys = CacheKey.objects.for_application(application).filter(pk__in=key_ids).order_by("name")
    owned = list(keys.values_list("pk", "name")[:MOST_KEYS])
    if not owned:
        return None
    run = _queue(application.pk, [pk for pk, _ in owned], now, run_id)
    subject = owned[0][1] if len(owned) == 1 else keys_in_words(len(owned))
    audit.record(by=by, action="cachekey.sync", subject=subject, now=now, application=application)
    return run


def _queue(application_id: int, key_ids: list[int], now: datetime, run_id: UUID | None = None) -> Run:
    given = {"key": key_ids[0]} if len(key_ids) == 1 else {"keys": key_ids}
    with connection.cursor() as cursor:
        cursor.execute(_ASK_BY_HAND, {"keys": key_ids, "now": now})
    [made] = making.queue_alone_as(
        [(application_id, json.dumps(given))], kind=REFRESH_KIND, queue=Queue.IO, priority=PRIORITY, now=now,
        cause=Cause.MANUAL, ids=[run_id] if run_id else None,
    )  # fmt: skip
    ring_after_commit(Queue.IO)
    return Run.objects.get(pk=made)


# In the order in which syncs lock values before they write them.
_HELD = "SELECT key_id FROM tasks_cachedvalue WHERE key_id = ANY(%(keys)s) ORDER BY key_id FOR NO KEY UPDATE"

_ASK_BY_HAND = f"""
WITH held AS MATERIALIZED ({_HELD})
UPDATE tasks_cachedvalue v SET asked_at = %(now)s FROM held WHERE v.key_id = held.key_id
"""  # noqa: S608

# Of many readers at once one gets the key. One that is being fetched, or soon will be, nobody gets: of its syncs the
# newest are looked at, and no history is walked.
_ASK = f"""
WITH held AS MATERIALIZED ({_HELD})
UPDATE tasks_cachedvalue v SET asked_at = %(now)s
FROM held JOIN tasks_cachekey k ON k.id = held.key_id
WHERE v.key_id = held.key_id AND (v.asked_at IS NULL OR v.asked_at <= %(before)s)
  AND NOT EXISTS (
    SELECT FROM (
        SELECT run_id, state, due_at FROM tasks_keysync s WHERE s.key_id = v.key_id ORDER BY s.id DESC LIMIT 3
    ) last JOIN runs_run r ON r.id = last.run_id
    WHERE last.state = 'waiting' AND last.due_at <= %(soon)s
      AND r.state IN ('queued', 'running', 'scheduled', 'retrying'))
RETURNING v.key_id, k.application_id
"""  # noqa: S608


def ask(key_ids: Collection[int], now: datetime) -> list[int]:
    """Have these keys fetched, each by a run of its own, as a reader needs them.

    Returns those for which a run was made: for all others somebody else has asked lately.
    """
    given: dict[str, Any] = {
        "keys": sorted(key_ids),
        "now": now,
        "before": now - timedelta(seconds=REFRESH_AGAIN_S),
        "soon": now + timedelta(seconds=SOON_S),
    }
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ASK, given)
            rows: list[tuple[int, int]] = cursor.fetchall()
        if rows:
            wanted = [(application_id, {"key": key_id}) for key_id, application_id in rows]
            making.queue_alone(wanted, kind=REFRESH_KIND, queue=Queue.IO, priority=PRIORITY, now=now)
            ring_after_commit(Queue.IO)
    return [key_id for key_id, _ in rows]
