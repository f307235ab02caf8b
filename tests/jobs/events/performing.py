"""Performs an event as a run would, with nothing but its configuration, its connection and an input."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.test import override_settings

from badgerjobs.lib import signatures
from badgerjobs.outbound.names import LookUp, Resolver
from badgerjobs.runs.outcomes import Done, Failed, Outcome
from badgerjobs.servers.configurations import SECRETS
from badgerjobs.web.definitions.configurations import checked
from jobs.events.connections import CONNECTION_TYPES
from jobs.events.means import open_means
from jobs.events.perform import performed
from jobs.events.types import Occasion, type_of

RUN = UUID("019bebd2-8a71-7c4e-9d3f-0242ac120002")
KEY = signatures.make_secret()
OWNER, WORKSPACE = 1, 2


async def _found(_host: str, _port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def occasion(kind: str, configuration: Mapping[str, Any], connection: Any = None, given: Any = None) -> Occasion:
    """Both configurations as they would be stored; `connection` is its type and its configuration."""
    found = type_of(kind)
    stored = checked(CONNECTION_TYPES[connection[0]], connection[1], SECRETS) if connection else {}
    values = {"input": given, "run": {"id": str(RUN), "number": 1, "due_at": "2026-03-02T12:00:00+00:00"}}
    return Occasion(RUN, checked(found.serializer, configuration, found.secrets), stored, values, OWNER, WORKSPACE, KEY)


def perform(
    kind: str,
    configuration: Mapping[str, Any],
    connection: Any = None,
    given: Any = None,
    *,
    allow: Sequence[str] = ("127.0.0.1",),
    look_up: LookUp | None = _found,
    timeout_s: float | None = None,
) -> Outcome:
    """What comes of it. Every name leads to loopback, which may be called, unless told otherwise (None: as DNS says).

    `timeout_s` may be shorter than any that can be stored: for servers that never answer.
    """
    what = occasion(kind, configuration, connection, given)
    if timeout_s is not None:
        what = replace(what, configuration={**what.configuration, "timeout": timeout_s})

    async def once() -> Outcome:
        async with open_means() as means:
            return await performed(kind, what, replace(means, resolver=Resolver(look_up)))

    with override_settings(EGRESS_ALLOW=list(allow)):
        return asyncio.run(once())


def done(outcome: Outcome) -> dict[str, Any]:
    """Its result. Fails for what failed, with what was said."""
    assert isinstance(outcome, Done), outcome
    return outcome.result or {}


def failed(outcome: Outcome) -> tuple[str, str, bool]:
    """The class, the sentence, and whether it is tried again."""
    assert isinstance(outcome, Failed), outcome
    return outcome.error_class, outcome.error, outcome.retry
