"""What a run of an HTTP job does: one signed call, and what came back as the attempt's result."""

import base64
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings

from badgerjobs.lib import signatures
from badgerjobs.outbound.addresses import Policy
from badgerjobs.outbound.client import Answer, Call, CallFailed, Client
from badgerjobs.outbound.headers import folded
from badgerjobs.runs.kinds import Claimed, Kind
from badgerjobs.runs.outcomes import Done, Failed, Outcome
from badgerjobs.workspaces.models import Application
from jobs import echo
from jobs.models import Job

USER_AGENT = "BadgerJobs/1"
# What follows a redirect to another host. Of every other header only its author knows whether it is a credential.
HARMLESS = frozenset({"accept", "accept-language", "cache-control", "content-language", "content-type", "user-agent"})


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

    def keys(self, at: int) -> list[str]:
        """What signs a call made at this second since 1970: the key, and while it is being rotated the one before."""
        ends = self.previous_until
        return [self.signing_key, self.previous_key] if ends and at < ends.timestamp() else [self.signing_key]


def load(runs: Sequence[Claimed]) -> dict[UUID, Request]:
    """The requests of a batch of runs, in one query. A run whose job was deleted is left out."""
    keys = ("signing_key", "previous_signing_key", "previous_key_until")
    columns = ("verb", "endpoint", "headers", "body", "timeout", *(f"application__{key}" for key in keys))
    rows = Job.objects.filter(runnable_id__in=[run.runnable_id for run in runs]).values_list("runnable_id", *columns)
    requests = {
        runnable: Request(verb, endpoint, headers, body.encode(), *rest)
        for runnable, verb, endpoint, headers, body, *rest in rows
    }
    return {run.id: requests[run.runnable_id] for run in runs if run.runnable_id in requests}


def request_of(application: Application, call: Mapping[str, Any]) -> Request:
    """A call of a job that may not be stored, as a run of this application would make it.

    `call` has verb, endpoint, headers, body and timeout, checked.
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
    )


def open_client() -> AbstractAsyncContextManager[Client]:
    """The HTTP door of one event loop."""
    own = echo.address_of("") if settings.DEMO else None
    return Client(Policy(settings.EGRESS_ALLOW), host_slots=settings.HOST_SLOTS, own_receiver=own)


async def perform(run: Claimed, request: Request, client: Client) -> Outcome:
    """Make the call of a run."""
    return await make_call(run.id, request, client)


async def make_call(run_id: UUID, request: Request, client: Client) -> Outcome:
    """Make a call. A status under 400 is a success; every other answer, and none, may be tried again."""
    call = Call(
        request.verb,
        request.endpoint,
        headers=signed(run_id, request, at=int(time.time())),
        body=request.body,
        timeout_s=request.timeout_s,
        sensitive=frozenset(map(str.lower, request.headers)) - HARMLESS,
    )
    try:
        answer = await client.send(call)
    except CallFailed as failure:
        result = result_of(failure.answer) if failure.answer else None
        # What the policy refuses now it refuses in ten seconds too.
        return Failed(failure.error_class, failure.message, result=result, retry=failure.error_class != "refused")
    if answer.status < 400:
        return Done(result_of(answer))
    said = f"The endpoint answered {answer.status}."
    return Failed("status", said, result=result_of(answer), retry=answer.status != HTTPStatus.GONE)


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
        ("webhook-id", webhook_id),
        ("webhook-timestamp", str(at)),
        ("webhook-signature", signatures.sign(request.keys(at), webhook_id, at, request.body)),
    ]


def result_of(answer: Answer) -> dict[str, Any]:
    """An answer as it is kept with the attempt. A body that is not text is kept as base64, and says so."""
    body, is_base64 = as_text(answer.body, truncated=answer.truncated)
    return {
        "status": answer.status,
        "headers": merged(answer.headers),
        "body": body,
        "body_is_base64": is_base64,
        "body_truncated": answer.truncated,
    }


def as_text(body: bytes, *, truncated: bool) -> tuple[str, bool]:
    """UTF-8 text, or base64 and True. A cut may have gone through a character: its rest is dropped."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        if not (truncated and error.start >= len(body) - 3):
            return base64.b64encode(body).decode(), True
        text = body[: error.start].decode()
    # PostgreSQL keeps no NUL in text; a body that has one is not text anyway.
    return (base64.b64encode(body).decode(), True) if "\0" in text else (text, False)


def merged(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; values of one name joined with a comma, as HTTP reads them."""
    joined: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


HTTP = Kind(load=load, perform=perform, open=open_client)
