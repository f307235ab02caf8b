"""Performs one iteration of a background task: in a process of its own, by the definition's code."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.models import Run
from badgerjobs.runs.outcomes import Aborted, Continue, Done, Failed, Later, Outcome, Said
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pool import Pool, Work, open_shared
from tasks.background import places
from tasks.background.definitions import Definition, definition_of
from tasks.models import BackgroundRun

# The row of RUN_KINDS that performs them.
KIND = "background"
NEVER_AGAIN = Retries(retries=0)

# One whose process could not be made waits so long, in seconds.
UNREADY_S = 10.0

logger = logging.getLogger(__name__)

# What the errors of such runs are called, beside those of every run.
CODE, TIMEOUT, CRASHED, MAX_ITERATIONS, DEFINITION = "code", "timeout", "crashed", "max_iterations", "definition"
REACHED = "Task reached max iterations."

# While a new version is brought out, some workers have a definition that others have not: one that has not leaves the
# run to them, for so long, and looks again after so many seconds.
OTHERS_MAY, AGAIN_S = timedelta(minutes=5), 30.0


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an iteration needs: its row, what those before it left, and its definition, None where it is gone."""

    row: BackgroundRun
    output: Any
    definition: Definition | None


# What is written already is left alone.
_BEGIN = """
UPDATE tasks_backgroundrun b SET iterations = g.iteration, saved_at = %(now)s
FROM unnest(%(ids)s::uuid[], %(iterations)s::int[]) AS g(id, iteration)
WHERE b.run_id = g.id AND b.iterations < g.iteration
"""


def load(runs: Sequence[Claimed]) -> dict[UUID, Loaded]:
    """The rows of a batch, and what was left to each, within the claim's transaction.

    A run whose row is gone is left out, and so is one for which there is no place now: that is put off already.
    """
    ids = [run.id for run in runs]
    rows = BackgroundRun.objects.in_bulk(ids)
    # What an attempt of the first one left is no output: the error of it is shown until the next attempt ends.
    later = [run.id for run in runs if run.iteration > 1]
    outputs = dict(Run.objects.filter(pk__in=later).values_list("pk", "output"))
    parked = places.over([run for run in runs if run.id in rows], rows)
    begun = [run for run in runs if run.id in rows and run.id not in parked]
    if begun:
        with connection.cursor() as cursor:
            iterations = [_begun(run, definition_of(rows[run.id].definition)) for run in begun]
            given: dict[str, Any] = {"ids": [run.id for run in begun], "iterations": iterations}
            cursor.execute(_BEGIN, given | {"now": max(run.started_at for run in begun)})
    loaded: dict[UUID, Loaded] = {}
    for run in runs:
        if (row := rows.get(run.id)) and run.id not in parked:
            definition = definition_of(row.definition)
            run.follow(definition.policy if definition else NEVER_AGAIN)
            loaded[run.id] = Loaded(row, outputs.get(run.id), definition)
    return loaded


def _begun(run: Claimed, definition: Definition | None) -> int:
    """How many iterations have begun with this one: the one after the last only fails."""
    return min(run.iteration, definition.max_iterations) if definition else run.iteration


async def perform(run: Claimed, loaded: Loaded, pool: Pool) -> Outcome:
    """Have the definition's code make one iteration, and say what became of it."""
    definition = loaded.definition
    if definition is None:
        if _others_may(run, loaded.row):
            return Later(AGAIN_S)
        said = (
            f'There is no definition "{loaded.row.definition}" here any more: does BACKGROUND_TASKS name its package?'
        )
        return _failed(DEFINITION, said, "TASK_DEFINITION_ERROR")
    if run.iteration > definition.max_iterations:
        # There is none after the last: the log tells it of that one.
        failed = _failed(MAX_ITERATIONS, REACHED, "TASK_MAX_ITERATIONS")
        return replace(failed, iteration=definition.max_iterations)
    came = await pool.iterate(
        Work(
            run_id=run.id,
            application_id=run.application_id,
            worker=run.worker,
            definition=definition.id,
            name=loaded.row.name,
            input=run.input if run.input is not None else {},
            output=loaded.output,
            iteration=run.iteration,
            attempt=run.attempt,
            timeout_s=definition.timeout_s,
        )
    )
    return outcome_of(came, definition)


def _others_may(run: Claimed, row: BackgroundRun) -> bool:
    """Whether it has not been left to others for long enough: since this iteration was taken first."""
    return row.iterations < run.iteration or run.due_at < row.saved_at + OTHERS_MAY


def outcome_of(came: Came, definition: Definition) -> Outcome:  # noqa: PLR0911  one for each word
    """What the engine is told. Without `database_logs` only errors are kept in the log."""
    logs = definition.database_logs
    match came.word:
        case "done":
            said = Said(came.message or "Task done.") if logs else None
            return Done(output=came.output, said=said, input=came.input)
        case "continue":
            said = Said("Task continuing.", came.input) if logs else None
            return Continue(came.wait_s, came.input, came.output, said=said)
        case "aborted":
            return Aborted(came.message or "Task aborted.", output=came.output, input=came.input)
        case "timeout":
            why = f"An iteration may take {definition.timeout_s:g} s: its process was ended."
            return _failed(TIMEOUT, why, "TASK_TIMEOUT", retry=True)
        case "unready":  # the code was not reached: no attempt of its own is spent
            logger.warning("background tasks wait: %s", came.message)
            return Later(UNREADY_S)
        case "crashed":
            return _failed(CRASHED, came.message or "Its process ended before it answered.", "TASK_CRASHED", retry=True)
    error: Mapping[str, Any] = came.error or {}
    why = str(error.get("message") or came.message or "The task failed.")
    failed = _failed(CODE, why, error.get("code") or None, data=error.get("data"), retry=True)
    # One that is too long as an output stands as the documented sentence.
    return replace(failed, output=came.output or failed.output, input=came.input)


def _failed(error_class: str, message: str, code: str | None, *, data: Any = None, retry: bool = False) -> Failed:
    """The attempt failed. What Webiny keeps as the output, and as the log's error, is {message, code, data}.

    `code` is None where there is none.
    """
    error = {"message": message, "code": code, "data": data}
    return Failed(error_class, message, retry=retry, output={"error": error}, data={"error": error})


BACKGROUND = Kind(load=load, perform=perform, open=open_shared)
