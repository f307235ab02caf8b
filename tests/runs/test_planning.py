"""What a tick decides about each occurrence that is due: run, held, skipped and why; and what is next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from badgerjobs.lib.schedule import Schedule
from badgerjobs.runs.models import CatchUp, Overlap, SkipReason
from badgerjobs.runs.planning import CAUGHT_UP_AT_ONCE, Active, Due, Plan, Skip, plan

T = datetime(2026, 11, 22, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MINUTELY = Schedule(run_every="PT1M", anchor=T)
IDLE, BUSY, FULL = Active(), Active(any=True), Active(any=True, held=True)
ASKED = Active(any=True, asked=True)


def at(minutes: float) -> datetime:
    return T + minutes * MINUTE


def planned(now: float, active: Active = IDLE, **policies: Any) -> Plan:
    """A schedule of every minute whose occurrence at minute 0 is due, `now` minutes after it."""
    return plan(replace(Due(1, T, MINUTELY), **policies), active, at(now))


def ran(of: Plan) -> list[tuple[float, bool]]:
    """The minutes of what is run, and whether each is held."""
    return [((run.at - T) / MINUTE, run.held) for run in of.runs]


def skipped(of: Plan) -> list[tuple[str, float, float, int]]:
    """Reason, first minute, last minute, count."""
    return [(skip.reason.value, (skip.first - T) / MINUTE, (skip.last - T) / MINUTE, skip.count) for skip in of.skips]


def test_what_is_on_time_is_run_and_the_next_one_comes_a_minute_later() -> None:
    on_time = planned(0.1)
    assert (ran(on_time), on_time.skips, on_time.next_run_at, on_time.cancels) == ([(0, False)], [], at(1), False)


@pytest.mark.parametrize(
    ("now", "policies", "runs", "skips", "following"),
    [
        pytest.param(5.5, {}, [5], [("missed", 0, 4, 5)], 6, id="the latest of six"),
        pytest.param(1, {}, [1], [("missed", 0, 0, 1)], 2, id="the latest of two"),
        pytest.param(
            5.5, {"catch_up": CatchUp.NONE}, [5], [("missed", 0, 4, 5)], 6, id="none, but this one is on time"
        ),
        pytest.param(0.9, {"catch_up": CatchUp.NONE}, [0], [], 1, id="none, and nothing was missed"),
        pytest.param(3.5, {"catch_up": CatchUp.ALL}, [0, 1, 2, 3], [], 4, id="all"),
        pytest.param(
            5.5, {"catch_up": CatchUp.ALL, "within": 2 * MINUTE}, [4, 5], [("missed", 0, 3, 4)], 6, id="all in a window"
        ),
        pytest.param(5.5, {"within": 2 * MINUTE}, [5], [("missed", 0, 4, 5)], 6, id="the latest in a window"),
        pytest.param(
            5.5, {"within": MINUTE / 4}, [], [("missed", 0, 5, 6)], 6, id="the latest, too old for its window"
        ),
        pytest.param(0.5, {"within": MINUTE / 4}, [], [("missed", 0, 0, 1)], 1, id="the only one, too old"),
    ],
)
def test_what_was_missed_is_caught_up_by_its_policy_and_accounted_for(
    now: float, policies: dict[str, Any], runs: list[int], skips: list[Any], following: int
) -> None:
    found = planned(now, overlap=Overlap.ALLOW, **policies)

    assert [minute for minute, _ in ran(found)] == runs
    assert skipped(found) == skips
    assert found.next_run_at == at(following)


def test_an_hourly_schedule_that_catches_up_none_lets_go_what_is_more_than_a_minute_late() -> None:
    hourly = Due(1, T, Schedule(run_every="PT1H", anchor=T), catch_up=CatchUp.NONE)

    late = plan(hourly, IDLE, at(2))

    assert (late.runs, late.skips, late.next_run_at) == ([], [Skip(SkipReason.MISSED, T, T)], at(60))
    assert ran(plan(hourly, IDLE, at(0.5))) == [(0, False)]


def test_once_means_once_however_late() -> None:
    once = plan(Due(1, T, Schedule(run_at=T)), IDLE, at(500))
    assert (ran(once), once.skips, once.next_run_at) == ([(0, False)], [], None)


def test_a_long_outage_is_caught_up_in_portions_and_forgets_none() -> None:
    due, now, minutes = Due(1, T, MINUTELY, overlap=Overlap.ALLOW, catch_up=CatchUp.ALL), at(250.5), []
    while due.occurrence <= now:
        portion = plan(due, IDLE, now)
        assert len(portion.runs) <= CAUGHT_UP_AT_ONCE
        minutes += [minute for minute, _ in ran(portion)]
        assert portion.next_run_at
        due = replace(due, occurrence=portion.next_run_at)
    assert minutes == list(range(251))


@pytest.mark.parametrize(
    ("overlap", "active", "runs", "skips", "cancels"),
    [
        (Overlap.SKIP, IDLE, [(0, False)], [], False),
        (Overlap.SKIP, BUSY, [], [("overlap", 0, 0, 1)], False),
        (Overlap.QUEUE_ONE, IDLE, [(0, False)], [], False),
        (Overlap.QUEUE_ONE, BUSY, [(0, True)], [], False),
        (Overlap.QUEUE_ONE, FULL, [], [("overlap", 0, 0, 1)], False),
        (Overlap.QUEUE_ALL, IDLE, [(0, False)], [], False),
        (Overlap.QUEUE_ALL, FULL, [(0, True)], [], False),
        (Overlap.CANCEL_RUNNING, IDLE, [(0, False)], [], False),
        (Overlap.CANCEL_RUNNING, BUSY, [(0, False)], [], True),
        (Overlap.CANCEL_RUNNING, ASKED, [(0, True)], [], True),
        (Overlap.ALLOW, FULL, [(0, False)], [], False),
    ],
)
def test_what_overlaps_is_handled_by_its_policy(
    overlap: Overlap, active: Active, runs: list[Any], skips: list[Any], cancels: bool
) -> None:
    found = planned(0.1, active, overlap=overlap)
    assert (ran(found), skipped(found), found.cancels, found.next_run_at) == (runs, skips, cancels, at(1))


def test_occurrences_that_are_caught_up_overlap_with_each_other_too() -> None:
    everything: dict[str, Any] = {"catch_up": CatchUp.ALL}
    assert ran(planned(2.5, overlap=Overlap.QUEUE_ALL, **everything)) == [(0, False), (1, True), (2, True)]
    first = planned(2.5, overlap=Overlap.QUEUE_ONE, **everything)
    assert (ran(first), skipped(first)) == ([(0, False), (1, True)], [("overlap", 2, 2, 1)])


@pytest.mark.parametrize(("left", "runs", "following"), [(0, [], None), (1, [0], None), (2, [0], 1), (None, [0], 1)])
def test_a_schedule_ends_with_the_last_of_its_runs(left: int | None, runs: list[int], following: int | None) -> None:
    found = planned(0.1, left=left)
    assert [minute for minute, _ in ran(found)] == runs
    assert found.next_run_at == (None if following is None else at(following))


def test_what_is_skipped_does_not_count_towards_the_last_run() -> None:
    found = planned(0.1, BUSY, left=1)
    assert (found.runs, found.next_run_at) == ([], at(1))


def test_nothing_is_planned_after_the_end() -> None:
    ending = Due(1, T, replace(MINUTELY, end_at=at(0.5)))
    assert plan(ending, IDLE, at(0.1)).next_run_at is None


def test_a_spread_moves_when_it_is_due_and_not_which_occurrence_it_is() -> None:
    late = timedelta(seconds=20)
    found = planned(0.4, offset=late)
    assert [(run.at, run.due_at) for run in found.runs] == [(T, T + late)]
    assert found.next_run_at == at(1) + late
    # Its second occurrence is due 20 s after the minute, and not before.
    assert skipped(planned(1.2, offset=late)) == []
    assert skipped(planned(1.4, offset=late)) == [("missed", 0, 0, 1)]


@pytest.mark.parametrize("overlap", Overlap)
@pytest.mark.parametrize("left", [1, 2, 5, None])
def test_whatever_the_policies_each_occurrence_up_to_the_last_run_is_run_or_skipped(
    overlap: Overlap, left: int | None
) -> None:
    found = planned(5.5, overlap=overlap, catch_up=CatchUp.ALL, left=left)

    accounted = len(found.runs) + sum(skip.count for skip in found.skips)
    if found.next_run_at is None:
        assert len(found.runs) == left
        assert [minute for minute, _ in ran(found)] == list(range(len(found.runs)))
    else:
        assert (accounted, found.next_run_at) == (6, at(6))


@pytest.mark.parametrize(
    ("now", "policies", "runs", "skips"),
    [
        pytest.param(0.1, {}, [-9], [], id="run"),
        pytest.param(0.1, {"active": BUSY}, [], [("overlap", -9, -9, 1)], id="it would overlap"),
        pytest.param(2.5, {}, [2], [("missed", -9, 1, 2)], id="missed"),
        pytest.param(1.5, {}, [1], [("missed", -9, -9, 1)], id="missed alone"),
    ],
)
def test_what_was_past_when_it_was_planned_stands_for_its_own_moment(
    now: float, policies: dict[str, Any], runs: list[int], skips: list[Any]
) -> None:
    found = planned(now, stands_for=at(-9), **policies)
    assert ([minute for minute, _ in ran(found)], skipped(found)) == (runs, skips)
    assert [run.due_at for run in found.runs] == [at(max(0, minute)) for minute in runs]
