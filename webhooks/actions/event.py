"""Performs an event once, by a run of its own, without a job."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.urls import reverse

from badgerjobs.runs.models import Cause
from badgerjobs.web.serializers import StrictSerializer
from badgerjobs.workspaces.models import Application
from jobs.events.once import Wish, perform_once, unfinished_of
from jobs.models import Event
from webhooks.actions import Action, Did, Doing
from webhooks.actions.inputs import given, input_field, takes_body
from webhooks.actions.starting import INPUT_BYTES, MOST_WAITING
from webhooks.actions.targets import TargetField, gone, offered, place_of, placed, there
from webhooks.models import ActState

FIELD, WHAT = "event", "event"
TOO_MANY = f"{MOST_WAITING:,} runs of the application's events wait or run already: webhooks make no more of them now."


class EventFields(StrictSerializer):
    """What such an action is told."""

    event = TargetField(Event, WHAT, help_text="The tag of the event.")
    input = input_field(
        "What the event's placeholders find as `input`: nothing, the variables of the transform, the value that it "
        "returned, or the body."
    )


def act(doings: Sequence[Doing]) -> list[Did]:
    """A run for each, while no more than MOST_WAITING of their application's wait or run.

    Two workers that count at the same time may make a few more. It is tried again as the application has it.
    """
    found = placed(Event, doings, FIELD)
    decided: dict[int, Did] = {}
    for batch in _in_steps(doings, found, decided):
        now = max(doing.now for doing in doings)
        ids = perform_once([wish for _, wish in batch], cause=Cause.WEBHOOK, now=now)
        for (place, wish), run_id in zip(batch, ids, strict=True):
            decided[place] = Did(ActState.DONE, f"Made a run of the event “{wish.tag}”.", caused=run_id)
    return [decided[place] for place in range(len(doings))]


def _in_steps(
    doings: Sequence[Doing], found: Mapping[Any, tuple[Any, ...]], decided: dict[int, Did]
) -> Iterator[list[tuple[int, Wish]]]:
    """Those that are performed, each with its place; so many at a time as fit into memory."""
    batch: list[tuple[int, Wish]] = []
    size = 0
    taken = Counter(unfinished_of({doing.application_id for doing in doings}))
    for place, doing in enumerate(doings):
        if place_of(doing, FIELD) not in found:
            decided[place] = gone(doing, FIELD, WHAT)
            continue
        if taken[doing.application_id] >= MOST_WAITING:
            decided[place] = Did(ActState.FAILED, TOO_MANY)
            continue
        try:
            wish = Wish(doing.application_id, doing.fields[FIELD], given(doing) or "null")
        except ValueError as error:
            decided[place] = Did(ActState.FAILED, str(error), again=False)
            continue
        taken[doing.application_id] += 1
        batch.append((place, wish))
        size += len(wish.input)
        if size > INPUT_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def target(fields: Mapping[str, Any]) -> str:
    """The event's tag."""
    return str(fields[FIELD])


def address(application: Application, fields: Mapping[str, Any]) -> str:
    """The event's page."""
    return reverse("jobs:event", args=[application.slug, fields[FIELD]])


EVENT = Action(
    word="Perform an event",
    hint="Performs it once, without a job: a call, a notification, a statement, a function or a message.",
    serializer=EventFields,
    act=act,
    field=FIELD,
    target=target,
    address=address,
    there=there(Event),
    offered=offered(Event),
    takes_body=takes_body,
)
