"""What a job's form begins with: a stored job, one like it, or nothing yet."""

from dataclasses import replace
from typing import Any

from badgerjobs.lib import statuses, vault
from badgerjobs.lib.backoff import Retries
from badgerjobs.runs.forms import blank, chosen
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.policy_form import policies_shown
from badgerjobs.runs.retry_form import shown_as
from badgerjobs.runs.saying import retries_in_words
from badgerjobs.runs.serializers import DEFAULTS
from badgerjobs.web.definitions import json_text
from badgerjobs.workspaces.models import Application
from jobs.models import Job

USUAL_VERB = "POST"


def initial_of(job: Job, application: Application | None = None) -> dict[str, Any]:
    """A stored job as the form shows it: credentials as stars. `application` is its own, if it is at hand."""
    own = job.runnable.policy
    if not job.retryable and not own.retries:  # as it would be if it were switched on in the form
        own = replace(own, retries=(application or job.application).retries)
    return {
        **chosen(job.runnable),
        **policies_shown(job.runnable),
        "name": job.name,
        "tag": job.tag,
        "does": "event" if job.event else "call",
        "event_tag": job.event.tag if job.event else "",
        "input": json_text.written(job.input),
        "verb": job.verb or USUAL_VERB,
        "endpoint": job.endpoint,
        "headers": list(vault.mask(job.headers).items()),
        "body": job.body,
        "retryable": job.retryable,
        "event_retryable": job.retryable,
        "timeout": job.timeout,
        **shown_as(own),
        "fail_statuses": job.fail_statuses,
        "retry_statuses": job.retry_statuses,
    }


def initial_like(job: Job, application: Application | None = None) -> dict[str, Any]:
    """A new job that does the same. How a job is tried again that is not is the usual, which says nothing."""
    again = {} if job.retryable else {**shown_as((application or job.application).policy), "retry_statuses": ""}
    return {**initial_of(job, application), **again, "name": f"{job.name} copy", "tag": ""}


def initial_new(application: Application | None = None, *, event_tag: str = "") -> dict[str, Any]:
    """What a new job begins with; one that performs this event, if that is given. Events are not tried again."""
    does = {"does": "event" if event_tag else "call", "event_tag": event_tag}
    call = {**does, "verb": USUAL_VERB, "headers": [], "retryable": True, "event_retryable": False, "timeout": 30}
    return {**blank(), **policies_shown(DEFAULTS), **call, **initial_retries(application)}


def initial_retries(application: Application | None) -> dict[str, Any]:
    """How a new job fails and tries again."""
    policy = application.policy if application else Retries()
    return {**shown_as(policy), "fail_statuses": statuses.FAILURES, "retry_statuses": ""}


def retries_of(application: Application, runnable: Runnable | None) -> str:
    """What the box says that is ticked for them: what a job has, or what its application gives to new ones."""
    owner = runnable if runnable and runnable.retries else application
    said = retries_in_words(owner.policy)
    return f"{said}." if said else "Its application tries nothing again: see its settings."
