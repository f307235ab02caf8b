"""What becomes of a run after an attempt."""

from datetime import timedelta

import pytest

from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import State
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.runs.settle import settle
from tests.factories import NOW
from tests.runs.claims import claimed

END = NOW + timedelta(seconds=2)
DAY = timedelta(days=1)
TRY_AGAIN = Failed("timeout", "No answer within 30 s.")
ASKED = Failed("status", "The endpoint answered 503.", retry_after=timedelta(seconds=120))


@pytest.mark.parametrize(
    ("run", "outcome", "state", "wait_s"),
    [
        pytest.param(claimed(attempts=0), Done(), State.SUCCEEDED, None, id="a success"),
        pytest.param(claimed(attempts=3), Done(), State.SUCCEEDED, None, id="a success at last"),
        pytest.param(claimed(attempts=0), TRY_AGAIN, State.RETRYING, 10, id="the first failure"),
        pytest.param(claimed(attempts=1), TRY_AGAIN, State.RETRYING, 20, id="the second"),
        pytest.param(claimed(attempts=2), TRY_AGAIN, State.RETRYING, 30, id="the third"),
        pytest.param(claimed(attempts=3), TRY_AGAIN, State.FAILED, None, id="the fourth is the last"),
        pytest.param(
            claimed(attempts=0, retries=0, retry_step_s=10), TRY_AGAIN, State.FAILED, None, id="no retries wanted"
        ),
        pytest.param(claimed(attempts=0, retries=1, retry_step_s=60), TRY_AGAIN, State.RETRYING, 60, id="another step"),
        pytest.param(claimed(attempts=2, backoff="exponential"), TRY_AGAIN, State.RETRYING, 40, id="exponential"),
        pytest.param(
            claimed(attempts=4, backoff="polynomial", retries=24, retry_step_s=1),
            TRY_AGAIN,
            State.RETRYING,
            625,
            id="repeater",
        ),
        pytest.param(
            claimed(attempts=1, backoff="list", retries=2, retry_delays="[5, 90]"),
            TRY_AGAIN,
            State.RETRYING,
            90,
            id="a list",
        ),
        pytest.param(
            claimed(attempts=2, backoff="list", retries=2, retry_delays="[5, 90]"),
            TRY_AGAIN,
            State.FAILED,
            None,
            id="the end of a list",
        ),
        pytest.param(claimed(), ASKED, State.RETRYING, 120, id="what is asked for is longer"),
        pytest.param(claimed(retry_step_s=500), ASKED, State.RETRYING, 500, id="what is asked for is shorter"),
        pytest.param(
            claimed(attempts=1, retry_for_s=60, started_at=NOW - timedelta(seconds=38)),
            TRY_AGAIN,
            State.RETRYING,
            20,
            id="just within the time",
        ),
        pytest.param(
            claimed(attempts=1, retry_for_s=60, started_at=NOW - timedelta(seconds=39)),
            TRY_AGAIN,
            State.FAILED,
            None,
            id="its time is over",
        ),
        pytest.param(claimed(), Failed("x", "X.", retry_after=2 * DAY), State.FAILED, None, id="asked for too long"),
        pytest.param(
            claimed(attempts=0), Failed("refused", "No.", retry=False), State.FAILED, None, id="a retry cannot help"
        ),
    ],
)
def test_an_outcome_decides_the_state_and_the_wait(
    run: Claimed, outcome: Done | Failed, state: State, wait_s: int | None
) -> None:
    finished = settle(run, outcome, started_at=NOW, ended_at=END)

    assert finished.state == state
    assert finished.ok is (state == State.SUCCEEDED)
    assert finished.duration_ms == 2000
    if wait_s is None:
        assert finished.due_at == run.due_at
    else:
        wait = finished.due_at - END
        assert timedelta(seconds=wait_s) <= wait <= timedelta(seconds=wait_s * 1.1)


def test_a_run_that_ends_before_its_retries_says_why() -> None:
    patient = settle(claimed(), Failed("status", "503.", retry_after=2 * DAY), started_at=NOW, ended_at=END)
    over = settle(claimed(retry_for_s=5), TRY_AGAIN, started_at=NOW, ended_at=END)
    spent = settle(claimed(attempts=3), TRY_AGAIN, started_at=NOW, ended_at=END)

    asks = "The endpoint asks to be left alone for 2 d. No run waits longer than 1 d for that."
    assert patient.error == f"503. {asks}"
    assert over.error == f"{TRY_AGAIN.error} Its retries end 5.00 s after its first attempt began."
    assert spent.error == TRY_AGAIN.error


def test_what_pauses_its_runnable_is_carried_on() -> None:
    gone = settle(claimed(), Failed("status", "410.", retry=False, pauses=True), started_at=NOW, ended_at=END)

    assert (gone.state, gone.pauses, gone.error) == (State.FAILED, True, "410.")
    assert not settle(claimed(), TRY_AGAIN, started_at=NOW, ended_at=END).pauses


def test_what_came_back_is_kept() -> None:
    done = settle(claimed(), Done({"status": 200}, output=[1, 2]), started_at=NOW, ended_at=END)
    failed = settle(claimed(), Failed("status", "500.", {"status": 500}), started_at=NOW, ended_at=END)

    assert (done.result, done.output, done.error_class, done.error) == ({"status": 200}, [1, 2], "", "")
    assert (failed.result, failed.error_class, failed.error) == ({"status": 500}, "status", "500.")


def test_runs_that_failed_at_once_do_not_return_at_once() -> None:
    waits = {settle(claimed(), TRY_AGAIN, started_at=NOW, ended_at=END).due_at for _ in range(20)}

    assert len(waits) > 10
