"""I2: a run that is not over, that contradicts its attempts, or that changed its mind is found."""

import pytest

from chaos.books import Attempt, Run
from chaos.checks.ends import changed, ends, unconfirmed
from tests.chaos.stories import attempt, run, skipped

BAD = {"ok": False, "status": 500}
FAILED = {"state": "failed", "error": "The endpoint answered 500."}


def kinds(runs: list[Run], attempts: list[Attempt]) -> list[str]:
    return [one.kind for one in ends(runs, attempts)]


@pytest.mark.parametrize(
    ("row", "tries"),
    [
        pytest.param(run(), [attempt()], id="succeeded"),
        pytest.param(run(attempts=2), [attempt(1, **BAD), attempt(2)], id="at the second"),
        pytest.param(run(attempts=1, **FAILED), [attempt(1, **BAD)], id="failed"),
        pytest.param(run(attempts=0, state="failed", error="Lost."), [], id="given up"),
        pytest.param(run(attempts=0, state="aborted", error="Aborted on request."), [], id="aborted"),
        pytest.param(run(attempts=1, state="aborted", error="Paused."), [attempt(1, **BAD)], id="aborted between"),
        pytest.param(skipped(0, 2), [], id="skipped"),
        pytest.param(run(iteration=2, attempts=2), [attempt(1), attempt(2)], id="in two iterations"),
        pytest.param(
            run(iteration=2, attempts=2, **FAILED), [attempt(1), attempt(2, **BAD)], id="failed in the second iteration"
        ),
        pytest.param(
            run(iteration=2, attempts=1, state="aborted", error="Enough."), [attempt(1)], id="aborted in the second"
        ),
        pytest.param(
            run(iteration=2, attempts=2, state="aborted", error="Enough."),
            [attempt(1), attempt(2)],
            id="gave itself up",
        ),
    ],
)
def test_a_run_that_is_as_it_should_be_is_no_violation(row: Run, tries: list[Attempt]) -> None:
    assert kinds([row], tries) == []


@pytest.mark.parametrize(
    ("row", "tries", "wrong"),
    [
        pytest.param(run(state="running", attempts=0), [], "stuck", id="running"),
        pytest.param(run(state="queued", attempts=0, held=True), [], "stuck", id="held"),
        pytest.param(run(state="retrying"), [attempt(1, **BAD)], "stuck", id="retrying"),
        pytest.param(run(finished_at=None), [attempt()], "books", id="no end"),
        pytest.param(run(), [], "books", id="no attempt"),
        pytest.param(run(), [attempt(1), attempt(2)], "books", id="one attempt too many"),
        pytest.param(run(attempts=2), [attempt(1), attempt(3)], "books", id="a gap"),
        pytest.param(run(attempts=2), [attempt(1), attempt(2)], "books", id="good twice"),
        pytest.param(run(), [attempt(1, **BAD)], "books", id="succeeded with a bad one"),
        pytest.param(run(**FAILED), [attempt()], "books", id="failed with a good one"),
        pytest.param(run(attempts=0, state="failed"), [], "books", id="failed for no reason"),
        pytest.param(run(attempts=0, state="aborted"), [], "books", id="aborted for no reason"),
        pytest.param(skipped(0, 2, skip_reason=""), [], "books", id="skipped for no reason"),
        pytest.param(
            run(iteration=3, attempts=2), [attempt(1), attempt(2)], "books", id="an iteration without an attempt"
        ),
        pytest.param(
            run(iteration=2, attempts=1, **FAILED), [attempt(1, **BAD)], "books", id="failed without its first"
        ),
        pytest.param(
            run(iteration=2, attempts=1, state="aborted", error="Enough."),
            [attempt(1, **BAD)],
            "books",
            id="aborted without its first",
        ),
    ],
)
def test_a_run_that_contradicts_itself_is_found(row: Run, tries: list[Attempt], wrong: str) -> None:
    assert wrong in kinds([row], tries)


def test_an_attempt_of_no_run_is_found() -> None:
    assert kinds([run()], [attempt(), attempt(run="r9")]) == ["books"]


def test_what_was_over_is_over_and_there_in_the_same_state() -> None:
    over = {"r0": ("succeeded", 1), "r1": ("failed", 1), "r2": ("succeeded", 1), "gone": ("succeeded", 2)}
    rows = [run(0), run(1, state="succeeded")]
    assert [one.kind for one in changed(over, rows, kept={1})] == ["changed", "changed"]


def test_what_was_asked_for_and_confirmed_is_there() -> None:
    assert [one.kind for one in unconfirmed({"r0", "r1"}, [run(0)])] == ["lost"]
