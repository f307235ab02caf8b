"""What can be done with many jobs at once, and with one as with many: a few statements, however many there are.

Each verb takes ids of jobs of one application and leaves out those that went meanwhile; it returns how many it moved.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from badgerjobs.runs import many
from badgerjobs.runs.models import Cause
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application
from jobs.cancelling import cancel_jobs
from jobs.models import Job

# So many at the most, by one request.
MOST = many.MOST


@transaction.atomic
def run_jobs(*, application: Application, ids: Sequence[int], by: audit.Actor, now: datetime) -> int:
    """Run each at once, beside its schedule and whether it is enabled or not."""
    tags = _tags(application, ids)
    ran = many.run_all_now(list(tags), cause=Cause.MANUAL, now=now)
    return _record("job.run", {tags[runnable_id]: {} for runnable_id in ran}, application, by, now)


@transaction.atomic
def pause_jobs(  # noqa: PLR0913  which, and what a log is made of
    *,
    application: Application,
    ids: Sequence[int],
    by: audit.Actor,
    now: datetime,
    reason: str = "",
    until: datetime | None = None,
) -> int:
    """Switch them off: nothing is planned, and what waits is aborted. What runs goes on.

    `until` is when they are resumed by themselves; None: when somebody does.
    """
    tags = _tags(application, ids)
    paused = many.pause_all(list(tags), now=now, reason=reason, until=until)
    before = {"enabled": True, "pause_reason": "", "paused_until": None}
    changes = audit.difference(before, {"enabled": False, "pause_reason": reason, "paused_until": until})
    return _record("job.pause", {tags[runnable_id]: changes for runnable_id in paused}, application, by, now)


@transaction.atomic
def resume_jobs(*, application: Application, ids: Sequence[int], by: audit.Actor, now: datetime) -> int:
    """Switch them on: a series keeps its rhythm, and what was to run once still does if it has not."""
    tags = _tags(application, ids)
    resumed = many.resume_all(list(tags), now=now)
    changes = {tags[runnable_id]: {"enabled": [False, True]} for runnable_id in resumed}
    return _record("job.resume", changes, application, by, now)


@transaction.atomic
def delete_jobs(*, application: Application, ids: Sequence[int], by: audit.Actor, now: datetime) -> int:
    """Delete them with their runs and results, in a time that does not grow with the number of those.

    Calls that are being made right now finish, and are not recorded.
    """
    held = Job.objects.for_application(application).select_for_update().filter(pk__in=ids).order_by("pk")
    rows = list(held.values_list("pk", "runnable_id", "tag", "verb", "endpoint"))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM jobs_job WHERE id = ANY(%s)", [[pk for pk, *_ in rows]])
    many.delete_all([runnable_id for _, runnable_id, *_ in rows])
    changes = {tag: {"verb": [verb, None], "endpoint": [endpoint, None]} for *_, tag, verb, endpoint in rows}
    return _record("job.delete", changes, application, by, now)


# What a person may do with several, by the word that the forms send.
VERBS: Mapping[str, Callable[..., int]] = {
    "run": run_jobs,
    "pause": pause_jobs,
    "resume": resume_jobs,
    "cancel": cancel_jobs,
    "delete": delete_jobs,
}


def _tags(application: Application, ids: Sequence[int]) -> dict[int, str]:
    jobs = Job.objects.for_application(application).filter(pk__in=ids)
    return dict(jobs.values_list("runnable_id", "tag"))


def _record(
    action: str, entries: Mapping[str, Mapping[str, Any]], application: Application, by: audit.Actor, now: datetime
) -> int:
    audit.record_all(by=by, action=action, entries=entries, now=now, application=application)
    return len(entries)
