"""What pages show of runs that fetch keys: how many, how that went, and where each of them is told of."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse

from badgerjobs.lib import words
from badgerjobs.runs.models import Attempt, Run
from badgerjobs.runs.shown import Parts, Shown
from badgerjobs.workspaces.models import Application
from tasks.counts import Counts, counts_of, keys_in_words
from tasks.models import CacheKey, Task
from tasks.syncs.perform import asked_for

# The classes of what can be wrong with such a run, in words.
ERRORS = {
    "keys": "keys that failed",
    "variables": "variables that are not there",
    "pattern": "a pattern that cannot be filled",
    "too_many": "too many keys",
}
# Of one key that is fetched by itself: what is wrong with its source's answer.
SOURCE_ERRORS = {
    "transform": "a transform that failed",
    "graphql": "errors in GraphQL",
    "json": "an answer that is no JSON",
    "auth": "no token from OAuth 2",
}
ADVICE = {
    "keys": "The log of its keys says what is wrong with each. Those that failed can be retried alone.",
    "variables": "Try the transform against such a body where the task is edited.",
    "pattern": "The transform has to return a value for each variable of the pattern.",
    "too_many": "Give the task a pattern that means fewer.",
}
# Of keys that are fetched by themselves: no task is there to be changed.
REFRESH_ADVICE = {
    "keys": "The history of each key says what is wrong with it. A key can be fetched again from its page.",
    "variables": "Give the key a value for each variable that its source asks for, where the key is edited.",
    "transform": "Try the transform against such an answer where the source is edited.",
    "auth": "Test the connection where the source is edited: it shows what is answered to its credentials.",
}


def answer_of(result: Mapping[str, Any], error_class: str) -> str:
    """`1,000 keys`, `997 of 1,000 keys, 3 failed`."""
    counts = Counts.of_output(result)
    return counts.words if counts and error_class in {"", "keys"} else ""


def answer_of_refresh(result: Mapping[str, Any], error_class: str) -> str:
    """Whether the value of the one key is another now; of several as that of a task."""
    counts = Counts.of_output(result)
    if counts and counts.keys == 1 and not counts.failed:
        return "fetched, changed" if counts.changed else "fetched, not changed"
    return answer_of(result, error_class)


def parts_of(run: Run) -> Parts | None:
    """How far its keys are; None before they are known."""
    counts = counts_of(run.application, [run]).get(run.pk)
    if counts is None:
        return None
    facts = [("Keys", f"{counts.keys:,}"), ("Succeeded", f"{counts.succeeded:,}"), ("Failed", f"{counts.failed:,}")]
    if counts.waiting:
        facts.append(("To come", f"{counts.waiting:,}"))
    facts += [("Changed", f"{counts.changed:,}"), ("Stored", words.size(counts.bytes))]
    return Parts("Keys", facts, _log(run))


def _log(run: Run) -> tuple[str, str] | None:
    """Where each of its keys is told of."""
    if run.runnable is None:
        return None
    return "Log of its keys", f"{reverse('tasks:logs', args=[run.application.slug, run.runnable.name])}?run={run.pk}"


def page_of(run: Run) -> str:
    """The address of its task's page."""
    return reverse("tasks:task", args=[run.application.slug, run.runnable.name]) if run.runnable else ""


def page_of_key(run: Run) -> str:
    """The address of its key's page; of several, that of all."""
    name = subjects_of([run]).get(run.pk)
    if name and len(asked_for(run.input)) == 1:
        return reverse("tasks:key", args=[run.application.slug, name])
    return reverse("tasks:keys", args=[run.application.slug])


def subjects_of(runs: Sequence[Run]) -> dict[UUID, str]:
    """Run → the name of the key that it fetches, or how many they are: two queries. Absent where the key is gone."""
    asked = {
        pk: (owner, asked_for(given))
        for pk, owner, given in Run.objects.filter(pk__in=[run.pk for run in runs]).values_list(
            "pk", "application_id", "input"
        )
    }
    single = {ids[0] for _, ids in asked.values() if len(ids) == 1}
    rows = CacheKey.objects.filter(pk__in=single).values_list("application_id", "pk", "name")
    names = {(owner, pk): name for owner, pk, name in rows}
    said = {
        pk: names.get((owner, ids[0]), "") if len(ids) == 1 else keys_in_words(len(ids))
        for pk, (owner, ids) in asked.items()
    }
    return {pk: name for pk, name in said.items() if name}


def titles_of(runnable_ids: Sequence[int]) -> dict[int, str]:
    """Runnable → the name of its task."""
    return dict(Task.objects.filter(runnable_id__in=runnable_ids).values_list("runnable_id", "name"))


def called(application: Application, letters: str) -> Any:
    """A query for the runnables of the tasks whose name has these letters in it, in any case."""
    return Task.objects.for_application(application).filter(name__icontains=letters).values("runnable_id")


def advice_on(attempt: Attempt) -> str:
    """What may help."""
    return ADVICE.get(attempt.error_class, "")


def advice_on_refresh(attempt: Attempt) -> str:
    """What may help where no task is."""
    return REFRESH_ADVICE.get(attempt.error_class, "")


def content_of(result: Mapping[str, Any]) -> bytes:
    """The counts, as JSON."""
    return json.dumps(result).encode()


def nothing(_run: Run, _attempt: Attempt | None) -> None:
    """No call is shown: each key has its own."""


SYNC = Shown(
    "task sync", answer_of, nothing, advice_on, content_of, page_of, titles_of, called, errors=ERRORS, parts=parts_of
)
REFRESH = Shown(
    "key refresh",
    answer_of_refresh,
    nothing,
    advice_on_refresh,
    content_of,
    page_of_key,
    errors=SOURCE_ERRORS,
    parts=parts_of,
    subjects=subjects_of,
)
