"""What goes with what is deleted: at once, and later."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from badgerjobs.runs import beside, consequences, lifecycle, remains, retention, services
from badgerjobs.runs.models import FINAL, Attempt, Gone, Incident, LogLine, Run, Runnable, State
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.workspaces.models import Application, Token
from jobs.models import Job
from tests.callers import Caller, caller_for
from tests.factories import NOW, make_application, make_attempt, make_job, make_run, make_runnable, make_token
from tests.runs.claims import ME, ended
from tests.runs.together import together
from tests.waiting import until

pytestmark = pytest.mark.django_db

Delete = Callable[[Runnable], None]


def delete_runnable(runnable: Runnable) -> None:
    services.delete_runnables([runnable.pk])


def delete_application(runnable: Runnable) -> None:
    services.delete_application(application=runnable.application)


EITHER = pytest.mark.parametrize("delete", [delete_runnable, delete_application])


def with_story(runnable: Runnable, state: State = State.SUCCEEDED) -> Run:
    """A run with an attempt and a line of log."""
    run = make_run(runnable, state)
    make_attempt(run)
    LogLine.objects.create(run=run, application_id=run.application_id, level="info", message="m", created_at=NOW)
    return run


def counts() -> list[int]:
    return [model.objects.count() for model in (Run, Attempt, LogLine)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than two finished runs go at once, and three in a batch."""
    monkeypatch.setattr(remains, "AT_ONCE", 2)
    monkeypatch.setattr(remains, "BATCH", 3)


@EITHER
def test_deleting_removes_runs_results_and_log_of_these_and_of_nobody_else(delete: Delete, runnable: Runnable) -> None:
    other = make_runnable(make_application("Charlie's"))
    for owner in (runnable, other):
        make_run(owner)
        run = make_run(owner, State.RUNNING, worker=ME)
        lifecycle.finish([ended(run, State.FAILED, error="No.")], worker=ME)

    delete(runnable)

    assert [row.pk for row in Runnable.objects.all()] == [other.pk]
    assert set(Run.objects.values_list("runnable_id", flat=True)) == {other.pk}
    assert Attempt.objects.get().runnable_id == other.pk
    assert LogLine.objects.get().application_id == other.application_id


def test_a_run_that_is_told_of_while_its_owner_is_deleted_has_none(runnable: Runnable) -> None:
    """Somebody runs a job while somebody else deletes it: the run was read, and what it belonged to is gone."""
    run = make_run(runnable, State.QUEUED)
    read, looked = Run.objects.get(pk=run.pk), Run.objects.select_related("runnable")
    delete_runnable(runnable)

    assert RunSerializer(read).data["name"] is None
    assert services.name_of(read) == str(run.pk)
    read.save(force_insert=True)
    assert looked.get(pk=run.pk).runnable is None


@EITHER
def test_the_result_of_what_was_deleted_is_written_nowhere(delete: Delete, runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)
    delete(runnable)

    assert lifecycle.finish([ended(run)], worker=ME) == set()
    assert not Attempt.objects.exists()


@EITHER
def test_what_is_not_over_goes_at_once_and_of_history_a_bounded_part(
    delete: Delete, runnable: Runnable, few: None
) -> None:
    other = with_story(make_runnable(make_application("Charlie's")))
    over = [with_story(runnable) for _ in range(9)]
    for state in State:
        if state not in FINAL:
            for _ in range(4):
                with_story(runnable, state)

    delete(runnable)

    assert set(Run.objects.all()) == {other, *over[:7]}  # the newest, with which lists begin, go first
    assert counts() == [8, 8, 8]


@EITHER
def test_what_is_left_is_pruned_in_batches_and_then_forgotten(delete: Delete, runnable: Runnable, few: None) -> None:
    other = with_story(make_runnable(make_application("Charlie's")))
    for _ in range(12):
        with_story(runnable)
    delete(runnable)
    assert Gone.objects.count() == 1

    assert retention.prune(now=NOW) == 10

    assert list(Run.objects.all()) == [other]
    assert counts() == [1, 1, 1]
    assert not Gone.objects.exists()


def test_pruning_what_is_left_ends_when_its_time_is_over_and_goes_on_the_next_time(
    runnable: Runnable, few: None
) -> None:
    for _ in range(12):
        with_story(runnable)
    delete_runnable(runnable)

    assert retention.prune(now=NOW, seconds=0) == 0
    assert Gone.objects.count() == 1
    assert retention.prune(now=NOW) == 10


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_left_for_the_next_time(runnable: Runnable, few: None) -> None:
    for _ in range(6):
        with_story(runnable)
    delete_runnable(runnable)
    with transaction.atomic():
        held = Run.objects.select_for_update().latest("id")
        [pruned] = together(lambda: retention.prune(now=NOW))

    assert (pruned, list(Run.objects.all()), Gone.objects.count()) == (3, [held], 1)
    assert retention.prune(now=NOW) == 1
    assert not Gone.objects.exists()


def test_no_list_shows_what_is_left_of_a_deleted_job(alice: Caller, few: None) -> None:
    job = make_job(alice.application, "t")
    kept = with_story(make_job(alice.application, "u").runnable)
    by_code = make_run(job.runnable, State.SUCCEEDED)
    Run.objects.filter(pk=by_code.pk).update(runnable=None)
    runs = [with_story(job.runnable) for _ in range(5)]

    assert alice.delete("/jobs/t/").status == 204

    assert Run.objects.filter(runnable_id=job.runnable_id).count() == 3
    assert [row["id"] for row in alice.get("/runs/").body["results"]] == [str(by_code.pk), str(kept.pk)]
    assert [row["job"] for row in alice.get("/results/").body["results"]] == ["u"]
    assert alice.get(f"/runs/{runs[0].pk}/").status == 404
    assert alice.get(f"/runs/{by_code.pk}/").status == 200
    assert alice.post(f"/runs/{runs[0].pk}/abort/").status == 404
    make_job(alice.application, "t")
    assert alice.get("/jobs/t/").body["success_count"] == 0
    assert alice.get("/jobs/t/results/").body["results"] == []


def test_an_application_takes_its_jobs_and_tokens_with_it_and_leaves_others_alone() -> None:
    mine, theirs = make_application(), make_application("Charlie's")
    for application in (mine, theirs):
        make_token(application)
        for tag in "ab":
            with_story(make_job(application, tag).runnable)
    caller = caller_for(mine)

    services.delete_application(application=mine)

    assert caller.get("/jobs/").status == 401
    assert list(Application.objects.all()) == [theirs]
    for model in (Job, Runnable, Run, Attempt, LogLine, Token):
        assert set(model.objects.values_list("application_id", flat=True)) == {theirs.pk}


def test_deleting_an_application_costs_as_many_queries_however_many_runs_it_has(
    runnable: Runnable, django_assert_max_num_queries: Any
) -> None:
    for _ in range(300):
        with_story(runnable)
    with django_assert_max_num_queries(40):
        delete_application(runnable)


def test_an_application_is_deleted_once(runnable: Runnable) -> None:
    delete_application(runnable)
    with pytest.raises(Application.DoesNotExist):
        delete_application(runnable)
    assert Gone.objects.count() == 1


@pytest.mark.parametrize("owner", ["runnable_id", "application_id"])
def test_a_batch_finds_the_newest_by_the_index_of_their_owner(owner: beside.Owner, runnable: Runnable) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off")
        given: dict[str, Any] = {"id": 1, "before": remains.LAST, "limit": 10}
        cursor.execute(f"EXPLAIN {remains._BATCH.format(owner=owner)}", given)
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert f"Backward using run_of_{owner.removesuffix('_id')}" in plan
    assert "Sort" not in plan  # not even when it is the last resort


@pytest.mark.django_db(transaction=True)
@EITHER
def test_results_that_are_recorded_meanwhile_do_not_stay_behind(delete: Delete, runnable: Runnable) -> None:
    for _ in range(10):
        run = make_run(runnable, State.RUNNING, worker=ME)
        again = make_run(runnable, State.RUNNING, worker=ME)
        results = [ended(run), ended(again, State.RETRYING, error="No.")]

        def record() -> None:
            with transaction.atomic():
                lifecycle.finish(results, worker=ME)  # noqa: B023

        together(record, lambda: delete(runnable))  # noqa: B023
        retention.prune(now=NOW)

        assert counts() == [0, 0, 0]
        runnable = make_runnable(make_application())


def somebody_waits_for_us() -> bool:
    """Whether another connection wants what this transaction has locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return bool(cursor.rowcount > 0)


def meanwhile(application: Application, first: Callable[[], Any], then: Callable[[], Any]) -> None:
    """Do `first`, begin to delete the application, and once that waits do `then`, in the transaction of `first`."""
    has_begun = threading.Event()

    def work() -> None:
        with transaction.atomic():
            first()
            has_begun.set()
            until(somebody_waits_for_us)
            then()

    def delete() -> None:
        assert has_begun.wait(10)
        services.delete_application(application=application)

    together(work, delete)


@pytest.mark.django_db(transaction=True)
def test_a_failure_that_is_recorded_while_its_application_is_deleted_waits_for_nobody_who_waits_for_it() -> None:
    runnable = make_job(make_application()).runnable
    failed = ended(make_run(runnable, State.RUNNING, worker=ME), State.FAILED, error="No.")
    endings = consequences.of_finished([failed])
    held: dict[int, Any] = {}

    def record() -> None:
        lifecycle.finish([failed], worker=ME)
        consequences.follow(held, endings)

    meanwhile(runnable.application, lambda: held.update(consequences.hold(endings)), record)

    assert not Application.objects.exists()
    assert not Incident.objects.exists()
    assert counts() == [0, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_changed_while_its_application_is_deleted_waits_for_nobody_who_waits_for_it() -> None:
    job = make_job(make_application())
    meanwhile(
        job.application,
        lambda: Job.objects.select_for_update().get(pk=job.pk),
        lambda: Runnable.objects.select_for_update().get(pk=job.runnable_id),
    )
    assert not Job.objects.exists()
