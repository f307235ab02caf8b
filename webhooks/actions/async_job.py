"""Runs an async job, with the variables that the transform gave as values for its sources."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from slurps.models import AsyncJob
from webhooks.actions import Action, Did, Doing
from webhooks.actions.starting import Start, started
from webhooks.actions.targets import TargetField, gone, offered, place_of, placed, there

FIELD, WHAT = "async_job", "async job"


class AsyncJobFields(StrictSerializer):
    """What such an action is told."""

    async_job = TargetField(
        AsyncJob,
        WHAT,
        help_text="The tag of the async job. One that is paused is not run, and the action is skipped.",
    )


def act(doings: Sequence[Doing]) -> list[Did]:
    """A run of its job for each: they fill its collection one after the other."""
    found = placed(AsyncJob, doings, FIELD, "runnable_id")
    return started([_start(doing, found) for doing in doings], now=max(doing.now for doing in doings))


def _start(doing: Doing, found: Mapping[Any, tuple[Any, ...]]) -> Start | Did:
    if not (row := found.get(place_of(doing, FIELD))):
        return gone(doing, FIELD, WHAT)
    return Start(row[0], WHAT, doing.fields[FIELD], lambda: _given(doing))


def _given(doing: Doing) -> str | None:
    """The variables as the values of its sources; nothing where there are none."""
    return json.dumps({"values": dict(doing.variables)}) if doing.variables else None


def held(doings: Sequence[Doing]) -> list[int]:
    """The runnables of the async jobs."""
    return [runnable_id for (runnable_id,) in placed(AsyncJob, doings, FIELD, "runnable_id").values()]


def target(fields: Mapping[str, Any]) -> str:
    """The async job's tag."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The async job's page."""
    return reverse("collections:job", args=[application.slug, fields[FIELD]])


ASYNC_JOB = Action(
    word="Run an async job",
    hint="Pulls its sources anew into its collection, with the variables of the transform in their placeholders.",
    serializer=AsyncJobFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=there(AsyncJob),
    offered=offered(AsyncJob),
    holds=held,
)
