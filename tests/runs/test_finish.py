"""Writing down how attempts ended."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import lifecycle
from badgerjobs.runs.changes import Finished
from badgerjobs.runs.models import Attempt, LogLine, Run, Runnable, State
from tests.factories import NOW, make_run
from tests.runs.claims import ANOTHER, ME, claimed, ended

pytestmark = pytest.mark.django_db


def test_a_success_writes_the_run_and_the_attempt_and_nothing_else(
    runnable: Runnable, django_assert_num_queries: Any
) -> None:
    runs = [make_run(runnable, State.RUNNING, worker=ME, number=n) for n in (1, 2, 3)]

    with django_assert_num_queries(1):
        moved = lifecycle.finish([ended(run, result={"status": 200}, output=[1]) for run in runs], worker=ME)

    assert moved == {run.pk for run in runs}
    assert list(Run.objects.values_list("state", "attempts", "output").distinct()) == [("succeeded", 1, [1])]
    attempt = Attempt.objects.get(run=runs[1])
    assert attempt.ok
    assert (attempt.number, attempt.run_number, attempt.duration_ms) == (1, 2, 250)
    assert (attempt.application_id, attempt.runnable_id) == (runnable.application_id, runnable.pk)
    assert (attempt.started_at, attempt.created_at) == (NOW, NOW + timedelta(milliseconds=250))
    assert attempt.result == {"status": 200}
    assert not LogLine.objects.exists()


def test_a_failure_that_is_tried_again_waits_and_says_until_when(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, attempts=1)
    again = ended(run, State.RETRYING, error_class="status", error="The endpoint answered 503.", result={"status": 503})

    lifecycle.finish([again], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.due_at, run.finished_at) == ("retrying", 2, again.due_at, None)
    assert run.error_class == "status"
    attempt = run.tries.get()
    assert (attempt.number, attempt.ok, attempt.error_class, attempt.result) == (2, False, "status", {"status": 503})
    line = run.log.get()
    assert (line.level, line.attempt, line.message) == ("warning", 2, "The endpoint answered 503.")
    assert line.data == {"next_attempt_at": again.due_at.isoformat()}


def test_a_failure_for_good_ends_the_run_with_its_error(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, attempts=3)

    lifecycle.finish([ended(run, State.FAILED, error_class="dns", error="No such host.")], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.error, run.error_class) == ("failed", 4, "No such host.", "dns")
    assert run.finished_at == NOW + timedelta(milliseconds=250)
    line = run.log.get()
    assert (line.level, line.data) == ("error", None)


def test_a_run_that_is_good_in_the_end_has_no_class_of_error_any_more(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, attempts=1, error="No such host.", error_class="dns")

    lifecycle.finish([ended(run)], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.error, run.error_class) == ("succeeded", "", "")


@pytest.mark.parametrize("meanwhile", ["aborted", "rescued", "taken by another"])
def test_a_result_that_comes_too_late_leaves_no_trace(meanwhile: str, runnable: Runnable) -> None:
    run, other = (make_run(runnable, State.RUNNING, worker=ME) for _ in range(2))
    late = [ended(run, State.FAILED, error="Late."), ended(other)]
    match meanwhile:
        case "aborted":
            lifecycle.abort([run.pk], now=NOW, reason="Enough.")
        case "rescued":
            Run.objects.filter(pk=run.pk).update(state=State.QUEUED, worker=None)
        case "taken by another":
            Run.objects.filter(pk=run.pk).update(worker=ANOTHER)
    before = Run.objects.values().get(pk=run.pk)

    assert lifecycle.finish(late, worker=ME) == {other.pk}

    assert Run.objects.values().get(pk=run.pk) == before
    assert not run.tries.exists()
    assert not run.log.filter(message="Late.").exists()


def test_two_results_of_one_attempt_are_one_attempt(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)

    assert lifecycle.finish([ended(run), ended(run)], worker=ME) == {run.pk}
    assert lifecycle.finish([ended(run)], worker=ME) == set()

    run.refresh_from_db()
    assert (run.state, run.attempts) == ("succeeded", 1)
    assert run.tries.count() == 1


def test_a_result_that_is_recorded_already_is_not_recorded_for_the_next_attempt(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)
    first = ended(run, State.RETRYING)
    lifecycle.finish([first], worker=ME)
    Run.objects.update(state=State.RUNNING, worker=ME)  # its wait was over, and it came to the same worker

    assert lifecycle.finish([first], worker=ME) == set()

    run.refresh_from_db()
    assert (run.state, run.attempts, run.tries.count()) == ("running", 1, 1)


def test_a_clock_that_was_set_back_makes_no_negative_duration() -> None:
    backwards = Finished(claimed(), State.SUCCEEDED, NOW, NOW, NOW - timedelta(seconds=1), ok=True)

    assert backwards.duration_ms == 0
