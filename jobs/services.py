"""What can be done with jobs."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from badgerjobs.lib import vault
from badgerjobs.outbound.headers import check_headers, is_same_party
from badgerjobs.outbound.targets import UnsendableError, target_of
from badgerjobs.runs.models import Runnable
from badgerjobs.runs.schedules import SCHEDULE_FIELDS
from badgerjobs.runs.services import add_runnable, change_runnable, delete_runnables
from badgerjobs.web.problems import Conflict, Invalid
from badgerjobs.workspaces.models import Application
from jobs.models import KIND, Job

# Retries after the first try, for a job that may be retried.
RETRIES = 3

CREDENTIALS_STAY = (
    "The stored credentials were not meant for the host of this endpoint. "
    "Send the headers with their credentials anew, or without them."
)

JOB_FIELDS = ("name", "endpoint", "verb", "headers", "body", "retryable", "timeout")


def create_job(*, application: Application, tag: str, now: datetime, **fields: Any) -> Job:
    """Make a job and plan its first run. `fields` are those of JOB_FIELDS and SCHEDULE_FIELDS, checked.

    Raises Conflict when the application has a job with this tag, and Invalid for stars in the place of a credential.
    """
    fields = {"name": tag, **fields, "headers": _unmasked(fields.get("headers", {}), {})}
    try:
        with transaction.atomic():
            runnable = add_runnable(_apply(Runnable(application=application, kind=KIND), fields, tag), now=now)
            job = Job(application=application, runnable=runnable, tag=tag)
            _set(job, fields, JOB_FIELDS)
            job.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            f"There is a job with the tag “{tag}” already. Change it with PATCH, or use PUT to create or update."
        ) from None
    return job


def update_job(*, job: Job, now: datetime, **fields: Any) -> Job:
    """Change what is given and leave the rest. A changed schedule aborts waiting runs and plans anew.

    Stars in the headers keep the stored credential, as long as the endpoint stays with whom it was meant for.
    Raises Conflict when somebody else deleted it meanwhile, or changed the schedule so that the two make none together;
    Invalid for headers that cannot be kept or sent.
    """
    try:
        with transaction.atomic():
            # Read again under lock: of two changes at once, neither may write back what the other replaced.
            job.refresh_from_db(from_queryset=Job.objects.select_for_update())
            runnable = Runnable.objects.select_for_update().get(pk=job.runnable_id)
            before = copy(runnable)
            _set(job, {**fields, **_headers_of(job, fields)}, JOB_FIELDS)
            job.save()
            change_runnable(_apply(runnable, {"retryable": job.retryable, **fields}, job.tag), before=before, now=now)
    except Job.DoesNotExist:
        raise Conflict("This job was deleted in the meantime.") from None
    except IntegrityError:
        raise Conflict("Somebody changed this schedule at the same time. Read the job again, then change it.") from None
    job.runnable = runnable
    return job


@transaction.atomic
def create_or_update_job(*, application: Application, tag: str, now: datetime, **fields: Any) -> tuple[Job, bool]:
    """Make the job, or change the one that is there, as one step. Returns it and whether it was made."""
    found = Job.objects.for_application(application).select_for_update().filter(tag=tag).first()
    if found is None:
        try:
            return create_job(application=application, tag=tag, now=now, **fields), True
        except Conflict:  # somebody made it between the two statements
            found = Job.objects.for_application(application).select_for_update().filter(tag=tag).first()
    if found is None:
        raise Conflict("Others make and delete this job at the same time. Try again.")
    return update_job(job=found, now=now, **fields), False


@transaction.atomic
def delete_job(*, job: Job) -> None:
    """Delete a job with its runs and results, in a time that does not grow with their number.

    A call that is being made right now finishes, and is not recorded.
    """
    runnable_id = job.runnable_id
    job.delete()
    delete_runnables([runnable_id])


def _headers_of(job: Job, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The headers to store, when the change has some.

    Raises Invalid when it would send stored credentials to somebody they were not meant for: who may change a job need
    not know them, since they are never shown.
    """
    changed = {"headers": _unmasked(fields["headers"], job.headers)} if "headers" in fields else {}
    kept = vault.MASK in _secrets(fields.get("headers", vault.mask(job.headers)))
    if kept and not _is_same_party(job.endpoint, fields.get("endpoint", job.endpoint)):
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


def _is_same_party(here: str, there: str) -> bool:
    if here == there:
        return True
    try:
        return is_same_party(target_of(here), target_of(there))
    except UnsendableError:  # stored when the rules were others: it belongs to nobody
        return False


def _apply(runnable: Runnable, fields: dict[str, Any], tag: str) -> Runnable:
    runnable.name = tag
    runnable.retries = RETRIES if fields.get("retryable", True) else 0
    _set(runnable, fields, SCHEDULE_FIELDS)
    return runnable


def _set(row: Any, fields: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        if name in fields:
            setattr(row, name, fields[name])
