"""I1: what is lost, doubled, invented or counted wrong is found."""

from datetime import timedelta

import pytest

from badgerjobs.lib.schedule import Schedule
from chaos.books import Run
from chaos.checks.occurrences import occurrences
from chaos.eras import Era, Promise
from tests.chaos.stories import EVERY, START, at, promise, run, skipped


def found(promised: Promise, *rows: Run) -> list[tuple[str, int]]:
    return [(one.kind, one.count) for one in occurrences(promised, rows)]


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        pytest.param([run(n) for n in range(5)], [], id="all run"),
        pytest.param([run(0), skipped(1, 3), run(4)], [], id="some skipped"),
        pytest.param([skipped(0, 4)], [], id="all skipped"),
        pytest.param([*(run(n) for n in range(5)), run(9, cause="manual", occurrence=None)], [], id="one by hand"),
        pytest.param([run(n, state="aborted") for n in range(5)], [], id="all aborted"),
        pytest.param([run(0), run(1), run(4)], [("lost", 2)], id="two lost side by side"),
        pytest.param([run(1), run(3)], [("lost", 1), ("lost", 1), ("lost", 1)], id="three lost apart"),
        pytest.param([], [("lost", 5)], id="all lost"),
        pytest.param([*(run(n) for n in range(5)), skipped(2, 2)], [("doubled", 1)], id="run and skipped"),
        pytest.param([skipped(0, 4), skipped(3, 4, id="s")], [("doubled", 1), ("doubled", 1)], id="skipped twice"),
        pytest.param(
            [*(run(n) for n in range(5)), run(5, occurrence=at(1) + timedelta(seconds=1))],
            [("invented", 1)],
            id="one between",
        ),
        pytest.param([run(0), skipped(1, 3, skipped_count=2), run(4)], [("miscounted", 1)], id="counted wrong"),
    ],
)
def test_each_occurrence_is_accounted_for_once(rows: list[Run], wrong: list[tuple[str, int]]) -> None:
    assert found(promise(5), *rows) == wrong


def test_after_a_change_the_new_schedule_counts_and_the_old_one_no_more() -> None:
    promised = promise(eras=[Era(EVERY, START)])
    changed = at(2) + timedelta(seconds=5)
    promised.change(Schedule(run_every="PT7S", anchor=changed), now=changed, committed=changed)
    promised.end(changed + timedelta(seconds=10))
    new = [run(8, occurrence=changed), run(9, occurrence=changed + timedelta(seconds=7))]
    assert found(promised, run(0), run(1), run(2), *new) == []
    assert found(promised, run(0), run(1), *new) == [("lost", 1)]
    assert found(promised, run(0), run(1), run(2), run(3), *new) == [("invented", 1)]


def test_what_is_dispatched_while_a_change_waits_for_the_row_may_be_there_and_need_not() -> None:
    promised = promise(eras=[Era(EVERY, START)])
    changed = at(1) + timedelta(seconds=5)
    promised.change(Schedule(), now=changed, committed=at(3))
    assert found(promised, run(0), run(1)) == []
    assert found(promised, run(0), run(1), run(2), run(3)) == []
    assert found(promised, run(0), run(1), skipped(2, 3)) == []
    assert found(promised, run(0), skipped(0, 1), run(1)) == [("doubled", 1), ("doubled", 1)]


def test_a_job_of_one_time_has_that_one() -> None:
    once = Era.of(Schedule(run_at=at(1)), START)
    assert once
    promised = promise(eras=[once])
    promised.end(at(4))
    assert found(promised, run(1)) == []
    assert found(promised) == [("lost", 1)]


def test_before_it_is_due_nothing_is_promised() -> None:
    once = Era.of(Schedule(run_at=at(7)), START)
    assert once
    promised = promise(eras=[once])
    promised.end(at(4))
    assert found(promised) == []


def test_by_hand_only_promises_nothing() -> None:
    assert Era.of(Schedule(), START) is None


def test_a_number_of_runs_ends_the_schedule_and_skipped_ones_do_not_count() -> None:
    promised = promise(9, max_runs=3)
    assert found(promised, run(0), skipped(1, 2), run(3), run(4)) == []
    assert found(promised, run(0), skipped(1, 2), run(4), run(5)) == [("lost", 1)]
    assert found(promised, run(0), skipped(1, 2), run(3), run(4), run(5)) == [("invented", 1)]
    assert found(promised, run(0), run(1)) == [("lost", 7)]
