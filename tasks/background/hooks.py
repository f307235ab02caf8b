"""Calls the hooks of definitions when a task is over, in a process of its own; and deletes it then, if that is wanted.

One that raises is written into the log of the task, and changes nothing else. One whose process or worker died is
called again.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.models import LogLine
from badgerjobs.runs.outcomes import Continue, Done, Failed, Outcome
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pool import Pool, Work, open_shared
from badgerjobs.runs.statements import Statements
from tasks.background.cleanup import clean
from tasks.background.definitions import Definition, definition_of
from tasks.background.faults import error_of
from tasks.models import BackgroundRun

logger = logging.getLogger(__name__)

# How often a hook is called whose process died, and how many seconds later.
TRIES, AGAIN_S = 3, 10
# For the statements of all hooks of a loop.
THREADS = 1


@dataclass(frozen=True, slots=True)
class Ending:
    """A task that is over, the hooks that are to be called, and whether it is deleted then.

    Its definition is None where that is gone: nothing can be called.
    """

    task: BackgroundRun
    definition: Definition | None
    hooks: Sequence[str]
    cleans: bool


@dataclass(frozen=True, slots=True)
class Means:
    """What the hooks of a loop share."""

    pool: Pool
    statements: Statements
    clock: Clock


@asynccontextmanager
async def open_means() -> AsyncIterator[Means]:
    """For one event loop."""
    statements = Statements(THREADS)
    try:
        async with open_shared() as pool:
            yield Means(pool, statements, Clock())
    finally:
        await statements.hang_up()


def load(runs: Sequence[Claimed]) -> dict[UUID, Ending]:
    """The tasks of a batch, in one query. A run whose task was deleted is left out."""
    asked = {run.id: run.input for run in runs}
    tasks = {
        row.pk: row
        for row in BackgroundRun.objects.filter(pk__in=[UUID(one["run"]) for one in asked.values()])
        .select_related("run")
        .defer("given", "run__input", "run__output")
    }
    loaded: dict[UUID, Ending] = {}
    for run in runs:
        run.follow(Retries(retries=TRIES - 1, step_s=AGAIN_S))
        given = asked[run.id]
        if task := tasks.get(UUID(given["run"])):
            loaded[run.id] = Ending(task, definition_of(task.definition), given["hooks"], given["cleans"])
    return loaded


async def perform(run: Claimed, ending: Ending, means: Means) -> Outcome:
    """Call one hook; another one of the same task has an iteration of its own, so that each is called once."""
    failed = None
    if ending.hooks and ending.definition:
        failed = await _called(run, ending, ending.definition, means)
        if failed and failed.retry:
            return failed
    if rest := list(ending.hooks[1:]):
        return Continue(0.0, {"run": str(ending.task.pk), "hooks": rest, "cleans": ending.cleans})
    if ending.cleans and not await _cleaned(run, ending, means, leaves_trace=failed is not None):
        return Continue(AGAIN_S, {"run": str(ending.task.pk), "hooks": [], "cleans": True})
    return failed or Done()


async def _called(run: Claimed, ending: Ending, definition: Definition, means: Means) -> Failed | None:
    """What was wrong, None when nothing was."""
    name, task = ending.hooks[0], ending.task
    came = await means.pool.iterate(
        Work(
            run_id=task.pk,
            application_id=run.application_id,
            definition=definition.id,
            name=task.name,
            input=None,
            output=None,
            iteration=_last(task, definition),
            attempt=max(1, task.run.attempts),
            timeout_s=definition.timeout_s,
            kind="hook",
            hook=name,
        )
    )
    if came.word == "done":
        return None
    failed = _failed(name, came, definition, may_retry=run.tried < TRIES)
    if not failed.retry:
        await means.statements.insist(_log, task, _last(task, definition), failed, means.clock)
    return failed


def _failed(name: str, came: Came, definition: Definition, *, may_retry: bool) -> Failed:
    if came.word in {"crashed", "unready"}:
        said = came.message or "Its process ended before it answered."
        return Failed("crashed", f"{name} failed: {said}", retry=may_retry)
    if came.word == "timeout":
        return Failed("timeout", f"{name} failed: it may take {definition.timeout_s:g} s.", retry=False)
    error = came.error or error_of(came.message)
    return Failed("code", f"{name} failed: {error.get('message')}", retry=False, data={"error": error})


def _last(task: BackgroundRun, definition: Definition) -> int:
    """Which iteration was its last: the one after the most that it may have only failed."""
    return min(task.run.iteration, definition.max_iterations)


def _log(task: BackgroundRun, iteration: int, failed: Failed, clock: Clock) -> None:
    LogLine.objects.create(
        run_id=task.pk, application_id=task.application_id, attempt=task.run.attempts, rescues=task.run.rescues,
        iteration=iteration, level="error", message=failed.error, data=failed.data, created_at=clock.read(),
    )  # fmt: skip


async def _cleaned(run: Claimed, ending: Ending, means: Means, *, leaves_trace: bool) -> bool:
    """Delete the task, and this run with it: nothing is left of either. What cannot be deleted stays.

    Returns False for what may be deleted later.
    """
    try:
        return await means.statements.run(
            clean, ending.task.pk, application_id=run.application_id, by=run.id, takes_it=not leaves_trace
        )
    except Exception:
        logger.exception("task %s cannot be deleted after its end", ending.task.pk)
        return True


BACKGROUND_HOOK = Kind(load=load, perform=perform, open=open_means)
