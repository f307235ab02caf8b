"""What a tick and a worker do when an occurrence comes while a run of the same runnable is not over."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from badgerjobs.runs import dispatch, fleet, holding, lifecycle
from badgerjobs.runs.models import Cause, Overlap, Run, Runnable, State
from badgerjobs.runs.record import finish_all
from badgerjobs.runs.services import replay_run, run_now
from badgerjobs.workspaces.audit import OPERATOR
from tests.factories import NOW, make_application, make_run, make_runnable
from tests.runs.claims import ME, ended
from tests.runs.together import together

pytestmark = pytest.mark.django_db
ONE_AT_A_TIME = [policy for policy in Overlap if policy != Overlap.ALLOW]


def minutely(overlap: Overlap, **fields: Any) -> Runnable:
    """Runs every minute, and is due."""
    moment = fleet.database_now() - timedelta(seconds=1)
    given = {"run_every": "PT1M", "anchor": moment, "next_run_at": moment, "overlap": overlap, **fields}
    return make_runnable(make_application(), **given)


def come(runnable: Runnable) -> datetime:
    """Let the next occurrence come, and be dispatched. Returns which it was."""
    moment = fleet.database_now() - timedelta(milliseconds=1)
    Runnable.objects.filter(pk=runnable.pk).update(next_run_at=moment, anchor=moment)
    dispatch.tick()
    return moment


def seen(runnable: Runnable) -> list[tuple[str, bool, int]]:
    """State, whether it is held, and number of its runs, in order."""
    return list(Run.objects.of(runnable.pk).order_by("id").values_list("state", "held", "number"))


def take() -> list[int]:
    """Claim what may be claimed; the numbers of those runs, which come in no order."""
    return sorted(run.number for run in lifecycle.claim(queue="io", worker=ME, limit=100, now=fleet.database_now()))


def finish(runnable: Runnable, number: int, state: State = State.SUCCEEDED) -> None:
    """Let a worker record how a run ended."""
    finish_all([ended(Run.objects.get(runnable=runnable, number=number), state)], worker=ME)


def test_skip_is_what_happens_unless_told_otherwise_and_is_accounted_for() -> None:
    runnable = minutely(Overlap.SKIP)
    dispatch.tick()
    first = come(runnable)
    last = come(runnable)

    assert seen(runnable) == [("queued", False, 1), ("skipped", False, 0)]
    skipped = Run.objects.get(state="skipped")
    assert (skipped.skip_reason, skipped.skipped_count) == ("overlap", 2)
    assert (skipped.occurrence, skipped.skipped_until) == (first, last)
    runnable.refresh_from_db()
    assert (runnable.runs_made, runnable.scheduled_runs) == (1, 1)


def test_an_occurrence_skipped_after_another_ran_has_a_row_of_its_own() -> None:
    runnable = minutely(Overlap.SKIP)
    dispatch.tick()
    come(runnable)
    take()
    finish(runnable, 1)
    come(runnable)
    come(runnable)

    assert [state for state, *_ in seen(runnable)] == ["succeeded", "skipped", "queued", "skipped"]


def test_what_was_missed_and_what_overlaps_in_one_tick_stand_in_the_order_of_their_times() -> None:
    runnable = minutely(Overlap.SKIP)
    dispatch.tick()
    overlapping = come(runnable)
    first = fleet.database_now() - timedelta(minutes=3, milliseconds=1)
    Runnable.objects.update(next_run_at=first, anchor=first)
    dispatch.tick()

    rows = Run.objects.filter(state="skipped").order_by("id").values_list("skip_reason", "occurrence", "skipped_count")
    assert list(rows) == [
        ("overlap", overlapping, 1), ("missed", first, 3), ("overlap", first + timedelta(minutes=3), 1)
    ]  # fmt: skip


def test_a_beat_with_a_wrong_clock_lengthens_no_row_over_a_run_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    runnable = minutely(Overlap.SKIP)
    dispatch.tick()
    ahead = time.time_ns() + 3_600_000_000_000
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: ahead)
        come(runnable)
    take()
    finish(runnable, 1)
    come(runnable)
    come(runnable)
    assert [(state, number) for state, _, number in seen(runnable)] == [
        ("succeeded", 1), ("skipped", 0), ("queued", 2), ("skipped", 0)
    ]  # fmt: skip


def test_queue_one_lets_one_wait_until_what_runs_is_over() -> None:
    runnable = minutely(Overlap.QUEUE_ONE)
    dispatch.tick()
    assert take() == [1]
    come(runnable)
    come(runnable)
    assert seen(runnable) == [("running", False, 1), ("queued", True, 2), ("skipped", False, 0)]
    assert take() == []

    finish(runnable, 1)

    assert take() == [2]


def test_queue_all_lets_all_wait_and_go_one_after_the_other() -> None:
    runnable = minutely(Overlap.QUEUE_ALL)
    dispatch.tick()
    come(runnable)
    come(runnable)
    for number in (1, 2, 3):
        assert take() == [number]
        finish(runnable, number, State.FAILED)
    assert seen(runnable) == [("failed", False, number) for number in (1, 2, 3)]


def test_cancel_running_aborts_what_runs_and_says_why() -> None:
    runnable = minutely(Overlap.CANCEL_RUNNING)
    dispatch.tick()
    assert take() == [1]
    come(runnable)

    assert seen(runnable) == [("aborted", False, 1), ("queued", False, 2)]
    assert "next occurrence" in Run.objects.get(number=1).error
    assert Run.objects.get(number=1).log.get().message == lifecycle.OVERTAKEN


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause != Cause.SCHEDULE])
def test_cancel_running_leaves_alone_what_was_asked_for_and_waits_behind_it(cause: Cause) -> None:
    runnable = minutely(Overlap.CANCEL_RUNNING, runs_made=2)
    make_run(runnable, State.RUNNING, worker=ME, number=1, cause=cause)
    make_run(runnable, held=True, number=2, cause=cause)

    come(runnable)
    come(runnable)

    assert seen(runnable) == [
        ("running", False, 1), ("queued", True, 2), ("aborted", False, 3), ("queued", True, 4)
    ]  # fmt: skip
    for number in (1, 2):
        finish(runnable, number)
        assert take() == [number + 1 if number == 1 else 4]


def test_allow_runs_them_beside_each_other() -> None:
    runnable = minutely(Overlap.ALLOW)
    dispatch.tick()
    come(runnable)
    assert take() == [1, 2]


@pytest.mark.parametrize("overlap", Overlap)
def test_a_retry_that_waits_is_no_overlap_and_the_next_occurrence_takes_its_place(overlap: Overlap) -> None:
    runnable = minutely(overlap)
    dispatch.tick()
    take()
    finish(runnable, 1, State.RETRYING)
    come(runnable)

    assert seen(runnable) == [("failed", False, 1), ("queued", False, 2)]
    assert Run.objects.get(number=1).error.startswith("Superseded")


def test_a_retry_that_waits_is_not_superseded_by_an_occurrence_that_is_skipped() -> None:
    runnable = minutely(Overlap.SKIP)
    dispatch.tick()
    take()
    finish(runnable, 1, State.RETRYING)
    Run.objects.update(due_at=fleet.database_now() + timedelta(minutes=1))
    make_run(runnable, State.RUNNING, worker=ME, number=2)
    come(runnable)
    assert {state for state, *_ in seen(runnable)} == {"retrying", "running", "skipped"}


@pytest.mark.parametrize("overlap", ONE_AT_A_TIME)
def test_a_run_by_hand_waits_until_what_runs_is_over(overlap: Overlap) -> None:
    runnable = minutely(overlap)
    dispatch.tick()
    take()

    run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW)

    assert take() == []
    finish(runnable, 1)
    assert take() == [2]


def test_a_run_by_hand_goes_at_once_where_runs_may_be_beside_each_other() -> None:
    runnable = minutely(Overlap.ALLOW)
    dispatch.tick()
    run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW)
    assert sorted(take()) == [1, 2]


def test_replays_of_one_runnable_go_one_after_the_other() -> None:
    runnable = minutely(Overlap.SKIP, next_run_at=None)
    over = [make_run(runnable, State.FAILED, number=number) for number in (1, 2)]
    for run in over:
        replay_run(run=run, by=OPERATOR, now=NOW)
    assert [held for state, held, _ in seen(runnable) if state == "queued"] == [False, True]


@pytest.mark.parametrize("overlap", ONE_AT_A_TIME)
def test_retries_that_come_while_another_runs_wait_for_it(overlap: Overlap) -> None:
    runnable = make_runnable(make_application(), overlap=overlap)
    past = fleet.database_now() - timedelta(seconds=1)
    make_run(runnable, State.RUNNING, worker=ME, number=1)
    for number in (2, 3):
        make_run(runnable, State.RETRYING, due_at=past, number=number, attempts=1)

    dispatch.tick()

    assert seen(runnable) == [("running", False, 1), ("queued", True, 2), ("queued", True, 3)]


def test_of_two_retries_that_come_at_once_one_goes_first() -> None:
    runnable = make_runnable(make_application())
    past = fleet.database_now() - timedelta(seconds=1)
    for number in (1, 2):
        make_run(runnable, State.RETRYING, due_at=past, number=number, attempts=1)
    dispatch.tick()
    assert seen(runnable) == [("queued", False, 1), ("queued", True, 2)]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda run: lifecycle.abort([run.pk], now=NOW, reason="Enough."), id="aborted"),
        pytest.param(lambda run: lifecycle.lose_owner([run.pk], worker=ME, now=NOW), id="its owner went"),
        pytest.param(
            lambda run: (
                Run.objects.filter(pk=run.pk).update(rescues=lifecycle.RESCUES),
                lifecycle.rescue(unseen_since=NOW, now=NOW),
            ),
            id="given up",
        ),
        pytest.param(lambda run: lifecycle.finish([ended(run)], worker=ME), id="its worker died before it said so"),
    ],
)
def test_what_waits_goes_within_a_sweep_however_the_run_before_it_ended(end: Callable[[Run], object]) -> None:
    runnable = minutely(Overlap.QUEUE_ALL)
    dispatch.tick()
    take()
    come(runnable)
    assert holding.sweep() == set()

    end(Run.objects.get(number=1))

    assert holding.sweep() == {"io"}
    assert holding.sweep() == set()
    assert take() == [2]


def test_a_waiting_run_that_is_aborted_holds_up_nobody() -> None:
    runnable = minutely(Overlap.QUEUE_ALL)
    dispatch.tick()
    take()
    for _ in range(2):
        come(runnable)
    lifecycle.abort([Run.objects.get(number=2).pk], now=NOW, reason="Enough.")
    finish(runnable, 1)
    assert take() == [3]


def make_runs(runnable: Runnable, how: Callable[[], object]) -> None:
    for _ in range(5):
        how()


def work(runnable: Runnable, most: list[int]) -> None:
    """A worker that ends its runs as soon as it has them, and notes how many run at the same time."""
    for _ in range(30):
        claimed = lifecycle.claim(queue="io", worker=ME, limit=100, now=fleet.database_now())
        most.append(Run.objects.of(runnable.pk).filter(state="running").count())
        for run in claimed:
            finish_all([ended(Run.objects.get(pk=run.id))], worker=ME)
        holding.sweep()


@pytest.mark.django_db(transaction=True)
def test_whoever_makes_runs_at_once_never_two_are_active_beside_each_other() -> None:
    runnable = minutely(Overlap.QUEUE_ALL)
    over = make_run(runnable, State.FAILED)
    most: list[int] = []
    makers: list[Callable[[], object]] = [
        lambda: come(runnable),
        lambda: run_now(runnable=runnable, cause=Cause.MANUAL, now=NOW),
        lambda: replay_run(run=over, by=OPERATOR, now=NOW),
    ]

    together(*(partial(make_runs, runnable, how) for how in makers), *(partial(work, runnable, most) for _ in range(2)))

    while Run.objects.unfinished().exists():
        work(runnable, most)
    assert max(most) == 1
