"""What a run of an HTTP job does: one signed call, and what came back as the attempt's result."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from badgerjobs.lib import signatures, statuses
from badgerjobs.lib.retry_after import asked_wait
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client, HostBusy
from badgerjobs.outbound.headers import folded, sensitive
from badgerjobs.outbound.kept import result_of
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.web.outgoing import USER_AGENT, open_client
from badgerjobs.workspaces.models import Application
from jobs.models import Job

GONE = "The endpoint answered 410 Gone: the job was paused."


@dataclass(frozen=True, slots=True)
class Request:
    """What a job's call is made of, read once for each run: an edit reaches the next attempt.

    The previous key, where there is one, signs too until that moment.
    """

    verb: str
    endpoint: str
    headers: Mapping[str, str]
    body: bytes
    timeout_s: int
    signing_key: str
    previous_key: str = ""
    previous_until: datetime | None = None
    fail_statuses: str = statuses.FAILURES
    retry_statuses: str = ""

    def keys(self, at: int) -> list[str]:
        """What signs a call made at this second since 1970: the key, and while it is being rotated the one before."""
        return signatures.valid_keys(self.signing_key, self.previous_key, self.previous_until, at)


def load(runs: Sequence[Claimed]) -> dict[UUID, Request]:
    """The requests of a batch of runs, in one query. A run whose job was deleted is left out."""
    keys = ("signing_key", "previous_signing_key", "previous_key_until")
    own, signs = ("verb", "endpoint", "headers", "body", "timeout"), (f"application__{key}" for key in keys)
    columns = (*own, *signs, "fail_statuses", "retry_statuses")
    rows = Job.objects.filter(runnable_id__in=[run.runnable_id for run in runs]).values_list("runnable_id", *columns)
    requests = {
        runnable: Request(verb, endpoint, headers, body.encode(), *rest)
        for runnable, verb, endpoint, headers, body, *rest in rows
    }
    return {run.id: requests[run.runnable_id] for run in runs if run.runnable_id in requests}


def request_of(application: Application, call: Mapping[str, Any]) -> Request:
    """A call of a job that may not be stored, as a run of this application would make it.

    `call` has verb, endpoint, headers, body, timeout and fail_statuses, checked.
    """
    return Request(
        call["verb"],
        call["endpoint"],
        call["headers"],
        call["body"].encode(),
        call["timeout"],
        application.signing_key,
        application.previous_signing_key,
        application.previous_key_until,
        call["fail_statuses"],
    )


async def perform(run: Claimed, request: Request, client: Client) -> Outcome:
    """Make the call of a run, unless its host has as many of ours as it may."""
    try:
        return await make_call(run.id, request, client)
    except HostBusy as busy:
        return Later(busy.wait_s)


async def make_call(run_id: UUID, request: Request, client: Client) -> Done | Failed:
    """Make a call. A status that does not fail is a success; what else may help, the job and the answer say.

    Raises HostBusy when it was not made.
    """
    call = Call(
        request.verb,
        request.endpoint,
        headers=signed(run_id, request, at=int(time.time())),
        body=request.body,
        timeout_s=request.timeout_s,
        sensitive=sensitive(request.headers),
    )
    try:
        answer = await client.send(call)
    except HostBusy:
        raise
    except CallFailed as failure:
        return Failed(
            failure.error_class,
            failure.message,
            result=result_of(failure.answer) if failure.answer else None,
            retry=failure.error_class != "refused",  # what the policy refuses now it refuses in ten seconds too
            retry_after=_asked(failure.answer) if failure.answer else None,
        )
    if not statuses.covers(request.fail_statuses, answer.status):
        return Done(result_of(answer))
    if answer.status == HTTPStatus.GONE:
        return Failed("status", GONE, result=result_of(answer), retry=False, pauses=True)
    return Failed(
        "status",
        f"The endpoint answered {answer.status}.",
        result=result_of(answer),
        retry=not request.retry_statuses or statuses.covers(request.retry_statuses, answer.status),
        retry_after=_asked(answer),
    )


def _asked(answer: Answer) -> timedelta | None:
    return asked_wait(answer.headers, now=datetime.now(UTC))


def signed(run_id: UUID, request: Request, *, at: int) -> list[tuple[str, str]]:
    """The job's own headers, then ours: the run's stable id and, by Standard Webhooks, who says that it is from us.

    The job may set its own `User-Agent` and `Idempotency-Key`; the `webhook-*` headers are always ours.
    """
    webhook_id = str(run_id)
    given = [(name, value) for name, value in request.headers.items() if not folded(name).startswith("webhook-")]
    names = {name.lower() for name, _ in given}
    defaults = [("User-Agent", USER_AGENT), ("Idempotency-Key", webhook_id)]
    return [
        *given,
        *((name, value) for name, value in defaults if name.lower() not in names),
        *signatures.headers(request.keys(at), webhook_id, at, request.body),
    ]


HTTP = Kind(load=load, perform=perform, open=open_client)
