"""What lists say of the last runs of many."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import recent
from badgerjobs.runs.models import FINAL, Runnable, State
from tests.factories import NOW, make_application, make_attempt, make_run, make_runnable

SECOND = timedelta(seconds=1)


def test_the_last_runs_come_oldest_first_and_no_more_than_asked(runnable: Runnable) -> None:
    for number in range(5):
        make_run(runnable, State.SUCCEEDED, started_at=NOW, finished_at=NOW + number * SECOND)
    make_run(runnable, State.RUNNING, started_at=NOW)
    make_run(make_runnable(make_application("Charlie's")), State.FAILED)

    assert list(recent.last_runs([runnable.pk])) == [runnable.pk]
    bars = recent.last_runs([runnable.pk], most=3)[runnable.pk]
    assert [(bar.state, bar.duration_ms) for bar in bars] == [
        ("succeeded", 3000), ("succeeded", 4000), ("running", None),
    ]  # fmt: skip


@pytest.mark.parametrize("state", FINAL)
def test_the_last_that_ended_is_told_with_its_last_attempt(state: State, runnable: Runnable) -> None:
    make_run(runnable, State.FAILED, number=1)
    run = make_run(runnable, state, number=2, attempts=2, error="No.", finished_at=NOW)
    make_attempt(run, 1, ok=False, error_class="connect")
    make_attempt(run, 2, duration_ms=41, error_class="status", result={"status": 503, "body": "b"})
    make_run(runnable, State.RUNNING, number=3)

    ended = recent.last_ended([runnable.pk])[runnable.pk]

    assert (ended.number, ended.state, ended.attempts, ended.error) == (2, state, 2, "No.")
    assert (ended.duration_ms, ended.error_class, ended.status, ended.ended_at) == (41, "status", 503, NOW)


def test_a_run_without_an_answer_has_no_status(runnable: Runnable) -> None:
    make_attempt(make_run(runnable, State.FAILED, attempts=1), ok=False, error_class="dns", result=None)
    assert recent.last_ended([runnable.pk])[runnable.pk].status is None


def test_what_never_ended_is_absent(runnable: Runnable) -> None:
    make_run(runnable, State.QUEUED)
    assert recent.last_ended([runnable.pk]) == {}


def test_it_is_one_query_however_many_there_are(runnable: Runnable) -> None:
    ids = [runnable.pk, *(make_runnable(runnable.application).pk for _ in range(5))]
    for reading in (recent.last_runs, recent.last_ended):
        with CaptureQueriesContext(connection) as queries:
            reading(ids)
        assert len(queries) == 1


def test_runs_are_counted_by_state_as_far_as_anybody_waits_for(runnable: Runnable) -> None:
    for number, state in enumerate([State.FAILED, State.SUCCEEDED, State.SUCCEEDED]):
        make_run(runnable, state, created_at=NOW + number * SECOND)

    assert recent.counts(runnable.pk) == ({"failed": 1, "succeeded": 2}, NOW)
    assert recent.counts(runnable.pk, most=2) == ({"succeeded": 2}, NOW + SECOND)
