"""Fetches a source as a sync would, with nothing but its configuration and values for its variables."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.test import override_settings

from badgerjobs.runs.outcomes import Later
from badgerjobs.sources.fetch import Attempt, Fetched, Unfetched, attempt, open_means
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import type_of
from badgerjobs.web.definitions.configurations import checked
from badgerjobs.workspaces.models import Application
from tests.e2e.receiver import Answer
from tests.factories import NOW

JSON = (("Content-Type", "application/json"),)


def source_of(kind: str = "REST", **configuration: Any) -> DataSource:
    """A source that is not stored, of an application that is not either."""
    found = type_of(kind)
    whole = checked(found.serializer, configuration, found.secrets)
    owner = Application(pk=1, workspace_id=2)
    source = DataSource(application=owner, type=kind, variables=found.variables(whole))
    source.configuration = whole
    return source


def says(body: str | bytes, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """An answer of JSON, unless its headers say otherwise."""
    whole = body.encode() if isinstance(body, str) else body
    return Answer(status, body=whole, headers=headers or JSON)


def tried(
    source: DataSource,
    values: Mapping[str, Any] | None = None,
    *,
    times: int = 1,
    now: datetime = NOW,
    timeout_s: float | None = None,
    allow: Sequence[str] = ("127.0.0.1",),
) -> list[Attempt]:
    """What comes of fetching it so often, at once, with one set of means."""
    if timeout_s is not None:
        source.configuration = {**source.configuration, "timeout": timeout_s}

    async def all_of_them() -> list[Attempt]:
        async with open_means() as means:
            return list(await asyncio.gather(*(attempt(source, values or {}, means, now=now) for _ in range(times))))

    with override_settings(EGRESS_ALLOW=list(allow)):
        return asyncio.run(all_of_them())


def outcome(source: DataSource, values: Mapping[str, Any] | None = None, **how: Any) -> Fetched | Unfetched | Later:
    """What comes of fetching it once."""
    [came] = tried(source, values, **how)
    return came.outcome


def fetched(source: DataSource, values: Mapping[str, Any] | None = None, **how: Any) -> str:
    """The value, as JSON. Fails for what failed, with what was said."""
    found = outcome(source, values, **how)
    assert isinstance(found, Fetched), found
    return found.body


def unfetched(source: DataSource, values: Mapping[str, Any] | None = None, **how: Any) -> Unfetched:
    """What failed, without how long it took."""
    found = outcome(source, values, **how)
    assert isinstance(found, Unfetched), found
    return replace(found, duration_ms=0)
