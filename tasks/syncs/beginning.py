"""Works out which keys a run means, and writes a waiting row for each: all of them, or none.

It is one transaction: a worker that dies in it leaves nothing, and what another finds afterwards is whole.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7s
from badgerjobs.lib.time_limits import within
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import LogLine, Run
from tasks.counts import keys_in_words
from tasks.models import CacheKey, KeySync, Selection, Task
from tasks.selection import matching

# So many keys one run may have, and so many are written in one statement.
MOST_KEYS = 100_000
BATCH = 5000
# What working them out may take.
CHOOSE_S = 120.0

_ADD = """
INSERT INTO tasks_keysync (id, application_id, run_id, runnable_id, key_id, key_name, state, attempts, due_at, etag,
                           error_class, error)
SELECT g.id, %(application)s, %(run)s, %(runnable)s, g.key_id, g.name, 'waiting', 0, %(now)s, '', '', ''
FROM unnest(%(ids)s::uuid[], %(keys)s::bigint[], %(names)s::text[]) AS g(id, key_id, name)
WHERE EXISTS (SELECT FROM runs_run WHERE id = %(run)s AND state = 'running' AND worker = %(worker)s)
ON CONFLICT (run_id, key_id) DO NOTHING
"""


class TooManyError(Exception):
    """More keys than a run may have."""


@within(CHOOSE_S)
def is_begun(run_id: UUID) -> bool:
    """Whether the keys of a run have been worked out, and there are some."""
    return KeySync.objects.filter(run_id=run_id).exists()


@within(CHOOSE_S)
def choose(run: Claimed, task: Task, pattern: str, *, now: datetime) -> int:
    """The keys that a task means now, with its pattern filled. Returns how many. Raises TooManyError."""
    if task.selection == Selection.EXACT:
        keys = CacheKey.objects.filter(application_id=run.application_id, taskkey__task=task).order_by("name")
    else:
        keys = matching(task.application, task.selection, pattern)
    with transaction.atomic():
        count = _add(run, keys.values_list("pk", "name")[: MOST_KEYS + 1].iterator(BATCH), now)
        _say(run, _chosen(task.selection, pattern, count), now)
    return count


@within(CHOOSE_S)
def choose_failed(run: Claimed, before: UUID, *, now: datetime) -> int:
    """Those that failed in a run that is over, and are still there. Returns how many."""
    failed = KeySync.objects.filter(application_id=run.application_id).failed_in(before)
    keys = CacheKey.objects.filter(pk__in=failed.values("key_id"), application_id=run.application_id)
    with transaction.atomic():
        number = (
            Run.objects.filter(pk=before, application_id=run.application_id).values_list("number", flat=True).first()
        )
        count = _add(run, keys.order_by("name").values_list("pk", "name")[: MOST_KEYS + 1].iterator(BATCH), now)
        which = f"run {number}" if number else "a run that was deleted"
        _say(run, f"{keys_in_words(count)} that failed in {which}: fetched again.", now)
    return count


@within(CHOOSE_S)
def choose_these(run: Claimed, keys: Sequence[tuple[int, str]], *, now: datetime) -> int:
    """Keys by their ids and names. Returns how many."""
    with transaction.atomic():
        return _add(run, iter(keys), now)


def _add(run: Claimed, keys: Iterator[tuple[int, str]], now: datetime) -> int:
    count = 0
    while batch := list(islice(keys, BATCH)):
        count += len(batch)
        if count > MOST_KEYS:
            raise TooManyError
        given: dict[str, Any] = {
            "application": run.application_id,
            "run": run.id,
            "runnable": run.runnable_id,
            "worker": run.worker,
            "now": now,
            "ids": uuid7s(now, len(batch)),
            "keys": [key_id for key_id, _ in batch],
            "names": [name for _, name in batch],
        }
        with connection.cursor() as cursor:
            cursor.execute(_ADD, given)
    return count


# What keys do that a pattern means: one key, several.
_DO = {
    Selection.CONTAINS: ("contains", "contain"),
    Selection.PREFIX: ("begins with", "begin with"),
    Selection.GLOB: ("matches", "match"),
    Selection.TAG: ("has the tag", "have the tag"),
}


def _chosen(selection: str, pattern: str, count: int) -> str:
    """`1,000 keys contain “product”.`, `No key contains “product”: nothing is fetched.`."""
    if selection == Selection.EXACT:
        return f"The task names {keys_in_words(count)}." if count else "The task names no key: nothing is fetched."
    one, several = _DO[Selection(selection)]
    if not count:
        return f"No key {one} “{pattern}”: nothing is fetched."
    return f"{keys_in_words(count)} {one if count == 1 else several} “{pattern}”."


def _say(run: Claimed, message: str, now: datetime) -> None:
    LogLine.objects.create(
        run_id=run.id, application_id=run.application_id, attempt=run.attempt, rescues=run.rescues, level="info",
        message=message, created_at=now,
    )  # fmt: skip
