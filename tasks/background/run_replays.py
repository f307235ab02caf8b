"""A background task that is replayed is triggered once more, by whatever it was triggered with."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.runs.models import Cause, Queue, Run
from badgerjobs.runs.owner_replays import Replays
from badgerjobs.workspaces.models import Application
from tasks.background.errors import BackgroundTaskError
from tasks.background.preparing import Asked, prepared
from tasks.background.triggering import trigger_all
from tasks.models import BackgroundRun

GONE = "This task was deleted in the meantime: there is nothing to trigger again."
IS_THERE = "Another one of this definition with the same key is not over: two of them are not let beside each other."

# Which run each of the new ones repeats.
_NAME = """
UPDATE runs_run r SET replay_of = g.old FROM unnest(%s::uuid[], %s::uuid[]) AS g(id, old) WHERE r.id = g.id
"""


def make(runs: Sequence[Run], *, now: datetime, step: float, start: int) -> list[tuple[UUID, str]]:
    """Trigger these again that their definitions let; private ones are for code alone. In the order of their ids."""
    rows = BackgroundRun.objects.in_bulk([run.pk for run in runs])
    by_owner: dict[int, list[Run]] = {}
    for run in runs:
        if run.pk in rows:
            by_owner.setdefault(run.application_id, []).append(run)
    owners = Application.objects.select_related("workspace").in_bulk(by_owner)
    made: dict[UUID, UUID] = {}
    for owner_id, those in by_owner.items():
        if not (owner := owners.get(owner_id)):
            continue
        turn = start + len(made)
        asked = [_asked(rows[run.pk], now + timedelta(seconds=step * (turn + n))) for n, run in enumerate(those)]
        answers = trigger_all(owner, asked, now=now, cause=Cause.REPLAY, public_only=True)
        for run, answer in zip(those, answers, strict=True):
            if not isinstance(answer, BackgroundTaskError) and not answer.was_there:
                made[answer.id] = run.pk
    if made:
        with connection.cursor() as cursor:
            cursor.execute(_NAME, [list(made), list(made.values())])
    return [(run_id, Queue.COMPUTE.value) for run_id in made]


def _asked(row: BackgroundRun, due_at: datetime | None = None) -> Asked:
    """The same once more: no child of anybody's."""
    given: Any = row.given
    return Asked(definition=row.definition, input=given, name=row.name, created_by=row.created_by, due_at=due_at)


def why_not(run: Run) -> str:
    """What somebody is told who replays a task that its definition does not let."""
    row = BackgroundRun.objects.for_application(run.application).filter(pk=run.pk).first()
    if row is None:
        return GONE
    try:
        prepared(run.application, _asked(row), {}, now=row.created_at, public_only=True)
    except BackgroundTaskError as error:
        return f"It cannot be triggered again: {error.message}"
    return IS_THERE


BACKGROUND = Replays(make=make, why_not=why_not)
