"""The rows that are measured: one real job, copied in the database as often as is asked."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from badgerjobs.runs.models import Attempt, Run, Runnable
from badgerjobs.workspaces.models import Application
from badgerjobs.workspaces.services import create_application
from jobs.models import Job
from jobs.services import create_job

BODY = "b" * 100


def template(url: str) -> Job:
    """Make the job that all others are copies of: switched off, with 100 bytes to send."""
    application = create_application(name="Bench", workspace="Bench")
    return create_job(
        application=application, tag="template", now=_now(), endpoint=url, verb="POST", body=BODY, enabled=False
    )


def copy_jobs(job: Job, *, names: str, count: int, next_run_at: str = "NULL") -> None:
    """Copy a job so many times. The copies are called `names`-1, `names`-2, …; `next_run_at` is SQL, `n` the number."""
    copy_runnables(job.runnable, names=names, count=count, next_run_at=next_run_at)
    _copy(
        Job,
        {"runnable_id": "r.id", "tag": "r.name", "name": "r.name"},
        "jobs_job t JOIN runs_runnable r ON r.application_id = t.application_id AND r.name LIKE %s WHERE t.id = %s",
        [f"{names}-%", job.pk],
    )


def copy_runnables(
    runnable: Runnable, *, names: str, count: int, next_run_at: str, application_id: str = "t.application_id"
) -> None:
    """Copy a runnable so many times, without the job it belongs to."""
    changes = {
        "name": "%s || n",
        "application_id": application_id,
        "enabled": "true",
        "run_at": next_run_at,
        "next_run_at": next_run_at,
    }
    _copy(
        Runnable,
        changes,
        "runs_runnable t, generate_series(1, %s) n WHERE t.id = %s",
        [f"{names}-", count, runnable.pk],
    )


def copy_applications(application: Application, *, count: int) -> None:
    _copy(
        Application,
        {"name": "'copy ' || n"},
        "workspaces_application t, generate_series(1, %s) n WHERE t.id = %s",
        [count, application.pk],
    )


def _copy(model: type[models.Model], changes: Mapping[str, str], source: str, values: list[Any]) -> None:
    """INSERT … SELECT from `source`, where `t` is the row to copy: every column but the id, some of them changed."""
    columns = [str(field.column) for field in model._meta.local_concrete_fields if not field.primary_key]
    selected = [changes.get(column, f"t.{column}") for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(selected)} FROM {source}",  # noqa: S608
            _in_order(changes, columns, values),
        )


def _in_order(changes: Mapping[str, str], columns: list[str], values: list[Any]) -> list[Any]:
    """`values` is written in the order of the text, and no change but the name takes one: nothing to reorder."""
    assert sum(changes.get(column, "").count("%s") for column in columns) <= 1  # noqa: S101
    return values
