"""Runs that are put off in the middle of an attempt: part of it is done, and the rest waits without a slot."""

from datetime import timedelta
from typing import Any

import pytest

from badgerjobs.runs import dispatch, fleet, lifecycle
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Attempt, Cause, Overlap, Run, Runnable, State
from badgerjobs.runs.outcomes import Done, Failed, Later, Outcome
from badgerjobs.runs.services import replay_run, run_now
from badgerjobs.runs.settle import settle
from badgerjobs.workspaces.audit import OPERATOR
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME, claimed
from tests.runs.staging import Stage, kind, queue, states
from tests.waiting import until

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("is_begun", "attempts", "state", "keeps"),
    [(True, 0, "retrying", True), (True, 1, "retrying", True), (False, 0, "scheduled", False)],
)
def test_it_waits_as_a_retry_does_and_keeps_when_it_began(
    is_begun: bool, attempts: int, state: str, keeps: bool, runnable: Runnable
) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME, started_at=NOW, attempts=attempts)

    lifecycle.postpone([PutOff(claimed(run), NOW + timedelta(hours=2), is_begun)], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.attempts, run.worker) == (state, attempts, None)
    assert run.started_at == (NOW if keeps else None)


def test_the_next_occurrence_supersedes_it() -> None:
    now = fleet.database_now()
    last = now - timedelta(seconds=1)
    runnable = make_runnable(
        make_application(), run_every="PT1H", anchor=last - timedelta(hours=1), next_run_at=last, overlap=Overlap.SKIP
    )
    run = make_run(runnable, State.RUNNING, worker=ME, started_at=NOW, cause=Cause.SCHEDULE)
    lifecycle.postpone([PutOff(claimed(run), now + timedelta(minutes=5), is_begun=True)], worker=ME)

    dispatch.tick()

    run.refresh_from_db()
    assert (run.state, run.error_class) == ("failed", "superseded")
    assert Run.objects.exclude(pk=run.pk).get().state == "queued"


def test_what_was_done_is_the_output_of_a_run_that_failed_too(runnable: Runnable) -> None:
    run = make_run(runnable, State.RUNNING, worker=ME)
    outcome = Failed("keys", "1 of 3 keys failed.", {"n": 3}, retry=False, output={"n": 3})

    lifecycle.finish([settle(claimed(run), outcome, started_at=NOW, ended_at=NOW)], worker=ME)

    run.refresh_from_db()
    assert (run.state, run.output) == ("failed", {"n": 3})


@pytest.mark.django_db(transaction=True)
def test_its_one_attempt_lasts_from_when_it_began(stage: Stage, runnable: Runnable) -> None:
    seen: list[Claimed] = []

    async def perform(run: Claimed, _work: Any, _shared: Any) -> Outcome:
        seen.append(run)
        return Later(3600, is_begun=True) if len(seen) == 1 else Done(began_at=run.started_at)

    stage.kinds["staged"] = kind(perform)
    [run] = queue(runnable)
    with stage.executing():
        until(lambda: states([run]) == {"retrying"})
        Run.objects.update(state=State.QUEUED, started_at=NOW)
        until(lambda: states([run]) == {"succeeded"})

    assert Attempt.objects.get().started_at == NOW
    assert [one.attempt for one in seen] == [1, 1]
    assert seen[0].worker is not None


def test_a_run_by_hand_may_be_given_something_and_its_replay_is_given_the_same(
    runnable: Runnable, rung: list[str]
) -> None:
    run = run_now(runnable=runnable, cause=Cause.WEBHOOK, now=NOW, input={"body": {"id": 1}})
    plain = run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW)
    Run.objects.filter(pk=run.pk).update(state=State.FAILED)
    run.refresh_from_db()

    again = replay_run(run=run, by=OPERATOR, now=NOW)

    assert (run.input, run.cause, plain.input, again.input) == ({"body": {"id": 1}}, "webhook", None, run.input)
