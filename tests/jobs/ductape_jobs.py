"""An application with one job, as the tests of Ductape's verbs begin."""

from jobs.models import Job
from tests.callers import Caller

JOB = {"tag": "a-job", "endpoint": "https://example.org/", "verb": "GET", "run_every": "PT1H"}


def only() -> Job:
    return Job.objects.select_related("runnable", "event").get()


def with_one_job(caller: Caller) -> Caller:
    """A job that repeats."""
    assert caller.post("/jobs/", {**JOB, "run_at": "2030-01-01T00:00:00Z"}).status == 201
    return caller
