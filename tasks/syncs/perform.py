"""What a run of a task does, and one that fetches a key by itself: its keys are worked out once, and then fetched.

The rows of its keys say how far it is. So it may be put off while keys wait for their next attempts, and whoever takes
it then, or finds it in the hands of a worker that died, goes on where it stands.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from badgerjobs.lib.backoff import Retries
from badgerjobs.lib.javascript import Written
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.workspaces.models import Application
from tasks.counts import Counts, keys_in_words
from tasks.models import CacheKey, Task, TaskType
from tasks.syncs import beginning, books
from tasks.syncs.means import Means, open_means
from tasks.syncs.syncing import Sync
from tasks.webhook_variables import NoRoomError, filled_pattern, variables_of

# When a transform is tried again for which the sandbox had no room.
AGAIN_S = 2.0
TOO_MANY = Failed(
    "too_many",
    f"It means more than {beginning.MOST_KEYS:,} keys: a run may fetch no more. Let several tasks share them.",
    retry=False,
)


def load_tasks(runs: Sequence[Claimed]) -> dict[UUID, Task]:
    """The tasks of a batch of runs, in one query. A run whose task was deleted is left out."""
    rows = Task.objects.filter(runnable_id__in=[run.runnable_id for run in runs]).select_related("application")
    found = {task.runnable_id: task for task in rows}
    return {run.id: found[run.runnable_id] for run in runs if run.runnable_id in found}


async def perform_task(run: Claimed, task: Task, means: Means) -> Outcome:
    """Fetch the keys that a task means, as it is when its run begins."""
    begun = await means.ask(beginning.is_begun, run.id)
    try:
        if not begun and (failed := await _choose(run, task, means)):
            return failed
    except NoRoomError:
        return Later(AGAIN_S)
    run.forget_input()
    return await _fetched(run, run.policy, means, begun=begun)


async def _choose(run: Claimed, task: Task, means: Means) -> Failed | None:
    """Work out the keys. Failed: what would go no better later. Raises NoRoomError for what may."""
    now = await means.ask(means.clock.read)
    given = await means.sources.heavy.do(partial(_given, run))
    if given.syncs_of:
        await means.ask(beginning.choose_failed, run, UUID(given.syncs_of), now=now)
        return None
    pattern = task.pattern
    if task.type == TaskType.WEBHOOK and pattern:
        try:
            variables = await _variables(task, given)
        except ValueError as error:
            return Failed("variables", str(error), retry=False)
        try:
            pattern = filled_pattern(pattern, variables, task.selection)
        except ValueError as error:
            return Failed("pattern", str(error), retry=False)
    try:
        await means.ask(beginning.choose, run, task, pattern, now=now)
    except beginning.TooManyError:
        return TOO_MANY
    return None


@dataclass(frozen=True, slots=True)
class Given:
    """What a run was given: a webhook's body (None where none came) and headers, or the run whose failed keys it has.

    Or the variables, where a hook has read them already; None: it has not. The body is left as text: as values it takes
    twenty times as much memory.
    """

    body: Written | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    syncs_of: str = ""
    variables: Mapping[str, str] | None = None


def _given(run: Claimed) -> Given:
    given = run.input
    if not isinstance(given, dict):
        return Given()
    body = Written(json.dumps(given["body"])) if "body" in given else None
    return Given(body, given.get("headers") or {}, given.get("syncs_of", ""), given.get("variables"))


async def _variables(task: Task, given: Given) -> Mapping[str, str]:
    """What a webhook's body says; nothing where none came. Raises ValueError and NoRoomError."""
    if given.variables is not None:
        return given.variables
    if not task.transform or given.body is None:
        return {}
    owner = task.application
    return await variables_of(task.transform, given.body, given.headers, owner.workspace_id, part=owner.pk)


@dataclass(frozen=True, slots=True)
class Refresh:
    """Keys that are fetched by themselves, by ids and names, and how they are tried again."""

    keys: Sequence[tuple[int, str]]
    policy: Retries


def load_keys(runs: Sequence[Claimed]) -> dict[UUID, Refresh]:
    """The keys of a batch of runs, in two queries. A run whose keys were all deleted is left out."""
    asked = {run.id: asked_for(run.input) for run in runs}
    rows = CacheKey.objects.filter(pk__in={key_id for ids in asked.values() for key_id in ids})
    names = {(owner, pk): name for owner, pk, name in rows.values_list("application_id", "pk", "name")}
    policies = {one.pk: one.policy for one in Application.objects.filter(pk__in={run.application_id for run in runs})}
    found = {}
    for run in runs:
        owner = run.application_id
        keys = [(pk, names[owner, pk]) for pk in asked[run.id] if (owner, pk) in names]
        if keys and owner in policies:
            found[run.id] = Refresh(keys, policies[owner])
    return found


def asked_for(given: Any) -> list[int]:
    """The ids of the keys that a run of no task is to fetch."""
    return [*given["keys"]] if "keys" in given else [given["key"]]


async def perform_refresh(run: Claimed, refresh: Refresh, means: Means) -> Outcome:
    """Fetch them."""
    begun = await means.ask(beginning.is_begun, run.id)
    if not begun:
        now = await means.ask(means.clock.read)
        await means.ask(beginning.choose_these, run, refresh.keys, now=now)
    outcome = await _fetched(run, refresh.policy, means, begun=begun)
    if len(refresh.keys) == 1 and isinstance(outcome, Failed):
        error_class, error = await means.ask(books.error_of, run.id)
        return replace(outcome, error_class=error_class, error=error)
    return outcome


async def _fetched(run: Claimed, policy: Retries, means: Means, *, begun: bool) -> Outcome:
    """Fetch what is due of a run whose keys are known; the rest waits for its time without a slot."""
    if begun:
        await means.ask(means.clock.read)
    after = await Sync(run, policy, means).go()
    if after:
        return Later((after - means.clock.now()).total_seconds(), is_begun=True)
    counts = await means.ask(books.counts, run.id)
    return _outcome(counts, run, begun=begun)


def _outcome(counts: Counts, run: Claimed, *, begun: bool) -> Done | Failed:
    output = asdict(counts)
    began_at = run.started_at if begun and not run.attempts else None
    if not counts.failed:
        return Done(output, output=output, began_at=began_at)
    error = f"{counts.failed:,} of {keys_in_words(counts.keys)} failed."
    in_part = counts.failed < counts.keys
    return Failed("keys", error, output, retry=False, output=output, began_at=began_at, in_part=in_part)


SYNC = Kind(load=load_tasks, perform=perform_task, open=open_means)
REFRESH = Kind(load=load_keys, perform=perform_refresh, open=open_means)
