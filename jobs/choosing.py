"""Which jobs are meant by REST: by the address of a list, and by a request to do something with many."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from badgerjobs.web.definitions.fields import type_named
from badgerjobs.web.filters import Filter, is_true, one_of, words_of
from badgerjobs.workspaces.models import Application
from jobs.models import EventType, Job, Verb
from jobs.querysets import JobQuerySet
from jobs.standing import GOING_ON, Standing, standing_so

JOB_FILTERS: Mapping[str, Filter] = {
    "search": lambda jobs, value: jobs.search(value),
    "enabled": lambda jobs, value: jobs.filter(runnable__enabled=is_true(value)),
    "planned": lambda jobs, value: jobs.filter(runnable__next_run_at__isnull=not is_true(value)),
    "verb": lambda jobs, value: jobs.filter(verb__in=one_of(Verb.values, value.upper())),
    "event_type": lambda jobs, value: jobs.of_types(one_of(EventType.values, value, type_named)),
    "event_tag": lambda jobs, value: jobs.filter(event__tag__in=words_of(value)),
    "status": lambda jobs, value: standing_so(jobs, one_of(Standing.values, value.lower())),
}

JOBS_DESCRIBED = [
    OpenApiParameter("search", str, description="Part of the tag, the name, the endpoint or the event's tag."),
    OpenApiParameter("enabled", bool, description="Only enabled, or only disabled ones."),
    OpenApiParameter("planned", bool, description="Only those with a next run, or only those without."),
    OpenApiParameter("verb", str, enum=Verb.values, description="Only those with this verb."),
    OpenApiParameter("event_type", str, description=f"One or more of {', '.join(EventType.values)}, with commas."),
    OpenApiParameter("event_tag", str, description="Only those that perform these events: tags, with commas."),
    OpenApiParameter("status", str, description=f"One or more of {', '.join(Standing.values)}, with commas."),
]


def chosen(application: Application, choice: Mapping[str, Any], *, goes_on: bool) -> JobQuerySet:
    """The jobs for which all holds that is said of them; with `goes_on` only those that have something to cancel."""
    jobs: JobQuerySet = Job.objects.for_application(application)
    if "tags" in choice:
        jobs = jobs.filter(tag__in=choice["tags"])
    if "event_type" in choice:
        jobs = jobs.of_types(choice["event_type"])
    if "event_tag" in choice:
        jobs = jobs.filter(event__tag__in=choice["event_tag"])
    if "since" in choice:
        jobs = jobs.filter(created_at__gte=choice["since"])
    if "until" in choice:
        jobs = jobs.filter(created_at__lt=choice["until"])
    wanted = choice.get("status", Standing.values)
    if goes_on:
        wanted = [word for word in wanted if word in GOING_ON]
    return standing_so(jobs, wanted) if goes_on or "status" in choice else jobs
