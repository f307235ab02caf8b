"""What can be done with async jobs."""

from collections.abc import Mapping, Sequence
from copy import copy
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from badgerjobs.lib.storable import cleaned
from badgerjobs.runs.models import Cause, Queue, Run, Runnable
from badgerjobs.runs.owned import apply, facts_of, judge_policies, set_fields
from badgerjobs.runs.services import add_runnable, change_runnable, delete_runnables, run_now
from badgerjobs.runs.switching import pause_owner, resume_owner
from badgerjobs.web.definitions.keeping import made_or_updated
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.retry_policy import columns_of
from slurps.models import KIND, AsyncJob, Slurper

JOB_FIELDS = ("name", "timeout_s")

GONE = "This async job was deleted in the meantime."
TAKEN = "There is an async job with the tag “{}” already. Change it with PATCH, or use PUT to create or update."
MEANWHILE = "Somebody changed this async job at the same time. Read it again, then change it."
NO_SLURPER = "There is no slurper “{}” in this application."
NOTHING_REMEMBERED = "Nothing is remembered of the source “{}”."


def create_async_job(*, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any) -> AsyncJob:
    """Make an async job and plan its first run. It stores nothing before one of its collections is active.

    `fields`, checked, are those of JOB_FIELDS, of its runnable (SCHEDULE_FIELDS, POLICY_FIELDS, PAUSE_FIELDS,
    RETRY_COLUMNS), and `slurper`, a tag.

    Raises Conflict when the application has an async job with this tag, and Invalid for a slurper that is not there.
    """
    job = AsyncJob(application=application, tag=tag, name=tag)
    set_fields(job, fields, JOB_FIELDS)
    try:
        with transaction.atomic():
            job.slurper = _slurper(application, fields["slurper"])
            runnable = Runnable(
                application=application, kind=KIND, queue=Queue.COMPUTE, **columns_of(application.policy)
            )
            job.runnable = add_runnable(apply(runnable, fields, tag), now=now)
            job.save(force_insert=True)
            usual = {**_facts(AsyncJob(), Runnable()), "name": tag}
            facts = {name: value for name, value in _facts(job, runnable).items() if value != usual[name]}
            _record(job, by=by, action="asyncjob.create", now=now, changes=audit.difference({}, facts))
    except IntegrityError:
        raise Conflict(TAKEN.format(tag)) from None
    return job


def update_async_job(*, job: AsyncJob, by: audit.Actor, now: datetime, **fields: Any) -> AsyncJob:
    """Change what is given and leave the rest. A run that goes on ends as it began.

    A changed schedule aborts waiting runs and plans anew. Raises Conflict when somebody else deleted it meanwhile, or
    changed it so that the two do not go together; Invalid for a slurper that is not there.
    """
    try:
        with transaction.atomic():
            # Read again under lock: of two changes at once, neither may write back what the other replaced.
            job.refresh_from_db(from_queryset=AsyncJob.objects.select_for_update())
            runnable = Runnable.objects.select_for_update().get(pk=job.runnable_id)
            before, facts = copy(runnable), _facts(job, runnable)
            set_fields(job, fields, JOB_FIELDS)
            if "slurper" in fields:
                job.slurper = _slurper(job.application, fields["slurper"])
            job.save(update_fields=[*JOB_FIELDS, "slurper", "updated_at"])
            judge_policies(apply(runnable, fields, job.tag), before, "async job")
            change_runnable(runnable, before=before, now=now)
            if changes := audit.difference(facts, _facts(job, runnable)):
                _record(job, by=by, action="asyncjob.update", now=now, changes=changes)
    except AsyncJob.DoesNotExist:
        raise Conflict(GONE) from None
    except IntegrityError:
        raise Conflict(MEANWHILE) from None
    job.runnable = runnable
    return job


def create_or_update_async_job(
    *, application: Application, tag: str, by: audit.Actor, now: datetime, **fields: Any
) -> tuple[AsyncJob, bool]:
    """Make the async job, or change the one that is there, as one step. Returns it and whether it was made."""
    fields |= {"by": by, "now": now}
    return made_or_updated(
        AsyncJob.objects.for_application(application).filter(tag=tag),
        "async job",
        make=lambda: create_async_job(application=application, tag=tag, **fields),
        update=lambda found: update_async_job(job=found, **fields),
    )


@transaction.atomic
def delete_async_job(*, job: AsyncJob, by: audit.Actor, now: datetime) -> None:
    """Delete an async job with its runs and collections, in a time that does not grow with their rows.

    Readers find them no more from the commit on; the rows are deleted by and by (`leftovers.py`).
    """
    if not AsyncJob.objects.select_for_update().filter(pk=job.pk).first():
        return  # of two at once, one did it
    facts = _facts(job, job.runnable)
    # Its runs go before its collections: who stores rows for a run holds that, and then the collection.
    delete_runnables([job.runnable_id])
    facts["collections"] = ", ".join(_hold_collections(job))
    AsyncJob.objects.filter(pk=job.pk).delete()
    _record(job, by=by, action="asyncjob.delete", now=now, changes=audit.difference(facts, dict.fromkeys(facts)))


def pause_async_job(
    *, job: AsyncJob, by: audit.Actor, now: datetime, reason: str = "", until: datetime | None = None
) -> bool:
    """Switch it off: its schedule does not run it, and what waits is aborted. What runs goes on.

    `until` is when it is resumed by itself; None: when somebody does. Returns whether it was on.
    """
    return pause_owner(job, action="asyncjob.pause", by=by, now=now, reason=reason, until=until)


def resume_async_job(*, job: AsyncJob, by: audit.Actor, now: datetime) -> bool:
    """Switch it on: its schedule keeps its rhythm. Returns whether it was off."""
    return resume_owner(job, action="asyncjob.resume", by=by, now=now)


@transaction.atomic
def run_async_job(*, job: AsyncJob, by: audit.Actor, now: datetime, values: Mapping[str, Any] | None = None) -> Run:
    """Run it at once, beside its schedule and whether it is enabled or not. Raises Conflict when it is gone.

    `values` are for the placeholders of its sources.
    """
    given = {"values": cleaned(dict(values))} if values else None
    run = run_now(runnable=job.runnable, cause=Cause.MANUAL, now=now, input=given)
    _record(job, by=by, action="asyncjob.run", now=now)
    return run


@transaction.atomic
def forget(*, job: AsyncJob, by: audit.Actor, now: datetime, sources: Sequence[str] | None = None) -> AsyncJob:
    """Forget what its sources gave to go on from: of these by their tags, or of all. The next run pulls all they have.

    A run that goes on remembers anew when it ends. Raises Invalid for one of which nothing is remembered, and Conflict
    when the job is gone.
    """
    try:
        job.refresh_from_db(fields=["remembered"], from_queryset=AsyncJob.objects.select_for_update())
    except AsyncJob.DoesNotExist:
        raise Conflict(GONE) from None
    before = job.remembered
    if unknown := [tag for tag in sources or () if tag not in before]:
        raise Invalid(sources=NOTHING_REMEMBERED.format(unknown[0]))
    job.remembered = {tag: value for tag, value in before.items() if sources is not None and tag not in sources}
    if job.remembered != before:
        job.save(update_fields=["remembered", "updated_at"])
        changes = audit.difference({"remembered": before}, {"remembered": job.remembered})
        _record(job, by=by, action="asyncjob.forget", now=now, changes=changes)
    return job


def _slurper(application: Application, tag: str) -> Slurper:
    """The slurper, held: nobody deletes it before this is committed. Raises Invalid."""
    rows = Slurper.objects.for_application(application).filter(tag=tag)
    found = rows.select_for_update(no_key=True).first()
    if found is None:
        raise Invalid(slurper=NO_SLURPER.format(tag))
    return found


def _hold_collections(job: AsyncJob) -> list[str]:
    """Lock its collections before their versions, as who changes one does. Returns their names."""
    return sorted(job.collections.select_for_update().order_by("pk").values_list("name", flat=True))


def _facts(job: AsyncJob, runnable: Runnable) -> dict[str, Any]:
    """What a person would say that it is, for the audit log."""
    slurper = job.slurper.tag if job.slurper_id else ""
    return {**{name: getattr(job, name) for name in JOB_FIELDS}, "slurper": slurper, **facts_of(runnable)}


def _record(job: AsyncJob, **entry: Any) -> None:
    audit.record(subject=job.tag, application=job.application, **entry)
