"""The fields and verbs of GraphQL that find or change jobs. What rows show by themselves is in `nodes.py`."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from rest_framework.exceptions import NotFound

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.last_attempts import TooMuchTextError, last_attempts
from badgerjobs.web.graphql import Asker, Resolver, Size
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.graphql.given import checked, told_in_their_words, told_which_verb
from jobs.graphql.nodes import (
    JobBatch,
    JobNode,
    JobsOfResults,
    ResultNode,
    RunnerNode,
)
from jobs.graphql.places import actor_in, ensure_calls, ensure_stays, may_be_a_name, place_for
from jobs.graphql.texts import count_loaded, wants_texts, without_unread
from jobs.models import KINDS, Job
from jobs.querysets import JobQuerySet
from jobs.services import create_job, delete_job, update_job

MOST_JOBS = 10_000
MOST_ROWS = 1000
MOST_LEFT_OUT = 100_000
# Where no `limit` is given: results of an application or of one job, and those and runners within a list of jobs.
USUAL, USUAL_OF_EACH = 100, 10


def jobs(_: None, asker: Asker, *, limit: int | None = None, offset: int | None = None) -> list[JobNode]:
    first = _bounded("offset", offset, least=0, most=MOST_LEFT_OUT, usual=0)
    most = _bounded("limit", limit, least=1, most=MOST_JOBS, usual=None)
    if asker.texts.are_too_many:
        return []
    rows = Job.objects.for_application(asker.application).order_by("-id")[first : most and first + most]
    return JobBatch(asker, without_unread(rows, asker)).nodes


def job(_: None, asker: Asker, *, name: str) -> JobNode | None:
    if asker.texts.are_too_many or not may_be_a_name(name):
        return None
    found = without_unread(_named(asker.application, name), asker).first()
    return JobBatch(asker, [found]).nodes[0] if found else None


def job_results(
    _: None, asker: Asker, *, job_name: str | None = None, limit: int | None = None, offset: int | None = None
) -> list[ResultNode]:
    bounds = _bounds(limit, offset, USUAL)
    if job_name is not None:
        found = job(None, asker, name=job_name)
        return _results_of(found, **bounds) if found else []
    if asker.texts.are_too_many:
        return []
    try:
        rows = last_attempts(application=asker.application, kinds=KINDS, with_texts=wants_texts(asker), **bounds)
    except TooMuchTextError:
        asker.texts.refuse()
    count_loaded(rows, asker)
    found_jobs = JobsOfResults(asker, rows)
    return [ResultNode(row, found_jobs) for row in rows]


def results_of_job(
    source: JobNode, _: Asker, *, limit: int | None = None, offset: int | None = None
) -> list[ResultNode]:
    return _results_of(source, **_bounds(limit, offset, USUAL_OF_EACH))


def runners_of_job(source: JobNode, _: Asker, *, limit: int | None = None) -> list[RunnerNode]:
    most = _bounded("limit", limit, least=1, most=MOST_ROWS, usual=USUAL_OF_EACH)
    return [RunnerNode(row, source) for row in source.batch.runners(source.job.runnable_id, limit=most)]


def make(_: None, asker: Asker, *, application_name: str | None = None, **given: Any) -> JobNode:
    place = place_for(asker, application_name)
    fields = checked(_said(given), application=place)
    with told_in_their_words(), told_which_verb(given["name"]):
        made = create_job(application=place, by=actor_in(asker, place), now=database_now(), **fields)
    return JobBatch(asker, [made]).nodes[0]


def change(_: None, asker: Asker, **given: Any) -> JobNode:
    found = _find_or_refuse(asker, given["name"])
    return _changed(asker, found, checked(given, application=asker.application, job=found), by=asker.by)


@transaction.atomic
def make_or_change(_: None, asker: Asker, *, application_name: str | None = None, **given: Any) -> JobNode:
    place = place_for(asker, application_name)
    found = _find(place, given["name"], held=True)
    if found is None:
        try:
            return make(None, asker, application_name=application_name, **given)
        except Conflict:  # somebody made it meanwhile: what is not given of that one stays as they made it
            found = _find(place, given["name"], held=True)
    if found is None:
        raise Conflict(f"Others make and delete the job “{given['name']}” at the same time. Try again.")
    if place.pk != asker.application.pk:
        ensure_calls(found)
    fields = checked(given, application=place, job=found)
    if place.pk != asker.application.pk:
        ensure_stays(found, fields)
    return _changed(asker, found, fields, by=actor_in(asker, place))


def delete(_: None, asker: Asker, *, name: str) -> JobNode:
    found = _find_or_refuse(asker, name)
    delete_job(job=found, by=asker.by, now=database_now())
    return JobBatch(asker, [found]).nodes[0]


def _changed(asker: Asker, found: Job, fields: Mapping[str, Any], *, by: audit.Actor) -> JobNode:
    changes = {name: value for name, value in fields.items() if name != "tag"}
    with told_in_their_words():
        changed = update_job(job=found, by=by, now=database_now(), again=False, **changes)
    return JobBatch(asker, [changed]).nodes[0]


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Of a new job's arguments those that say something: null is as if it was not given."""
    return {name: value for name, value in given.items() if value is not None}


def _find(place: Application, name: str, *, held: bool = False) -> Job | None:
    if not may_be_a_name(name):
        return None
    rows = _named(place, name).whole()
    return (rows.select_for_update(of=("self",)) if held else rows).first()


def _named(place: Application, name: str) -> JobQuerySet:
    return Job.objects.for_application(place).filter(tag=name)


def _find_or_refuse(asker: Asker, name: str) -> Job:
    found = _find(asker.application, name)
    if found is None:
        raise NotFound(f"There is no job with the name “{name}” in this application.")
    return found


def _results_of(source: JobNode, **bounds: int) -> list[ResultNode]:
    return [ResultNode(row, source.batch) for row in source.batch.results(source.job.runnable_id, **bounds)]


def _bounds(limit: int | None, offset: int | None, usual: int) -> dict[str, int]:
    return {
        "limit": _bounded("limit", limit, least=1, most=MOST_ROWS, usual=usual),
        "offset": _bounded("offset", offset, least=0, most=MOST_LEFT_OUT, usual=0),
    }


def _bounded(name: str, value: int | None, *, least: int, most: int, usual: Any) -> Any:
    if value is None:
        return usual
    if not least <= value <= most:
        raise Invalid(**{name: f"Give a whole number from {least} to {most:,}."})
    return value


def _count(asker: Asker, _: Mapping[str, Any]) -> int:
    """How many jobs there are: as many come where no `limit` is given."""
    return asker.once("jobs.all", lambda: Job.objects.for_application(asker.application).count())


RESOLVERS: Mapping[str, Resolver] = {
    "Query.jobs": jobs,
    "Query.job": job,
    "Query.jobResults": job_results,
    "Mutation.createJob": make,
    "Mutation.updateJob": change,
    "Mutation.createOrUpdateJob": make_or_change,
    "Mutation.deleteJob": delete,
    "Job.jobResults": results_of_job,
    "Job.runners": runners_of_job,
}

# How long each list is where its `limit` is not given.
SIZES: Mapping[str, Size] = {
    "Query.jobs": _count,
    "Query.jobResults": USUAL,
    "Job.jobResults": USUAL_OF_EACH,
    "Job.runners": USUAL_OF_EACH,
}
