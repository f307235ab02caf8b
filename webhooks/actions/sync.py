"""Runs a cache-sync task, with the variables that the transform gave."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.models import Task
from webhooks.actions import Action, Did, Doing
from webhooks.actions.starting import Start, started
from webhooks.actions.targets import TargetField, gone, offered, place_of, placed, there

FIELD, WHAT = "task", "task"


class SyncFields(StrictSerializer):
    """What such an action is told."""

    task = TargetField(
        Task, WHAT, help_text="The tag of the task. One that is disabled is not run, and the action is skipped."
    )


def act(doings: Sequence[Doing]) -> list[Did]:
    """A run of its task for each. What the task's pattern makes of the variables, that run says."""
    found = placed(Task, doings, FIELD, "runnable_id")
    return started([_start(doing, found) for doing in doings], now=max(doing.now for doing in doings))


def _start(doing: Doing, found: Mapping[Any, tuple[Any, ...]]) -> Start | Did:
    if not (row := found.get(place_of(doing, FIELD))):
        return gone(doing, FIELD, WHAT)
    return Start(row[0], WHAT, doing.fields[FIELD], lambda: json.dumps({"variables": dict(doing.variables)}))


def held(doings: Sequence[Doing]) -> list[int]:
    """The runnables of the tasks."""
    return [runnable_id for (runnable_id,) in placed(Task, doings, FIELD, "runnable_id").values()]


def target(fields: Mapping[str, Any]) -> str:
    """The task's tag."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The task's page."""
    return reverse("tasks:task", args=[application.slug, fields[FIELD]])


SYNC = Action(
    word="Run a cache-sync task",
    hint="Fetches the keys that the task means, with the variables of the transform in its pattern.",
    serializer=SyncFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=there(Task),
    offered=offered(Task),
    holds=held,
)
