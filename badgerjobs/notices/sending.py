"""Makes the runs that tell: one for each thing that a URL is told, one for all that a mail tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from badgerjobs.runs import making
from badgerjobs.runs.models import Queue
from badgerjobs.runs.worker import ring_after_commit

# The row of RUN_KINDS that performs notices.
KIND = "notice"
# Before all other work of the application, which may be what the notice tells of.
FIRST = 0
URL, MAIL = "url", "mail"


@dataclass(frozen=True, slots=True)
class Ways:
    """How an application's people are told: by a call of their URL, by mail, or both."""

    application_id: int
    calls: bool
    mails: bool


def send(notices: Sequence[tuple[Ways, Sequence[Any]]], *, now: datetime) -> list[UUID]:
    """Queue what tells these payloads in these ways. Returns the ids of the runs."""
    given: list[tuple[int, Any]] = []
    for ways, payloads in notices:
        if ways.calls:
            given += [(ways.application_id, {"to": URL, "payloads": [payload]}) for payload in payloads]
        if ways.mails:
            given.append((ways.application_id, {"to": MAIL, "payloads": list(payloads)}))
    if not given:
        return []
    ids = making.queue_alone(given, kind=KIND, queue=Queue.IO, priority=FIRST, now=now)
    ring_after_commit(Queue.IO)
    return ids
