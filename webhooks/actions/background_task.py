"""Triggers a background task: a public definition of the code that this installation has."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Count
from django.urls import reverse
from rest_framework import serializers

from badgerjobs.runs.models import Cause, Run
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from tasks.background.definitions import definition_of, public_definitions
from tasks.background.errors import CANNOT_TRIGGER, BackgroundTaskError
from tasks.background.preparing import Asked
from tasks.background.saying import said_of
from tasks.background.triggering import KIND, Triggered, trigger_all
from webhooks.actions import MOST_OFFERED, Action, Did, Doing, There
from webhooks.actions.inputs import given, input_field, takes_body
from webhooks.actions.starting import INPUT_BYTES, MOST_WAITING
from webhooks.models import ActState, Hook

FIELD = "definition"
NO_DEFINITION = "There is no background task with the ID “{}” that may be triggered from outside."
TOO_MANY = (
    f"{MOST_WAITING:,} background tasks that webhooks of the application triggered are not over: webhooks trigger no "
    "more of them now."
)
IS_THERE = "One of “{}” with the same key is not over: it stands for this one, too."


class DefinitionField(serializers.CharField):
    """The id of a public definition. Without an application nothing is looked for."""

    def run_validators(self, value: Any) -> None:
        """Raises ValidationError also where there is none."""
        super().run_validators(value)
        if self.context.get("application") and not _is_public(value):
            raise serializers.ValidationError(NO_DEFINITION.format(value))


class BackgroundTaskFields(StrictSerializer):
    """What such an action is told."""

    definition = DefinitionField(max_length=100, help_text="The ID of the definition, like syncArticles.")
    input = input_field(
        "The input of the task: nothing, the variables of the transform, the value that it returned, or the body. It "
        "must be an object, and what the definition takes."
    )


def act(doings: Sequence[Doing]) -> list[Did]:
    """A task for each, while no more than MOST_WAITING that webhooks triggered are not over.

    Two workers that count at the same time may trigger a few more. It is tried again as the webhook has it.
    """
    owners = Application.objects.select_related("workspace").in_bulk({doing.application_id for doing in doings})
    now = max(doing.now for doing in doings)
    decided: dict[int, Did] = {}
    for owner_id, batch in _in_steps(doings, decided):
        answers = trigger_all(
            owners[owner_id], [asked for _, asked in batch], now=now, cause=Cause.WEBHOOK, public_only=True
        )
        for (place, asked), answer in zip(batch, answers, strict=True):
            decided[place] = _did(asked.definition, answer)
    return [decided[place] for place in range(len(doings))]


def _in_steps(doings: Sequence[Doing], decided: dict[int, Did]) -> Iterator[tuple[int, list[tuple[int, Asked]]]]:
    """Those that are triggered, each with its place; of one application, and so many at a time as fit into memory."""
    taken = _unfinished_of({doing.application_id for doing in doings})
    hooks = _tags_of({doing.runnable_id for doing in doings})
    batches: dict[int, list[tuple[int, Asked]]] = {}
    sizes: dict[int, int] = {}
    for place, doing in enumerate(doings):
        owner = doing.application_id
        if taken.get(owner, 0) >= MOST_WAITING:
            decided[place] = Did(ActState.FAILED, TOO_MANY)
            continue
        try:
            text = given(doing) or "{}"
        except ValueError as error:
            decided[place] = Did(ActState.FAILED, str(error), again=False)
            continue
        taken[owner] = taken.get(owner, 0) + 1
        by = _creator(doing, hooks.get(doing.runnable_id, ""))
        asked = Asked(definition=doing.fields[FIELD], input=json.loads(text), created_by=by)
        batches.setdefault(owner, []).append((place, asked))
        sizes[owner] = sizes.get(owner, 0) + len(text)
        if sizes[owner] > INPUT_BYTES:
            sizes[owner] = 0
            yield owner, batches.pop(owner)
    yield from batches.items()


def _tags_of(runnable_ids: set[int]) -> dict[int, str]:
    """Runnable → the tag of its hook."""
    return dict(Hook.objects.filter(runnable_id__in=runnable_ids).values_list("runnable_id", "tag"))


def _creator(doing: Doing, tag: str) -> dict[str, str]:
    """Who triggered it, as a task remembers it: the run of the delivery, whose page leads to that."""
    return {"id": str(doing.run_id), "displayName": f"the webhook {tag}", "type": "run"}


def _unfinished_of(application_ids: set[int]) -> dict[int, int]:
    runs = Run.objects.filter(runnable=None, kind=KIND, cause=Cause.WEBHOOK, application_id__in=application_ids)
    counts = runs.unfinished().order_by().values("application_id").annotate(count=Count("pk"))
    return dict(counts.values_list("application_id", "count"))


def _did(definition: str, answer: Triggered) -> Did:
    """What is wrong with the definition or the input stays so; that a hook refuses it now may pass."""
    if isinstance(answer, BackgroundTaskError):
        return Did(ActState.FAILED, said_of(answer), again=answer.code == CANNOT_TRIGGER)
    if answer.was_there:
        return Did(ActState.DONE, IS_THERE.format(definition), caused=answer.id)
    return Did(ActState.DONE, f"Triggered the background task “{definition}”.", caused=answer.id)


def _is_public(definition: str) -> bool:
    found = definition_of(definition)
    return found is not None and not found.is_private


def _offered(_application: Application) -> list[tuple[str, str]]:
    return [(one.id, one.title) for one in public_definitions()[:MOST_OFFERED]]


def _there(_application: Application, definitions: Collection[str]) -> There:
    return There({one for one in definitions if _is_public(one)})


def target(fields: Mapping[str, Any]) -> str:
    """The definition's id."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The definition's page, if it has one."""
    if not _is_public(fields[FIELD]):
        return ""
    return reverse("background:definition", args=[application.slug, fields[FIELD]])


BACKGROUND_TASK = Action(
    word="Trigger a background task",
    hint="Triggers a task that the code of this installation defines, with the variables, the value or the body.",
    serializer=BackgroundTaskFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=_there,
    offered=_offered,
    takes_body=takes_body,
)
