"""A test call: what a form says, called once while somebody waits. It is no run, and nothing of it is kept."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from badgerjobs.lib.ids import uuid7
from badgerjobs.lib.vault import mask
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.web.limits import count
from badgerjobs.web.outgoing import open_client
from badgerjobs.web.trials import LONGEST_S, PER_MINUTE, PLACES, TooManyTrialsError
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.perform import Request, make_call

GONE_NOW = "The endpoint answered 410 Gone: the first run that is answered so pauses the job."


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a test call. `result` is what a run would keep of the answer; None when no answer came."""

    ok: bool
    duration_ms: int
    error: str = ""
    result: dict[str, Any] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """Those of the answer, as they may be shown: it may begin a session."""
        return mask((self.result or {}).get("headers") or {})


def try_call(*, application: Application, request: Request, subject: str, by: audit.Actor, now: datetime) -> Trial:
    """Call once, signed like a run with an id of its own, and wait for what comes of it: `LONGEST_S` seconds at most.

    Raises TooManyTrialsError.
    """
    if count(f"test-calls:{application.pk}", window_s=60) > PER_MINUTE:
        raise TooManyTrialsError(f"An application makes {PER_MINUTE} test calls a minute at most: try again soon.")
    with PLACES.one(application.pk):
        audit.record(
            by=by,
            action="job.test",
            subject=subject,
            now=now,
            application=application,
            changes={"call": [None, f"{request.verb} {request.endpoint}"]},
        )
        outcome, duration_ms = asyncio.run(_called(replace(request, timeout_s=min(request.timeout_s, LONGEST_S))))
    if isinstance(outcome, Done):
        return Trial(ok=True, duration_ms=duration_ms, result=outcome.result)
    error = GONE_NOW if outcome.pauses else outcome.error
    return Trial(ok=False, duration_ms=duration_ms, error=error, result=outcome.result)


async def _called(request: Request) -> tuple[Done | Failed, int]:
    async with open_client() as client:
        began = time.perf_counter()
        outcome = await make_call(uuid7(), request, client)
        return outcome, round((time.perf_counter() - began) * 1000)
