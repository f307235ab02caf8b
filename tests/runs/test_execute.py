"""Runs that are performed: many at once, none in another's way, whatever they do."""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from badgerjobs.runs import execute, lifecycle
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import Attempt, LogLine, Run, Runnable, State
from badgerjobs.runs.outcomes import Continue, Done, Failed, Outcome
from badgerjobs.runs.turns import Most
from badgerjobs.workspaces.models import Application
from tests.factories import NOW, make_application, make_runnable
from tests.runs.staging import Gate, Stage, kind, load_all, queue, states
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_queued_is_performed_and_recorded(stage: Stage, runnable: Runnable) -> None:
    seen: list[tuple[int, int, str]] = []

    async def perform(run: Claimed, work: int, shared: str) -> Outcome:
        seen.append((run.number, work, shared))
        return Done({"status": 200}, output=run.number)

    stage.kinds["staged"] = kind(perform)
    runs = queue(runnable, 30)
    with stage.executing():
        until(lambda: states(runs) == {"succeeded"})

    assert sorted(seen) == [(n, n, "shared") for n in range(1, 31)]
    assert Attempt.objects.filter(ok=True, result={"status": 200}).count() == 30
    assert all(run.output == run.number for run in Run.objects.all())
    assert not LogLine.objects.exists()


def test_hundreds_run_at_once_and_never_more_than_there_are_slots(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    runs = queue(runnable, 500)
    with stage.executing(slots=200):
        until(lambda: gate.inside == 200)
        gate.open()
        until(lambda: states(runs) == {"succeeded"})

    assert gate.most == 200
    assert Attempt.objects.count() == 500


def test_the_last_free_slot_is_used_while_slow_runs_hold_all_others(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds |= {"staged": kind(), "slow": kind(gate.perform)}
    queue(runnable, 31, kind="slow", priority=0)
    fast = queue(runnable, 20)
    with stage.executing(slots=32):
        until(lambda: states(fast) == {"succeeded"})
        assert gate.inside == 31
        gate.open()


def test_an_application_whose_endpoints_hang_leaves_slots_to_the_others(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds |= {"staged": kind(), "hanging": kind(gate.perform)}
    hanging = queue(runnable, 30, kind="hanging", priority=0)
    with stage.executing(slots=20, most=10) as executor:
        until(lambda: gate.inside == 10)
        others = queue(make_runnable(make_application("others")), 40)
        executor.wake()
        until(lambda: states(others) == {"succeeded"})
        assert gate.most == 10
        gate.open()
        until(lambda: states(hanging) == {"succeeded"})


def test_several_applications_of_a_workspace_leave_slots_for_others(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds |= {"staged": kind(), "hanging": kind(gate.perform)}
    workspace = runnable.application.workspace
    owners = [make_runnable(Application.objects.create(workspace=workspace, name=name)) for name in ("a", "b", "c")]
    hanging = [run for owner in owners for run in queue(owner, 30, kind="hanging", priority=0)]
    with stage.executing(slots=20, most=10) as executor:
        until(lambda: gate.inside == 15)
        others = queue(make_runnable(make_application("others")), 40)
        executor.wake()
        until(lambda: states(others) == {"succeeded"})
        assert gate.most == 15
        gate.open()
        until(lambda: states(hanging) == {"succeeded"})


@pytest.mark.parametrize(
    ("places", "most"),
    [(0, (0, 0)), (1, (1, 1)), (2, (1, 1)), (3, (2, 1)), (4, (3, 2)), (400, (300, 200))],
)
def test_of_all_places_an_application_has_half_and_its_workspace_three_quarters(
    places: int, most: tuple[int, int]
) -> None:
    assert Most.of(places) == Most(*most)


def test_what_an_application_has_over_its_share_is_taken_as_its_runs_end(
    stage: Stage, runnable: Runnable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "POLL_S", 60)
    runs = queue(runnable, 100)
    with stage.executing(slots=8, most=2):
        until(lambda: states(runs) == {"succeeded"})


def test_a_slow_run_does_not_hold_back_the_fast(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds |= {"staged": kind(), "slow": kind(gate.perform)}
    slow, fast = queue(runnable, 1, kind="slow", priority=0), queue(runnable, 100)
    with stage.executing(slots=20):
        until(lambda: states(fast) == {"succeeded"})
        assert states(slow) == {"running"}
        gate.open()
        until(lambda: states(slow) == {"succeeded"})


def test_one_more_application_is_served_while_another_fills_the_queue(stage: Stage, runnable: Runnable) -> None:
    order: list[int] = []

    async def perform(run: Claimed, work: Any, shared: Any) -> Outcome:
        order.append(run.application_id)
        return Done()

    stage.kinds["staged"] = kind(perform)
    other = make_runnable(make_application("Charlie's"))
    runs = [*queue(runnable, 200), *queue(other, 3)]
    with stage.executing(slots=10):
        until(lambda: states(runs) == {"succeeded"})

    assert order[:10].count(other.application_id) == 3


def test_a_bug_fails_the_attempt_and_is_logged_but_not_told(
    stage: Stage, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    async def perform(run: Claimed, work: int, shared: Any) -> Outcome:
        if work == 1:
            raise ZeroDivisionError("secret detail")
        return Done()

    stage.kinds["staged"] = kind(perform)
    bad, *good = queue(runnable, 5)
    with stage.executing():
        until(lambda: states([bad]) == {"retrying"} and states(good) == {"succeeded"})

    attempt = bad.tries.get()
    assert (attempt.ok, attempt.error_class) == (False, "internal")
    assert "secret detail" not in attempt.error + bad.log.get().message
    assert "secret detail" in caplog.text


def test_a_run_that_cancels_itself_has_failed_and_keeps_no_slot(
    stage: Stage, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    async def perform(run: Claimed, work: int, shared: Any) -> Outcome:
        if work < 4:
            raise asyncio.CancelledError
        return Done()

    stage.kinds["staged"] = kind(perform)
    *bad, good = queue(runnable, 4)
    with stage.executing(slots=1):
        until(lambda: states(bad) == {"retrying"} and states([good]) == {"succeeded"})

    assert set(Attempt.objects.filter(ok=False).values_list("error_class", flat=True)) == {"internal"}


def test_an_attempt_that_failed_waits_for_the_next(stage: Stage, runnable: Runnable) -> None:
    async def perform(run: Claimed, work: Any, shared: Any) -> Outcome:
        return Failed("status", "The endpoint answered 503.")

    stage.kinds["staged"] = kind(perform)
    (run,) = queue(runnable)
    with stage.executing():
        until(lambda: states([run]) == {"retrying"})
        Run.objects.update(state=State.QUEUED, attempts=3)
        until(lambda: states([run]) == {"failed"})

    assert list(run.tries.values_list("number", "error_class")) == [(1, "status"), (4, "status")]


def test_an_aborted_run_is_cut_off_leaves_no_attempt_and_frees_its_slot(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds |= {"staged": kind(gate.perform), "quick": kind()}
    (run,) = queue(runnable)
    with stage.executing(slots=1):
        until(lambda: gate.inside == 1)
        lifecycle.abort([run.pk], now=NOW, reason="Aborted on request.")
        until(lambda: gate.cancelled == 1)
        quick = queue(runnable, kind="quick")
        until(lambda: states(quick) == {"succeeded"})

    assert states([run]) == {"aborted"}
    assert not run.tries.exists()


def test_a_run_that_was_taken_back_and_comes_again_is_finished_once(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    (run,) = queue(runnable)
    with stage.executing(slots=8):
        until(lambda: gate.inside == 1)
        Run.objects.update(state=State.QUEUED, worker=None)
        until(lambda: states([run]) == {"running"} and gate.inside == 1)
        gate.open()
        until(lambda: states([run]) == {"succeeded"})

    assert run.tries.count() == 1


def test_what_was_deleted_after_it_was_queued_is_aborted(stage: Stage, runnable: Runnable) -> None:
    def load(runs: Sequence[Claimed]) -> dict[UUID, Any]:
        return {run.id: None for run in runs if run.number != 1}

    stage.kinds["staged"] = kind(load=load)
    gone, there = queue(runnable, 2)
    with stage.executing():
        until(lambda: states([there]) == {"succeeded"})

    assert states([gone]) == {"aborted"}
    assert gone.log.get().message == "What it belonged to was deleted."


@pytest.mark.parametrize("broken", ["unknown kind", "load", "open"])
def test_a_kind_that_is_broken_fails_its_own_runs_only(
    broken: str, stage: Stage, runnable: Runnable, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    match broken:
        case "load":
            stage.kinds["broken"] = kind(load=fail)
        case "open":
            stage.kinds["broken"] = kind(open=fail)
    bad, good = queue(runnable, 3, kind="broken"), queue(runnable, 3)
    with stage.executing():
        until(lambda: states(bad) == {"retrying"} and states(good) == {"succeeded"})

    assert set(Attempt.objects.filter(ok=False).values_list("error_class", flat=True)) == {"internal"}
    assert "cannot be" in caplog.text


def test_what_runs_of_a_kind_share_is_opened_once_and_closed_at_the_end(stage: Stage, runnable: Runnable) -> None:
    story: list[str] = []

    @asynccontextmanager
    async def opened() -> Any:
        story.append("opened")
        yield
        story.append("closed")

    stage.kinds["staged"] = kind(open=opened, load=load_all)
    first = queue(runnable, 3)
    with stage.executing():
        until(lambda: states(first) == {"succeeded"})
        second = queue(runnable, 3)
        until(lambda: states(second) == {"succeeded"})
        assert story == ["opened"]

    assert story == ["opened", "closed"]


def test_a_full_worker_lets_another_hear_that_there_is_more(stage: Stage, runnable: Runnable) -> None:
    gate = Gate()
    stage.kinds["staged"] = kind(gate.perform)
    queue(runnable, 12)
    with stage.executing(slots=8):
        until(lambda: stage.rings == 1 and gate.inside == 8)
        gate.open()


def test_work_is_found_although_no_bell_is_heard(stage: Stage, runnable: Runnable) -> None:
    with stage.executing():
        runs = queue(runnable, 3)
        until(lambda: states(runs) == {"succeeded"})


def test_a_perform_that_answers_no_outcome_has_failed_and_gives_its_slot_back(stage: Stage, runnable: Runnable) -> None:
    async def forgetful(*_: Any) -> Any:
        return None

    stage.kinds |= {"staged": kind(), "forgetful": kind(forgetful)}
    [bad] = queue(runnable, kind="forgetful", priority=0)
    good = queue(runnable, 3)
    with stage.executing(slots=1):
        until(lambda: states(good) == {"succeeded"})
        until(lambda: states([bad]) == {"retrying"})

    assert bad.tries.get().error_class == "internal"


def test_a_run_goes_on_from_iteration_to_iteration_until_it_is_done(stage: Stage, runnable: Runnable) -> None:
    async def count(run: Claimed, *_: Any) -> Outcome:
        step = run.input["step"] + 1
        return Done(output=step) if step == 5 else Continue(input={"step": step}, output=step)

    stage.kinds["staged"] = kind(count)
    [run] = queue(runnable, input={"step": 0})
    with stage.executing():
        until(lambda: states([run]) == {State.SUCCEEDED})
    run.refresh_from_db()
    assert (run.iteration, run.attempts, run.output) == (5, 5, 5)
