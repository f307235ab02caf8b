"""The page of a run, as its tests need it: its addresses, what it says, and a run that failed."""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from jobs.models import Job
from tests.factories import NOW, make_attempt, make_run

SECOND = timedelta(seconds=1)


def at(run: Run, name: str = "run") -> str:
    return reverse(f"runs:{name}", args=[run.application.slug, run.pk])


def text(client: Client, run: Run, query: str = "") -> str:
    answer = client.get(at(run) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def result(status: int = 503, body: str = "", **more: Any) -> dict[str, Any]:
    return {"status": status, "headers": {"content-type": "text/plain"}, "body": body, **more}


def failed(job: Job, tries: int = 4, **fields: Any) -> Run:
    """A run that was tried so often, 10, 20, 30 seconds after each other, a second each."""
    run = make_run(
        job.runnable, State.FAILED, number=412, occurrence=NOW, attempts=tries, started_at=NOW,
        finished_at=NOW + 66 * SECOND, error="The endpoint answered 503.", **fields,
    )  # fmt: skip
    began = NOW
    for number in range(1, tries + 1):
        make_attempt(
            run, number, ok=False, started_at=began, duration_ms=1000, created_at=began + SECOND,
            error_class="status", error="The endpoint answered 503.", result=result(body=f"try {number}"),
        )  # fmt: skip
        began += SECOND + number * 10 * SECOND
    return run
