"""I7: a counter that is not what one finds by counting is found."""

import pytest

from chaos.books import Books, Counters, Run
from chaos.checks.counters import counters
from tests.chaos.stories import EVERY, START, at, promise, run, skipped

ROWS = [run(0), run(1), skipped(2, 3), run(2, id="by hand", cause="manual", occurrence=None)]


def kinds(rows: list[Run], **changes: int) -> list[str]:
    row = Counters(**{"job": "red/a", "runs_made": 3, "scheduled_runs": 2, "failures_in_row": 0, **changes})  # type: ignore[arg-type]
    return [one.kind for one in counters(Books(runs=rows, counters=[row]), [promise()])]


def test_counters_that_are_right_are_no_violation() -> None:
    assert kinds(ROWS) == []


@pytest.mark.parametrize(
    ("rows", "changes"),
    [
        pytest.param(ROWS, {"runs_made": 4}, id="says more"),
        pytest.param(ROWS, {"scheduled_runs": 3}, id="says more by schedule"),
        pytest.param([run(0), run(1), run(1, id="again")], {"scheduled_runs": 3}, id="one number twice"),
        pytest.param([run(0), run(1), run(3)], {"scheduled_runs": 3}, id="a gap"),
    ],
)
def test_a_wrong_counter_is_found(rows: list[Run], changes: dict[str, int]) -> None:
    assert kinds(rows, **changes) == ["counted"]


def test_where_the_schedule_was_changed_runs_by_schedule_are_not_counted() -> None:
    changed = promise()
    changed.change(EVERY, now=START, committed=START)
    row = Counters("red/a", 3, 0, 0)
    assert list(counters(Books(runs=ROWS, counters=[row]), [changed])) == []


@pytest.mark.parametrize(
    ("states", "says", "wrong"),
    [
        pytest.param(["succeeded", "failed", "failed"], 2, [], id="right"),
        pytest.param(["failed", "aborted", "failed"], 2, [], id="an abort between"),
        pytest.param(["failed", "failed", "succeeded"], 0, [], id="well again"),
        pytest.param(["succeeded", "failed", "failed"], 1, ["counted"], id="one too few"),
        pytest.param(["failed", "failed", "succeeded"], 2, ["counted"], id="not begun anew"),
    ],
)
def test_failures_in_a_row_are_counted_again(states: list[str], says: int, wrong: list[str]) -> None:
    rows = [run(number, state=state, finished_at=at(number)) for number, state in enumerate(states)]
    assert kinds(rows, runs_made=3, scheduled_runs=3, failures_in_row=says) == wrong


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        pytest.param(1, [], id="those since"),
        pytest.param(2, [], id="and one that ended before the resume, and was written after it"),
        pytest.param(0, ["counted"], id="one too few"),
        pytest.param(3, ["counted"], id="as if never resumed"),
    ],
)
def test_what_was_resumed_after_its_breaker_begins_to_count_anew(says: int, wrong: list[str]) -> None:
    rows = [run(number, state="failed", finished_at=at(number)) for number in range(3)]
    row = Counters("red/a", 3, 3, says)
    forgiven = promise(forgiven_at=at(1))
    assert [one.kind for one in counters(Books(runs=rows, counters=[row]), [forgiven])] == wrong
