"""Runs of several iterations: each goes on where the one before it ended, whatever happens to workers meanwhile."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import following, kinds, lifecycle
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.following import Ended, Following
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Attempt, Cause, LogLine, Queue, Run, State
from badgerjobs.runs.outcomes import Aborted, Continue, Done, Failed, Outcome, Said
from badgerjobs.runs.record import finish_all
from badgerjobs.runs.settle import settle
from badgerjobs.workspaces.models import Application
from tests.factories import NOW
from tests.runs.claims import ANOTHER, ME

pytestmark = pytest.mark.django_db

END = NOW + timedelta(seconds=2)


def make(shop: Application, **fields: Any) -> Run:
    given: dict[str, Any] = {"state": State.QUEUED, "due_at": NOW, "created_at": NOW, "input": {"step": 0}}
    given |= {"id": uuid7(), "kind": "code", "queue": Queue.COMPUTE, "cause": Cause.CODE}
    return Run.objects.create(application=shop, **(given | fields))


def take(worker: Any = ME, now: Any = NOW) -> Claimed:
    [claimed] = lifecycle.claim(queue="compute", worker=worker, limit=5, now=now)
    return claimed


def end(run: Claimed, outcome: Outcome, worker: Any = ME) -> bool:
    """Write down how an attempt ended. Returns whether the run may be taken again at once."""
    assert outcome is not None
    return finish_all([settle(run, outcome, started_at=NOW, ended_at=END)], worker=worker).goes_on  # type: ignore[arg-type]


def test_an_iteration_goes_on_at_once_with_its_input(shop: Application) -> None:
    run = make(shop)
    assert end(take(), Continue(input={"step": 1}, output={"sum": 7}))
    run.refresh_from_db()
    assert (run.state, run.iteration, run.attempts, run.attempts_before) == (State.QUEUED, 2, 1, 1)
    assert (run.input, run.output, run.worker, run.finished_at) == ({"step": 1}, {"sum": 7}, None, None)
    again = take(now=END)
    assert (again.iteration, again.attempt, again.tried, again.input) == (2, 2, 1, {"step": 1})
    assert Attempt.objects.get().ok


def test_an_iteration_that_waits_has_its_time(shop: Application) -> None:
    run = make(shop)
    assert not end(take(), Continue(wait_s=60, input={}))
    run.refresh_from_db()
    assert (run.state, run.due_at) == (State.SCHEDULED, END + timedelta(seconds=60))
    assert not lifecycle.claim(queue="compute", worker=ME, limit=5, now=END)


def test_an_attempt_that_is_repeated_leaves_what_the_iterations_before_it_left(shop: Application) -> None:
    run = make(shop)
    end(take(), Continue(input={"step": 1}, output={"sum": 7}))
    end(take(now=END), Failed("code", "No.", output={"error": {"message": "No."}}, input={"step": 9}))
    run.refresh_from_db()
    assert (run.state, run.output, run.input) == (State.RETRYING, {"sum": 7}, {"step": 1})


def test_retries_count_the_attempts_of_their_iteration(shop: Application) -> None:
    run = make(shop)
    for _ in range(5):
        end(take(now=END), Continue(input={}))
    for expected in (State.RETRYING, State.RETRYING, State.RETRYING, State.FAILED):
        Run.objects.filter(state=State.RETRYING).update(state=State.QUEUED)
        end(take(now=END), Failed("code", "No.", output={"error": 1}))
        run.refresh_from_db()
        assert run.state == expected
    assert (run.attempts, run.output) == (9, {"error": 1})


def test_as_many_workers_may_die_in_an_iteration_as_in_the_one_before(shop: Application) -> None:
    run = make(shop, rescues=lifecycle.RESCUES)
    end(take(), Continue(input={}))
    run.refresh_from_db()
    assert run.rescues == 0


@pytest.mark.parametrize(
    "outcome", [Continue(input={"step": 1}), Done(output=1), Aborted("Enough.")], ids=["continue", "done", "aborted"]
)
def test_an_abort_in_the_middle_of_an_iteration_wins(shop: Application, outcome: Outcome) -> None:
    run = make(shop)
    claimed = take()
    lifecycle.abort([run.pk], now=NOW, reason="Stop.")
    end(claimed, outcome)
    run.refresh_from_db()
    assert (run.state, run.error, run.input, run.iteration) == (State.ABORTED, "Stop.", {"step": 0}, 1)
    assert not Attempt.objects.exists()


def test_an_iteration_that_somebody_else_has_now_is_not_ended_by_who_had_it(shop: Application) -> None:
    run = make(shop)
    old = take()
    lifecycle.release([run.pk], worker=ME, now=NOW)
    new = take(ANOTHER)
    end(old, Continue(input={"step": 1}))
    end(new, Continue(input={"step": 2}), worker=ANOTHER)
    end(new, Continue(input={"step": 3}), worker=ANOTHER)
    run.refresh_from_db()
    assert (run.iteration, run.input) == (2, {"step": 2})


def test_what_gives_itself_up_is_aborted(shop: Application) -> None:
    run = make(shop)
    end(take(), Aborted("Enough.", output={"sum": 7}))
    run.refresh_from_db()
    assert (run.state, run.error, run.output, run.finished_at) == (State.ABORTED, "Enough.", {"sum": 7}, END)


@pytest.mark.parametrize(
    "outcome",
    [
        Done(input={"step": 9}),
        Aborted("Enough.", input={"step": 9}),
        Failed("code", "No.", retry=False, input={"step": 9}),
    ],
    ids=["done", "aborted", "failed"],
)
def test_what_the_last_attempt_made_of_its_input_is_kept(shop: Application, outcome: Outcome) -> None:
    run = make(shop)
    end(take(), outcome)
    run.refresh_from_db()
    assert run.input == {"step": 9}


def test_what_an_attempt_says_is_logged_with_its_iteration(shop: Application) -> None:
    make(shop)
    end(take(), Continue(input={}, said=Said("Task continuing.", {"step": 1})))
    end(take(now=END), Failed("code", "No.", retry=False, data={"code": "X"}))
    lines = LogLine.objects.values_list("iteration", "attempt", "level", "message", "data")
    assert list(lines) == [
        (1, 1, "info", "Task continuing.", {"step": 1}),
        (2, 2, "error", "No.", {"code": "X"}),
    ]


def test_one_that_is_put_off_between_iterations_keeps_when_it_began(shop: Application) -> None:
    run = make(shop)
    end(take(), Continue(input={}))
    lifecycle.postpone([PutOff(take(now=END), END + timedelta(seconds=30))], worker=ME)
    run.refresh_from_db()
    assert (run.state, run.started_at) == (State.SCHEDULED, NOW)


def test_what_follows_is_done_once_for_a_batch_that_is_over(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Ended]] = []
    monkeypatch.setitem(kinds.FOLLOWED, "code", "anywhere")
    monkeypatch.setattr(following, "following_of", lambda _: Following(lambda ended: seen.append([*ended])))
    runs = [make(shop) for _ in range(3)]
    lifecycle.abort([run.pk for run in runs[:2]], now=NOW, reason="Stop.")
    lifecycle.abort([run.pk for run in runs[:2]], now=NOW, reason="Stop.")
    claimed = take()
    end(claimed, Continue(input={}))
    end(take(now=END), Done())
    assert [{(one.run_id, one.state) for one in batch} for batch in seen] == [
        {(runs[0].pk, State.ABORTED), (runs[1].pk, State.ABORTED)},
        {(runs[2].pk, State.SUCCEEDED)},
    ]


def test_what_waits_may_go_sooner(shop: Application) -> None:
    waiting = make(shop, state=State.SCHEDULED, due_at=END)
    over = make(shop, state=State.SUCCEEDED, due_at=END)
    lifecycle.hasten([waiting.pk, over.pk], now=NOW)
    assert set(Run.objects.values_list("state", "due_at")) == {(State.SCHEDULED, NOW), (State.SUCCEEDED, END)}
