"""How background tasks are triggered: many at once, in a number of statements that does not grow with them.

What may refuse one comes first, in this order: its definition, `on_before_trigger`, the delay, its input. Then there
are its rows, in the transaction of the caller's: it exists exactly if that is committed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from badgerjobs.lib.ids import uuid7s
from badgerjobs.runs import making
from badgerjobs.runs.models import Cause, Queue, Run, State
from badgerjobs.runs.worker import ring_after_commit
from badgerjobs.workspaces.models import Application
from tasks.background import errors
from tasks.background.errors import BackgroundTaskError
from tasks.background.preparing import Asked, Parent, Ready, asked_id, creator, prepared
from tasks.background.snapshot import BackgroundTask, snapshot_of
from tasks.models import BackgroundRun

KIND, PRIORITY = "background", 50
# How often rows are written again where the one with the same key ended at that moment.
TRIES = 5

Triggered = BackgroundTask | BackgroundTaskError


@transaction.atomic
def trigger_all(  # noqa: PLR0913
    application: Application,
    asked: Sequence[Asked],
    *,
    now: datetime,
    cause: Cause = Cause.CODE,
    public_only: bool = False,
    holds_parents: bool = True,
) -> list[Triggered]:
    """Trigger these, in their order; for each the task, or why there is none.

    Who aborts a parent waits for the end of the transaction, unless the caller looks afterwards whether somebody did,
    and so `holds_parents` is False. With `public_only` a private definition is unknown. A child that is there already
    is given back, and so is one with the same key of de-duplication that is not over.
    """
    answers: list[Triggered | None] = [None] * len(asked)
    parents = _parents(application, asked)
    there = _children_there([one.parent for one in asked if one.parent])
    ready: dict[int, Ready] = {}
    for place, one in enumerate(asked):
        try:
            if one.parent and (child := there.get(one.parent)):
                answers[place] = _the_same(child, asked_id(one.definition))
                continue
            ready[place] = prepared(application, one, parents, now=now, public_only=public_only)
        except BackgroundTaskError as error:
            answers[place] = error
    # Only now: hooks have been asked, which may take their time.
    held = _parents(application, [asked[place] for place in ready], and_holds=holds_parents)
    for place in list(ready):
        try:
            creator(asked[place], held)
        except BackgroundTaskError as error:
            answers[place] = error
            del ready[place]
    for place, made in _written(application, ready, cause=cause, now=now).items():
        answers[place] = made
    return [one for one in answers if one is not None]


_PARENTS = """
SELECT r.id, r.state, b.created_by::text FROM runs_run r JOIN tasks_backgroundrun b ON b.run_id = r.id
WHERE r.id = ANY(%s) AND r.application_id = %s ORDER BY r.id
"""
# Until the transaction ends nobody aborts them: their children would be left.
_HOLD = f"{_PARENTS} FOR SHARE OF r"


def _parents(
    application: Application, asked: Iterable[Asked], *, and_holds: bool = False
) -> dict[UUID, tuple[str, Mapping[str, Any]]]:
    """State and creator of each parent that is this application's."""
    if not (wanted := sorted({one.parent.id for one in asked if one.parent})):
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_HOLD if and_holds else _PARENTS, [wanted, application.pk])
        return {run_id: (state, json.loads(created_by)) for run_id, state, created_by in cursor.fetchall()}


def _children_there(parents: Sequence[Parent]) -> dict[Parent, BackgroundTask]:
    """The children that are at these places already: an iteration that is repeated finds them."""
    counted = {one for one in parents if one.place is not None}
    if not counted:
        return {}
    rows = BackgroundRun.objects.filter(parent_id__in={one.id for one in counted}).select_related("run")
    rows = rows.filter(parent_iteration__in={one.iteration for one in counted})
    rows = rows.filter(parent_place__in={one.place for one in counted})
    found = ((Parent(row.parent_id, row.parent_iteration, row.parent_place), row) for row in rows if row.parent_id)
    return {parent: snapshot_of(row, was_there=True) for parent, row in found if parent in counted}


def _the_same(child: BackgroundTask, definition_id: str) -> Triggered:
    """The child that is there, if it is of this definition."""
    if child.definition_id == definition_id:
        return child
    said = f'Its place has a child of "{child.definition_id}" already: an iteration that is repeated triggers the same.'
    return BackgroundTaskError(errors.CANNOT_TRIGGER, said, {"id": str(child.id), "definition": definition_id})


def _written(
    application: Application, ready: Mapping[int, Ready], *, cause: Cause, now: datetime
) -> dict[int, Triggered]:
    """The rows of these; of those that are there already the ones that are there."""
    done: dict[int, Triggered] = {}
    left = dict(ready)
    for _ in range(TRIES):
        if not left:
            return done
        done |= _inserted(application, left, cause=cause, now=now)
        left = {place: one for place, one in left.items() if place not in done}
        if left:
            done |= _found(application, left)
            left = {place: one for place, one in left.items() if place not in done}
    busy = BackgroundTaskError(errors.CANNOT_TRIGGER, "Others trigger and end the same task at this moment. Try again.")
    return done | dict.fromkeys(left, busy)


# In the order of what is unique: of two that make the same ones at once, one waits for the other, and not in a ring.
_INSERT = """
INSERT INTO tasks_backgroundrun (run_id, application_id, definition, name, given, created_by, parent_id,
                                 parent_iteration, parent_place, key, created_at, saved_at)
SELECT g.id, %(application)s, g.definition, g.name, g.given::jsonb, g.by::jsonb, g.parent, g.iteration, g.place, g.key,
       %(now)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(definitions)s::text[], %(names)s::text[], %(givens)s::text[], %(bys)s::text[],
            %(parents)s::uuid[], %(iterations)s::int[], %(places)s::int[], %(keys)s::text[])
    WITH ORDINALITY AS g(id, definition, name, given, by, parent, iteration, place, key, turn)
ORDER BY g.definition, g.key, g.parent, g.iteration, g.place, g.turn
ON CONFLICT DO NOTHING RETURNING run_id
"""


def _inserted(
    application: Application, ready: Mapping[int, Ready], *, cause: Cause, now: datetime
) -> dict[int, Triggered]:
    ids = dict(zip(ready, uuid7s(now, len(ready)), strict=True))
    ids |= {place: one.id for place, one in ready.items() if one.id}
    texts = {place: json.dumps(one.input) for place, one in ready.items()}
    those = list(ready.values())
    values: dict[str, Any] = {
        "application": application.pk,
        "now": now,
        "ids": list(ids.values()),
        "definitions": [one.definition.id for one in those],
        "names": [one.name for one in those],
        "givens": list(texts.values()),
        "bys": [json.dumps(dict(one.created_by)) for one in those],
        "parents": [one.parent and one.parent.id for one in those],
        "iterations": [one.parent and one.parent.iteration for one in those],
        "places": [one.parent and one.parent.place for one in those],
        "keys": [one.key for one in those],
    }
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, values)
        stored = {run_id for (run_id,) in cursor.fetchall()}
    made = {place: one for place, one in ready.items() if ids[place] in stored}
    _queue(application, made, ids, texts, cause=cause, now=now)
    return {place: _new(ids[place], one, now) for place, one in made.items()}


def _queue(  # noqa: PLR0913
    application: Application,
    made: Mapping[int, Ready],
    ids: Mapping[int, UUID],
    texts: Mapping[int, str],
    *,
    cause: Cause,
    now: datetime,
) -> None:
    """The runs of these: a statement for each moment at which some are due."""
    by_due: dict[datetime, list[int]] = {}
    for place, one in made.items():
        by_due.setdefault(max(one.due_at, now), []).append(place)
    for due_at, places in by_due.items():
        making.queue_alone_as(
            [(application.pk, texts[place]) for place in places],
            kind=KIND, queue=Queue.COMPUTE.value, priority=PRIORITY, now=now, cause=cause, due_at=due_at,
            ids=[ids[place] for place in places],
        )  # fmt: skip
    if now in by_due:
        ring_after_commit(Queue.COMPUTE.value)


def _new(run_id: UUID, ready: Ready, now: datetime) -> BackgroundTask:
    """As it was made, without being read again."""
    row = BackgroundRun(
        run_id=run_id, definition=ready.definition.id, name=ready.name, created_by=dict(ready.created_by),
        parent_id=ready.parent.id if ready.parent else None, created_at=now, saved_at=now,
    )  # fmt: skip
    state = State.SCHEDULED if ready.due_at > now else State.QUEUED
    return snapshot_of(row, Run(id=run_id, state=state, input=ready.input, due_at=max(ready.due_at, now)))


def _found(application: Application, left: Mapping[int, Ready]) -> dict[int, Triggered]:
    """Those that are there in the place of these: at the child's place, with the key, or with the id."""
    children = _children_there([one.parent for one in left.values() if one.parent])
    keys = {one.key for one in left.values() if one.key is not None}
    rows = BackgroundRun.objects.for_application(application).filter(key__in=keys).select_related("run")
    by_key = {(row.definition, row.key): snapshot_of(row, was_there=True) for row in rows} if keys else {}
    asked = [one.id for one in left.values() if one.id]
    rows = BackgroundRun.objects.for_application(application).filter(pk__in=asked).select_related("run")
    by_id = {row.pk: snapshot_of(row, was_there=True) for row in rows} if asked else {}
    found: dict[int, Triggered] = {}
    for place, one in left.items():
        child = children.get(one.parent) if one.parent else None
        same = by_id.get(one.id) if one.id else None
        if child:
            found[place] = _the_same(child, one.definition.id)
        elif there := same or by_key.get((one.definition.id, one.key)):
            found[place] = there
    return found
