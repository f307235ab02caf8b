"""What a run's process is told, and what it answers."""

from collections.abc import AsyncGenerator, Mapping
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from badgerjobs.runs.models import Run, State
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.rows.pulling import Given
from slurps.models import AsyncJob, Slurper, SlurperSource
from slurps.slurping import process, pulling
from tests.factories import NOW, make_application, make_async_job, make_collection, make_run, make_source
from tests.slurps.storing.loads import seen

pytestmark = pytest.mark.django_db(transaction=True)


class Beside:
    """What stands beside a process: a clock, and who insists on writing, of which nothing is written here."""

    def now(self) -> Any:
        return NOW

    def insist(self, _write: Any, *, until: Event) -> None:
        assert not until.is_set()


class Pulling:
    """Two rows that tell what the source was given."""

    remembered: Any = {"since": 7}
    found: Mapping[str, Any] = {}

    def __init__(self, given: Given) -> None:
        self.given = given

    async def batches(self) -> AsyncGenerator[list[Any], None]:
        yield [{"id": 1, **self.given.values}, {"id": 2, "since": self.given.remembered}]


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> AsyncJob:
    monkeypatch.setattr(pulling, "pull", lambda _source, given, _means: Pulling(given))
    shop = make_application()
    slurper = Slurper.objects.create(application=shop, tag="s", name="s")
    source: DataSource = make_source(shop, "products")
    SlurperSource.objects.create(slurper=slurper, source=source, place=1)
    return make_async_job(shop, slurper=slurper)


def work_of(job: AsyncJob, run: Run, given: Any = None) -> Work:
    return Work(
        run_id=run.pk, application_id=job.application_id, definition=str(job.pk), name=job.name, input=given,
        output=None, iteration=1, attempt=1, timeout_s=60, worker=run.worker, kind="slurp",
    )  # fmt: skip


def performed(job: AsyncJob, given: Any = None) -> Any:
    run = make_run(job.runnable, State.RUNNING, worker=uuid4())
    return process.performed(work_of(job, run, given), Beside(), Event())  # type: ignore[arg-type]


def test_rows_are_pulled_with_the_runs_values_and_what_was_remembered(job: AsyncJob) -> None:
    collection = make_collection(job.application, async_job=job)
    came = performed(job, {"values": {"CATEGORY": "lamps"}})
    assert (came.word, came.output["written"]) == ("done", 2)
    assert seen(collection) == [{"id": 1, "CATEGORY": "lamps"}, {"id": 2, "since": None}]
    performed(job)
    assert seen(collection) == [{"id": 1}, {"id": 2, "since": {"since": 7}}]


def test_of_a_source_that_gives_nothing_to_go_on_from_nothing_is_remembered(
    job: AsyncJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_collection(job.application, async_job=job)
    monkeypatch.setattr(Pulling, "remembered", None)
    performed(job)
    job.refresh_from_db()
    assert job.remembered == {}


@pytest.mark.parametrize("given", [None, [], "x", {}, {"values": None}, {"values": [1]}, {"other": 1}])
def test_what_is_no_input_of_ours_gives_no_values(job: AsyncJob, given: Any) -> None:
    make_collection(job.application, async_job=job)
    assert performed(job, given).word == "done"


def test_a_job_that_was_deleted_meanwhile_aborts_its_run(job: AsyncJob) -> None:
    run = make_run(job.runnable, State.RUNNING, worker=uuid4())
    work = work_of(job, run)
    AsyncJob.objects.all().delete()
    came = process.performed(work, Beside(), Event())  # type: ignore[arg-type]
    assert (came.word, came.message) == ("aborted", "The async job was deleted.")
