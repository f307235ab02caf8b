"""Several beats and workers at once, and workers that are asked to stop."""

from collections import Counter

import pytest

from tests.e2e.books import check, finished, plant
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


def test_two_beats_and_three_workers_do_no_occurrence_twice(stack: Stack, receiver: Receiver) -> None:
    jobs, rounds = 100, 3
    stack.start("beat-1", "beat-2", "worker-1", "worker-2", "worker-3")
    # A machine that stands still for a second must not make them skip what this counts.
    plant(stack, jobs, run_every="PT1S", overlap="allow", catch_up="all")

    stack.until(lambda: len(receiver.calls) >= jobs * (rounds + 1), f"{rounds} rounds")
    stack.sql("UPDATE runs_runnable SET enabled = false, next_run_at = NULL")
    stack.until(lambda: stack.sql("SELECT count(*) FROM runs_run WHERE finished_at IS NULL") == [(0,)], "the end")

    runs = stack.sql("SELECT id::text, runnable_id, occurrence, number, state, attempts FROM runs_run")
    assert {(state, attempts) for *_, state, attempts in runs} == {("succeeded", 1)}
    assert Counter(call.id for call in receiver.calls) == Counter(run_id for run_id, *_ in runs)
    assert len({(runnable, occurrence) for _, runnable, occurrence, *_ in runs}) == len(runs)
    made = stack.sql("SELECT id, runs_made FROM runs_runnable WHERE runs_made > 0")
    assert Counter(runnable for _, runnable, *_ in runs) == dict(made)
    assert {(runnable, number) for _, runnable, _, number, *_ in runs} == {
        (runnable, number) for runnable, count in made for number in range(1, count + 1)
    }


def test_calls_in_flight_finish_when_their_worker_is_asked_to_stop(stack: Stack, receiver: Receiver) -> None:
    receiver.answer = lambda _: Answer(after_s=3)
    stack.start("beat-1", "worker-1")
    plant(stack, 20)
    stack.until(lambda: len(receiver.calls) == 20, "the calls")

    assert stack.end("worker-1") < 8
    assert finished(stack) == 20
    assert check(stack, 20) == {}
    assert len(receiver.calls) == 20


def test_calls_that_do_not_end_are_handed_back_and_made_again_under_the_same_id(
    stack: Stack, receiver: Receiver
) -> None:
    receiver.answer = lambda call: Answer(gate="never" if call.nth == 1 else "")
    stack.start("beat-1", "worker-1")
    plant(stack, 20)
    stack.until(lambda: len(receiver.calls) == 20, "the calls")

    assert stack.end("worker-1") < 10
    assert stack.sql("SELECT DISTINCT state, worker FROM runs_run") == [("queued", None)]
    assert stack.sql("SELECT count(*) FROM runs_worker") == [(0,)]

    stack.start("worker-2")
    stack.until(lambda: finished(stack) == 20, "every run is over")
    assert check(stack, 20) == {"Released": 20}
    assert len(receiver.calls) == 40
