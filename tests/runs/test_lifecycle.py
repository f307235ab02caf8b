"""Who may move a run from where to where: everything else is left alone."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from badgerjobs.runs import lifecycle
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.models import FINAL, LogLine, Run, Runnable, State
from tests.factories import NOW, make_run
from tests.runs.claims import ANOTHER, ME, claimed, ended

pytestmark = pytest.mark.django_db

VERBS: dict[str, Callable[[Run], object]] = {
    "claim": lambda _: lifecycle.claim(queue="io", worker=ME, limit=10, now=NOW),
    "succeed": lambda run: lifecycle.finish([ended(run)], worker=ME),
    "fail": lambda run: lifecycle.finish([ended(run, State.FAILED)], worker=ME),
    "retry": lambda run: lifecycle.finish([ended(run, State.RETRYING)], worker=ME),
    "finish as another": lambda run: lifecycle.finish([ended(run)], worker=ANOTHER),
    "queue what waited": lambda _: lifecycle.queue_waiting(NOW, 10),
    "abort": lambda run: lifecycle.abort([run.pk], now=NOW, reason="Enough."),
    "abort what waits": lambda run: lifecycle.abort([run.pk], now=NOW, reason="Enough.", running_too=False),
    "supersede": lambda run: lifecycle.supersede([run.runnable_id or 0], now=NOW),
    "rescue": lambda _: lifecycle.rescue(unseen_since=NOW, now=NOW),
    "release": lambda run: lifecycle.release([run.pk], worker=ME, now=NOW),
    "release as another": lambda run: lifecycle.release([run.pk], worker=ANOTHER, now=NOW),
    "postpone": lambda run: lifecycle.postpone([PutOff(claimed(run), NOW)], worker=ME),
    "postpone as another": lambda run: lifecycle.postpone([PutOff(claimed(run), NOW)], worker=ANOTHER),
    "disown": lambda _: lifecycle.disown([], worker=ME, now=NOW),
    "disown what is held": lambda run: lifecycle.disown([run.pk], worker=ME, now=NOW),
    "disown as another": lambda _: lifecycle.disown([], worker=ANOTHER, now=NOW),
    "lose owner": lambda run: lifecycle.lose_owner([run.pk], worker=ME, now=NOW),
    "lose owner as another": lambda run: lifecycle.lose_owner([run.pk], worker=ANOTHER, now=NOW),
}
MOVES = {
    ("claim", State.QUEUED): State.RUNNING,
    ("succeed", State.RUNNING): State.SUCCEEDED,
    ("fail", State.RUNNING): State.FAILED,
    ("retry", State.RUNNING): State.RETRYING,
    ("queue what waited", State.SCHEDULED): State.QUEUED,
    ("queue what waited", State.RETRYING): State.QUEUED,
    ("abort", State.SCHEDULED): State.ABORTED,
    ("abort", State.QUEUED): State.ABORTED,
    ("abort", State.RUNNING): State.ABORTED,
    ("abort", State.RETRYING): State.ABORTED,
    ("abort what waits", State.SCHEDULED): State.ABORTED,
    ("abort what waits", State.QUEUED): State.ABORTED,
    ("abort what waits", State.RETRYING): State.ABORTED,
    ("supersede", State.RETRYING): State.FAILED,
    ("rescue", State.RUNNING): State.QUEUED,
    ("release", State.RUNNING): State.QUEUED,
    ("postpone", State.RUNNING): State.SCHEDULED,
    ("disown", State.RUNNING): State.QUEUED,
    ("lose owner", State.RUNNING): State.ABORTED,
}


def in_state(runnable: Runnable, state: State) -> Run:
    return make_run(runnable, state, worker=ME if state == State.RUNNING else None)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_moves_only_what_is_where_it_expects_it(verb: str, state: State, runnable: Runnable) -> None:
    run = in_state(runnable, state)
    before = Run.objects.values().get()

    VERBS[verb](run)

    after = Run.objects.values().get()
    if new := MOVES.get((verb, state)):
        assert after["state"] == new
        assert (after["worker"] == ME) is (new == State.RUNNING)
    else:
        assert after == before
        assert not run.tries.exists()
        assert not run.log.exists()


@pytest.mark.parametrize(
    ("verb", "state"), [move for move in MOVES if MOVES[move] in ("succeeded", "failed", "aborted")]
)
def test_what_ends_a_run_says_when(verb: str, state: State, runnable: Runnable) -> None:
    VERBS[verb](run := in_state(runnable, state))

    run.refresh_from_db()
    assert run.state in FINAL
    assert run.finished_at is not None


@pytest.mark.parametrize("verb", ["abort", "supersede", "rescue", "release", "disown", "lose owner"])
def test_what_is_not_the_usual_way_is_explained_in_the_log(verb: str, runnable: Runnable) -> None:
    state = next(state for moved, state in MOVES if moved == verb)
    run = make_run(runnable, state, worker=ME if state == State.RUNNING else None, attempts=1)

    VERBS[verb](run)

    line = LogLine.objects.get()
    assert (line.run_id, line.application_id, line.attempt) == (run.pk, run.application_id, 2)
    assert line.message


def test_a_superseded_retry_says_that_the_next_occurrence_came(runnable: Runnable) -> None:
    run = make_run(runnable, State.RETRYING, error="The endpoint answered 503.", error_class="status")

    assert lifecycle.supersede([runnable.pk], now=NOW) == {run.pk}

    run.refresh_from_db()
    assert run.error == "Superseded. The next occurrence came before the next attempt."
    assert run.error_class == "superseded"
    assert run.log.get().message == run.error


def test_a_run_that_ends_all_its_workers_is_lost(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, rescues=lifecycle.RESCUES)

    lifecycle.rescue(unseen_since=NOW, now=NOW)

    run.refresh_from_db()
    assert (run.state, run.error_class) == ("failed", "lost")


def test_a_wait_that_is_not_over_goes_on(runnable: Runnable) -> None:
    soon, later = (make_run(runnable, State.RETRYING, due_at=NOW + timedelta(seconds=s)) for s in (10, 10.001))

    assert lifecycle.queue_waiting(NOW + timedelta(seconds=10), 10) == ["io"]

    assert Run.objects.get(state=State.QUEUED) == soon
    assert Run.objects.get(state=State.RETRYING) == later


def test_no_more_waits_are_ended_at_once_than_asked_for_and_the_oldest_first(runnable: Runnable) -> None:
    runs = [make_run(runnable, State.RETRYING, due_at=NOW - timedelta(seconds=s)) for s in range(5)]

    assert len(lifecycle.queue_waiting(NOW, 2)) == 2

    assert set(Run.objects.filter(state=State.QUEUED)) == {runs[4], runs[3]}


@pytest.mark.parametrize(
    ("attempts", "state", "started_at"), [(0, State.SCHEDULED, None), (2, State.RETRYING, NOW)], ids=["first", "third"]
)
def test_what_is_put_off_waits_for_the_attempt_it_was_to_have_and_says_nothing_of_it(
    attempts: int, state: State, started_at: datetime | None, runnable: Runnable
) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, attempts=attempts, started_at=NOW)
    later = NOW + timedelta(seconds=7)

    lifecycle.postpone([PutOff(claimed(run), later)], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.due_at, run.started_at) == (state, attempts, later, started_at)
    assert not run.log.exists()


def test_what_was_put_off_already_is_not_put_off_again_when_it_is_back(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)
    first = PutOff(claimed(run), NOW + timedelta(seconds=7))
    lifecycle.postpone([first], worker=ME)
    Run.objects.update(state=State.RUNNING, worker=ME)
    back = Run.objects.get()

    lifecycle.postpone([first], worker=ME)
    assert Run.objects.get().state == State.RUNNING

    Run.objects.update(attempts=1)
    lifecycle.postpone([PutOff(claimed(back), NOW)], worker=ME)
    assert Run.objects.get().state == State.RUNNING
