"""Trying an event out: performed once with a sample input, while somebody waits. It is no run, and not kept."""

import asyncio
import copy
import time
from datetime import datetime
from typing import Any

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.web.limits import count
from badgerjobs.web.trials import LONGEST_S, PER_MINUTE, PLACES, TooManyTrialsError
from badgerjobs.workspaces import audit
from jobs.events.means import open_means
from jobs.events.perform import occasion_of, performed
from jobs.events.services import configuration_of
from jobs.models import Event

BUSY = "There is no room for it at this moment: try again in some seconds."


def try_event(*, event: Event, configuration: Any, sample: Any, by: audit.Actor, now: datetime) -> tuple[Outcome, int]:
    """Perform an event once, stored or not, as it would be with this configuration (None: with the stored one).

    Returns the outcome and the milliseconds that it took, `LONGEST_S` seconds at most. It does the work for real: the
    mail is sent, the row is written; the event itself stays as it is. Raises ValidationError for a wrong configuration,
    and TooManyTrialsError.
    """
    tried = copy.copy(event)
    given = configuration_of(event, configuration)
    tried.configuration = {**given, "timeout": min(given.get("timeout", LONGEST_S), LONGEST_S)}
    if count(f"test-events:{event.application_id}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(f"An application tries events {PER_MINUTE} times a minute at most: try again soon.")
    with PLACES.one(event.application_id):
        audit.record(
            by=by,
            action="event.test",
            subject=event.tag or event.type,
            now=now,
            application=event.application,
            changes={"type": [None, event.type]},
        )
        return asyncio.run(_performed(tried, sample, now))


async def _performed(event: Event, sample: Any, now: datetime) -> tuple[Outcome, int]:
    run_id = uuid7()
    values = {"input": sample, "run": {"id": str(run_id), "number": 1, "due_at": now.isoformat()}}
    occasion = occasion_of(run_id, event, event.application, values)
    async with open_means() as means:
        began = time.perf_counter()
        outcome = await performed(event.type, occasion, means)
        return outcome, round((time.perf_counter() - began) * 1000)


def told(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it is shown: `ok`, `result` and `error`, which is null or has a class and a message."""
    if isinstance(outcome, Done):
        return {"ok": True, "result": outcome.result, "error": None}
    if isinstance(outcome, Later):
        return {"ok": False, "result": None, "error": {"class": "timeout", "message": BUSY}}
    assert isinstance(outcome, Failed)  # noqa: S101  no event goes on
    error = {"class": outcome.error_class, "message": outcome.error}
    return {"ok": False, "result": outcome.result, "error": error}
