"""What a page shows of a run that performed an event once, without a job."""

from collections.abc import Sequence
from uuid import UUID

from django.urls import reverse

from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Exchange, Shown
from jobs.events.exchange import advice_on, content_of, exchange_with
from jobs.events.once import input_in, tag_in
from jobs.events.showing import ERRORS, answer_of
from jobs.models import Event

# Where a job would be told to look at what it gives.
ADVICE = {
    "data": "Look at what the event was given: the database cannot take a value of it.",
    "input": "Change what the event is given, such as by the transform of a hook, or the placeholders of the event.",
}


def exchange_of(run: Run, attempt: Attempt | None) -> Exchange | None:
    """The event as it is now with its input; what came of it as it was kept. None where the event is gone."""
    rows = Event.objects.for_application(run.application).filter(tag=tag_in(run.input))
    event = rows.select_related("connection").defer("connection__configuration").first()
    if event is None:
        return None
    return exchange_with(run, attempt, event, input_in(run.input), changed_at=event.updated_at)


def subjects_of(runs: Sequence[Run]) -> dict[UUID, str]:
    """Run → the name of its event, or its tag where that is gone: two queries."""
    inputs = Run.objects.filter(pk__in=[run.pk for run in runs]).values_list("pk", "application_id", "input__event")
    places = {pk: (owner, str(tag)) for pk, owner, tag in inputs}
    owners, tags = {owner for owner, _ in places.values()}, {tag for _, tag in places.values()}
    rows = Event.objects.filter(application_id__in=owners, tag__in=tags).values_list("application_id", "tag", "name")
    names = {(owner, tag): name for owner, tag, name in rows}
    return {pk: names.get(place, place[1]) for pk, place in places.items()}


def page_of(run: Run) -> str:
    """The address of its event's page; of all events where nothing tells which it is."""
    tag = tag_in(run.input)
    slug = run.application.slug
    return reverse("jobs:event", args=[slug, tag]) if tag else reverse("jobs:events", args=[slug])


def advice_once(attempt: Attempt) -> str:
    """What may help where no job is."""
    return ADVICE.get(attempt.error_class) or advice_on(attempt)


EVENT_ONCE = Shown(
    "event without a job", answer_of, exchange_of, advice_once, content_of, page_of, errors=ERRORS, subjects=subjects_of
)
