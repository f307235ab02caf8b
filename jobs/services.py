"""What can be done with jobs."""

import json
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from badgerjobs.lib import vault
from badgerjobs.outbound.headers import check_headers, is_same_party
from badgerjobs.outbound.targets import UnsendableError, target_of
from badgerjobs.runs.backfill import backfill
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.runs.owned import apply, facts_of, judge_policies, set_fields
from badgerjobs.runs.services import add_runnable, change_runnable, delete_runnables, replay_run, run_now
from badgerjobs.web.definitions.keeping import made_or_updated
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import columns_of
from jobs.models import EVENT_KIND, KIND, Event, Job

CREDENTIALS_STAY = (
    "The stored credentials were not meant for the host of this endpoint. "
    "Send the headers with their credentials anew, or without them."
)

JOB_FIELDS = (
    "name", "endpoint", "verb", "headers", "body", "retryable", "timeout", "fail_statuses", "retry_statuses",
)  # fmt: skip
# What is done instead of a call: an event, and what it is given.
EVENT_FIELDS = ("event", "input")

EVENT_GONE = "The event was deleted in the meantime. Make it again, or choose another."


def create_job(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> Job:
    """Make a job and plan its first run. `fields`, checked, are those of JOB_FIELDS, EVENT_FIELDS, SCHEDULE_FIELDS...

    Raises Conflict when the application has a job with this tag or its event is gone, and Invalid for stars in the
    place of a credential.
    """
    fields = {"name": tag, **fields, "headers": _unmasked(fields.get("headers", {}), {})}
    try:
        with transaction.atomic():
            _hold_event(fields.get("event"))
            kind = EVENT_KIND if fields.get("event") else KIND
            runnable = Runnable(application=application, kind=kind, **columns_of(application.policy))
            switched = _retries(runnable, was=True, wanted=fields.get("retryable", True))
            add_runnable(apply(runnable, {**switched, **fields}, tag), now=now)
            job = Job(application=application, runnable=runnable, tag=tag)
            set_fields(job, fields, (*JOB_FIELDS, *EVENT_FIELDS))
            job.save(force_insert=True)
            _record(job, by=by, action="job.create", now=now, changes=audit.difference({}, _set_apart(job, runnable)))
    except IntegrityError:
        raise Conflict(
            f"There is a job with the tag “{tag}” already. Change it with PATCH, or use PUT to create or update."
        ) from None
    return job


def update_job(*, job: Job, by: audit.Actor, now: datetime, again: bool = True, **fields: Any) -> Job:
    """Change what is given and leave the rest. A changed schedule aborts waiting runs and plans anew.

    A past `run_at` that stays, with another repetition or none, is run `again`; or only where it was not run yet.

    Stars in the headers keep the stored credential, as long as the endpoint stays with whom it was meant for.
    Raises Conflict when somebody else deleted it meanwhile, or changed the schedule or its policies so that the two do
    not go together; Invalid for headers that cannot be kept or sent.
    """
    try:
        with transaction.atomic():
            # Read again under lock: of two changes at once, neither may write back what the other replaced.
            job.refresh_from_db(from_queryset=Job.objects.select_for_update())
            runnable = Runnable.objects.select_for_update().get(pk=job.runnable_id)
            _hold_event(fields.get("event"))
            before, facts = copy(runnable), _facts(job, runnable)
            set_fields(job, {**fields, **headers_to_keep(job, fields)}, (*JOB_FIELDS, *EVENT_FIELDS))
            job.save()
            runnable.kind = EVENT_KIND if job.event_id else KIND
            switched = _retries(runnable, was=facts["retryable"], wanted=job.retryable)
            judge_policies(apply(runnable, {**switched, **fields}, job.tag), before, "job")
            change_runnable(runnable, before=before, now=now, again=again)
            if changes := audit.difference(facts, _facts(job, runnable)):
                _record(job, by=by, action="job.update", now=now, changes=changes)
    except Job.DoesNotExist:
        raise Conflict("This job was deleted in the meantime.") from None
    except IntegrityError:
        raise Conflict("Somebody changed this schedule at the same time. Read the job again, then change it.") from None
    job.runnable = runnable
    return job


def create_or_update_job(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[Job, bool]:
    """Make the job, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_updated(
        Job.objects.for_application(application).filter(tag=tag),
        "job",
        make=lambda: create_job(application=application, tag=tag, **fields),
        update=lambda found: update_job(job=found, **fields),
    )


@transaction.atomic
def delete_job(*, job: Job, by: audit.Actor, now: datetime) -> None:
    """Delete a job with its runs and results, in a time that does not grow with their number.

    A call that is being made right now finishes, and is not recorded.
    """
    runnable_id, facts = job.runnable_id, _set_apart(job, job.runnable)
    deleted, _ = Job.objects.filter(pk=job.pk).delete()
    delete_runnables([runnable_id])
    if deleted:  # of two at once, one did it
        _record(job, by=by, action="job.delete", now=now, changes=audit.difference(facts, dict.fromkeys(facts)))


@transaction.atomic
def run_job(*, job: Job, by: audit.Actor, now: datetime) -> Run:
    """Run it at once, beside its schedule and whether it is enabled or not. Raises Conflict when it is gone."""
    run = run_now(runnable=job.runnable, cause=Cause.MANUAL, now=now)
    _record(job, by=by, action="job.run", now=now)
    return run


@transaction.atomic
def backfill_job(  # noqa: PLR0913
    *,
    job: Job,
    since: datetime,
    until: datetime,
    by: audit.Actor,
    now: datetime,
    per_minute: int | None = None,
    missed: bool = False,
) -> int:
    """Run the past occurrences from `since` up to but not at `until` that have no run. Returns how many they are.

    `missed`: only those that were skipped because nothing was dispatched. At most so many begin in a minute, if that is
    given. Raises Invalid for a time that makes no sense or holds too many of them, and Conflict when the job is gone.
    """
    count = backfill(runnable=job.runnable, since=since, until=until, now=now, per_minute=per_minute, missed=missed)
    if count:
        said = {"runs": count, "since": since, "until": until, "per_minute": per_minute}
        _record(job, by=by, action="job.backfill", now=now, changes=audit.difference({}, said))
    return count


ANY_RUN = "No run of this job failed, of those that are kept: there is nothing to retry. To run it, use run/."
AGAIN = "Run {}, the last one that failed, is being retried already: its retry is {}."


@transaction.atomic
def retry_job(*, job: Job, by: audit.Actor, now: datetime, wait_s: float = 0) -> Run:
    """Replay the last of its runs that failed, so many seconds from now. Returns the new run.

    Raises Conflict where none failed, and where that one was replayed since and the replay has not failed.
    """
    Job.objects.select_for_update().filter(pk=job.pk).first()  # of two at once, the second sees the first one's
    runs = Run.objects.for_application(job.application).of(job.runnable_id)
    failed = runs.filter(state=State.FAILED).order_by("-id").first()
    if failed is None:
        raise Conflict(ANY_RUN)
    retry = runs.filter(replay_of=failed.pk).exclude(state__in=(State.FAILED, State.ABORTED)).order_by("-id").first()
    if retry:
        raise Conflict(AGAIN.format(failed.number, retry.state))
    return replay_run(run=failed, by=by, now=now, wait_s=wait_s)


def _hold_event(event: Event | None) -> None:
    """Nobody deletes it before this is committed. Raises Conflict where somebody did."""
    if event and not Event.objects.select_for_update(no_key=True).filter(pk=event.pk).values_list("pk").first():
        raise Conflict(EVENT_GONE)


def _facts(job: Job, runnable: Runnable) -> dict[str, Any]:
    """What a person would say that the job is, for the audit log."""
    return {
        **{name: getattr(job, name) for name in JOB_FIELDS},
        "event": job.event.tag if job.event else None,
        "input": None if job.input is None else json.dumps(job.input, ensure_ascii=False),
        **facts_of(runnable),
    }


def _set_apart(job: Job, runnable: Runnable) -> dict[str, Any]:
    """What of it is not as in any job."""
    any_job = {**_facts(Job(), Runnable()), "name": job.tag}
    return {name: value for name, value in _facts(job, runnable).items() if value != any_job[name]}


def _record(job: Job, **entry: Any) -> None:
    audit.record(subject=job.tag, application=job.application, **entry)


def headers_to_keep(job: Job, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The headers to store, or to try out, when the change has some: stored values in the place of stars.

    Raises Invalid when it would send stored credentials to somebody they were not meant for: who may change a job need
    not know them, since they are never shown.
    """
    changed = {"headers": _unmasked(fields["headers"], job.headers)} if "headers" in fields else {}
    kept = vault.MASK in _secrets(fields.get("headers", vault.mask(job.headers)))
    if kept and not stays_with(job.endpoint, fields.get("endpoint", job.endpoint)):
        raise Invalid(headers=CREDENTIALS_STAY)
    return changed


def _secrets(headers: Mapping[str, str]) -> list[str]:
    return [value for name, value in headers.items() if vault.is_secret(name)]


def _unmasked(given: Mapping[str, str], stored: Mapping[str, str]) -> dict[str, str]:
    """The headers with the stored values where stars were given. Raises Invalid."""
    try:
        headers = vault.unmask(given, stored)
        check_headers(headers.items())
    except ValueError as error:
        raise Invalid(headers=str(error)) from None
    return headers


def stays_with(here: str, there: str) -> bool:
    """Whether the second endpoint is of those who get what is sent to the first."""
    if here == there:
        return True
    try:
        return is_same_party(target_of(here), target_of(there))
    except UnsendableError:  # stored when the rules were others: it belongs to nobody
        return False


def _retries(runnable: Runnable, *, was: bool, wanted: bool) -> dict[str, Any]:
    """The policy that the application has for new jobs at this moment, or no retries. What a job has it keeps."""
    if was == wanted:
        return {}
    return columns_of(runnable.application.policy) if wanted else {"retries": 0}
