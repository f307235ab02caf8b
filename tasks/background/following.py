"""What follows when runs of definitions are over, in the transaction that ends them.

Children of what was aborted are aborted, too. Hooks run by themselves, as a run of their own, so that what they do, and
how long that takes, changes nothing of the outcome. All of it in as many statements for a thousand as for one.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

from django.db import connection

from badgerjobs.lib.ids import uuid7s
from badgerjobs.runs import lifecycle, making
from badgerjobs.runs.following import Ended, Following
from badgerjobs.runs.models import Cause, Queue, State
from badgerjobs.runs.worker import ring_after_commit
from tasks.background import places
from tasks.background.cleanup import hook_run_of
from tasks.background.definitions import definition_of, definitions
from tasks.background.engine_errors import keep_errors
from tasks.models import BackgroundRun

HOOK_KIND, HOOK_PRIORITY = "background_hook", 40
PARENT_ABORTED = "The task that triggered it was aborted."
# The error class of a run that has reached its most iterations.
MAX_ITERATIONS = "max_iterations"

# For each end its hook, and the word by which a definition asks for its run to be deleted.
_ENDS = {
    State.SUCCEEDED: ("on_done", "done"),
    State.FAILED: ("on_error", "error"),
    State.ABORTED: ("on_abort", "abort"),
}

_spares: ContextVar[bool] = ContextVar("spares_children", default=False)
# Of what is aborted with others: whoever ended first frees the places of all.
_leaving: ContextVar[list[BackgroundRun] | None] = ContextVar("leaving", default=None)


@contextmanager
def sparing_children(*, spares: bool = True) -> Iterator[None]:
    """While it lasts, the children of what is aborted here go on."""
    token = _spares.set(spares)
    try:
        yield
    finally:
        _spares.reset(token)


def ended(batch: Sequence[Ended]) -> None:
    """Do what follows of these, which are locked."""
    by_id = {one.run_id: one for one in batch}
    now = max(one.now for one in batch)
    rows = list(
        BackgroundRun.objects.filter(pk__in=by_id).select_related("run").only(
            "definition", "application_id", "key", "has_place", "is_parked", "run__error_class"
        )
    )  # fmt: skip
    leaving = _leaving.get()
    began = leaving is None
    if leaving is None:
        leaving = []
        if not _spares.get():
            leaving += _abort_descendants([one.run_id for one in batch if one.state == State.ABORTED], now)
    # What waited may have been let go on already: then another one may in its stead.
    leaving += [row for row in rows if row.has_place or row.is_parked]
    _let_go(rows)
    keep_errors(rows, by_id)
    _call_hooks(rows, by_id, now)
    if began:
        places.free(leaving, now=now)


# What is over is not aborted, and so neither is what only that has triggered.
_DESCENDANTS = """
WITH RECURSIVE tree(id) AS (
    SELECT parent.id FROM unnest(%(parents)s::uuid[]) AS parent(id)
    UNION
    SELECT b.run_id FROM tree JOIN tasks_backgroundrun b ON b.parent_id = tree.id JOIN runs_run r ON r.id = b.run_id
    WHERE r.state IN ('scheduled', 'queued', 'running', 'retrying')
)
SELECT r.id FROM runs_run r
WHERE r.id IN (SELECT id FROM tree) AND NOT r.id = ANY(%(parents)s)
  AND r.state IN ('scheduled', 'queued', 'running', 'retrying')
ORDER BY r.id FOR NO KEY UPDATE
"""


def _abort_descendants(aborted: Sequence[UUID], now: datetime) -> list[BackgroundRun]:
    """Those of these that are not over. Returns which of them had a place, or waited for one."""
    held: list[UUID] = []
    # Until none is new: while one was waited for it may have triggered another.
    while aborted and (more := _hold_descendants([*aborted, *held])):
        held += more
    leaving: list[BackgroundRun] = []
    if held:
        token = _leaving.set(leaving)
        try:
            lifecycle.abort(held, now=now, reason=PARENT_ABORTED)
        finally:
            _leaving.reset(token)
    return leaving


def _hold_descendants(parents: Sequence[UUID]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_DESCENDANTS, {"parents": list(parents)})
        return [run_id for (run_id,) in cursor.fetchall()]


def _let_go(rows: Iterable[BackgroundRun]) -> None:
    """Another one may have the key now, and the place."""
    if held := [row.pk for row in rows if row.key is not None or row.has_place or row.is_parked]:
        BackgroundRun.objects.filter(pk__in=held).update(key=None, has_place=False, is_parked=False)


def _call_hooks(rows: Iterable[BackgroundRun], by_id: dict[UUID, Ended], now: datetime) -> None:
    """A run for each whose definition wants to hear of such an end, or wants it deleted then.

    Children that were kept for what is over now are deleted then, too.
    """
    given: dict[UUID, tuple[int, str]] = {}
    stays: list[UUID] = []
    for row in rows:
        hooks, cleans = _wanted(row.definition, row.run.error_class, by_id[row.pk].state)
        if hooks or cleans:
            given[hook_run_of(row.pk)] = _asked(row.application_id, row.pk, hooks, cleans=cleans)
        if not cleans:
            stays.append(row.pk)
    kept = _kept_children(stays)
    for hook_run, (owner, child) in zip(uuid7s(now, len(kept)), kept, strict=True):
        given[hook_run] = _asked(owner, child, [], cleans=True)
    if given:
        queue = Queue.COMPUTE.value
        making.queue_alone_as(
            list(given.values()), kind=HOOK_KIND, queue=queue, priority=HOOK_PRIORITY, now=now, cause=Cause.CODE,
            ids=list(given),
        )  # fmt: skip
        ring_after_commit(queue)


def _asked(application_id: int, run_id: UUID, hooks: list[str], *, cleans: bool) -> tuple[int, str]:
    return application_id, json.dumps({"run": str(run_id), "hooks": hooks, "cleans": cleans})


_KEPT = """
SELECT b.application_id, b.run_id, b.definition, r.state FROM tasks_backgroundrun b JOIN runs_run r ON r.id = b.run_id
WHERE b.parent_id = ANY(%s) AND b.parent_place IS NOT NULL AND b.definition = ANY(%s)
  AND r.state IN ('succeeded', 'failed', 'aborted')
"""


def _kept_children(parents: Sequence[UUID]) -> list[tuple[int, UUID]]:
    """Those of these whose definitions want them deleted: until now an iteration might have looked for them."""
    cleaning = [one.id for one in definitions() if one.self_cleanup]
    if not parents or not cleaning:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [list(parents), cleaning])
        rows = cursor.fetchall()
    return [(owner, run_id) for owner, run_id, definition, state in rows if _wanted(definition, "", State(state))[1]]


def _wanted(definition_id: str, error_class: str, state: State) -> tuple[list[str], bool]:
    """Which hooks are to be called, in their order, and whether the run is to be deleted after them."""
    definition = definition_of(definition_id)
    if definition is None or state not in _ENDS:
        return [], False
    hook, word = _ENDS[state]
    names = ["on_max_iterations", hook] if error_class == MAX_ITERATIONS else [hook]
    return [name for name in names if definition.hook(name)], word in definition.self_cleanup


FOLLOWING = Following(ended)
