"""Runs a job. One with an event may be given something else than its own input; a call says itself what it sends."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from webhooks.actions import Action, Did, Doing
from webhooks.actions.inputs import Input, chosen, given, input_field, takes_body
from webhooks.actions.starting import Start, started
from webhooks.actions.targets import TargetField, gone, offered, place_of, placed, there
from webhooks.models import ActState

FIELD, WHAT = "job", "job"
NO_INPUT = (
    "The job “{}” makes a call of its own, which takes no input: give it nothing, or let the webhook perform an event "
    "that makes the call."
)


class JobFields(StrictSerializer):
    """What such an action is told."""

    job = TargetField(
        Job, WHAT, help_text="The tag of the job. One that is disabled is not run, and the action is skipped."
    )
    input = input_field(
        "What the job's event is given in place of the job's own input: nothing, the variables of the transform, the "
        "value that it returned, or the body. A job without an event takes nothing."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raises ValidationError for an input that the job would not take."""
        application = self.context.get("application")
        if application and attrs["input"] != Input.NOTHING:
            calls = Job.objects.for_application(application).filter(tag=attrs["job"], event=None)
            if calls.exists():
                raise serializers.ValidationError({"input": [NO_INPUT.format(attrs["job"])]})
        return attrs


def act(doings: Sequence[Doing]) -> list[Did]:
    """A run of its job for each, beside its schedule."""
    found = placed(Job, doings, FIELD, "runnable_id", "event_id")
    return started([_start(doing, found) for doing in doings], now=max(doing.now for doing in doings))


def _start(doing: Doing, found: Mapping[Any, tuple[Any, ...]]) -> Start | Did:
    if not (row := found.get(place_of(doing, FIELD))):
        return gone(doing, FIELD, WHAT)
    runnable_id, event_id = row
    if event_id is None and chosen(doing) != Input.NOTHING:
        return Did(ActState.FAILED, NO_INPUT.format(doing.fields[FIELD]), again=False)
    return Start(runnable_id, WHAT, doing.fields[FIELD], lambda: given(doing))


def held(doings: Sequence[Doing]) -> list[int]:
    """The runnables of the jobs."""
    return [runnable_id for (runnable_id,) in placed(Job, doings, FIELD, "runnable_id").values()]


def target(fields: Mapping[str, Any]) -> str:
    """The job's tag."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The job's page."""
    return reverse("jobs:job", args=[application.slug, fields[FIELD]])


JOB = Action(
    word="Run a job",
    hint="Runs it now, beside its schedule. A job with an event can be given the variables or the body.",
    serializer=JobFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=there(Job),
    offered=offered(Job),
    holds=held,
    takes_body=takes_body,
)
