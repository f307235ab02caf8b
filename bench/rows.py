"""The rows that are measured: one real job, copied in the database as often as is asked."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from badgerjobs.runs import fleet
from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, Workspace
from badgerjobs.workspaces.services import create_application
from jobs.models import Job
from jobs.services import create_job

BODY = "b" * 100

NEVER = "NULL"
FAR = "now() + interval '30 days' + n * interval '1 ms'"


def template(url: str) -> Job:
    """Make the job that all others are copies of: switched off, with 100 bytes to send."""
    now = fleet.database_now()
    return create_job(
        application=create_application(name="Bench", workspace="Bench", by=OPERATOR, now=now),
        tag="template",
        by=OPERATOR,
        now=now,
        endpoint=url,
        verb="POST",
        body=BODY,
        enabled=False,
    )


def copy_jobs(
    job: Job, *, names: str, count: int, next_run_at: str = NEVER, application: str = "t.application_id"
) -> None:
    """Copy a job so many times, as `names`-1, `names`-2, …; `next_run_at` is SQL in which `n` is the number.

    `application` is SQL too: an id.
    """
    copy_runnables(job.runnable, names=names, count=count, next_run_at=next_run_at, application=application)
    _copy(
        Job,
        {"runnable_id": "r.id", "tag": "r.name", "name": "r.name", "application_id": "r.application_id"},
        "jobs_job t JOIN runs_runnable r ON r.name LIKE %(names)s || '-%%'",
        {"id": job.pk, "names": names},
    )


def copy_runnables(
    runnable: Runnable, *, names: str, count: int, next_run_at: str, application: str = "t.application_id"
) -> None:
    """Copy a runnable so many times, without the job it belongs to; `application` is SQL too: an id."""
    changes = {
        "name": "%(names)s || '-' || n",
        "application_id": application,
        "enabled": "true",
        "run_at": next_run_at,
        "next_run_at": next_run_at,
    }
    source = "runs_runnable t, generate_series(1, %(count)s) n"
    _copy(Runnable, changes, source, {"id": runnable.pk, "names": names, "count": count})


def copy_applications(application: Application, *, count: int) -> None:
    """Copy an application so many times, each into a workspace of its own."""
    names = {"name": "'Copy ' || n", "slug": "'copy-' || n"}
    copies = "workspaces_workspace t, generate_series(1, %(count)s) n"
    _copy(Workspace, names, copies, {"id": application.workspace_id, "count": count})
    owned = names | {"workspace_id": "(SELECT id FROM workspaces_workspace w WHERE w.slug = 'copy-' || n)"}
    source = "workspaces_application t, generate_series(1, %(count)s) n"
    _copy(Application, owned, source, {"id": application.pk, "count": count})


def _copy(model: type[models.Model], changes: Mapping[str, str], source: str, values: Mapping[str, Any]) -> None:
    """Copy the row `t.id` in `source`: every column but the id, some of them changed."""
    columns = [str(field.column) for field in model._meta.local_concrete_fields if not field.primary_key]
    selected = [changes.get(column, f"t.{column}") for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)})"  # noqa: S608
            f" SELECT {', '.join(selected)} FROM {source} WHERE t.id = %(id)s",
            values,
        )


def settle() -> None:
    """Let the database look at what it was given, as it would have by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
