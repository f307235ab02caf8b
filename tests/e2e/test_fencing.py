"""A worker that stands still for longer than its lease has lost what it held: what it does later leaves no trace."""

import signal

import pytest

from tests.e2e.books import check, finished, plant
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

RUNS = 20


def seen(stack: Stack) -> dict[str, float]:
    """When each worker said last that it is alive."""
    return dict(stack.sql("SELECT id::text, extract(epoch FROM seen_at)::float FROM runs_worker WHERE queue = 'io'"))


def test_a_worker_that_wakes_up_after_its_lease_leaves_no_trace_and_works_on(stack: Stack, receiver: Receiver) -> None:
    receiver.answer = lambda call: Answer(gate="first" if call.nth == 1 else "second")
    stack.start("beat-1", "worker-1")
    [(stopped, _)] = seen(stack).items()
    plant(stack, RUNS)
    stack.until(lambda: len(receiver.calls) == RUNS, "the first worker calls")
    stack.signal("worker-1", signal.SIGSTOP)
    stack.start("worker-2")
    stack.let_lease_run_out("worker-1")

    # The second worker has them all in its hands while the first one wakes up to good answers.
    stack.until(lambda: len(receiver.calls) == 2 * RUNS, "the second worker calls")
    asleep_since = seen(stack)[stopped]
    receiver.open("first")
    stack.signal("worker-1", signal.SIGCONT)
    stack.until(lambda: seen(stack)[stopped] > asleep_since + 2, "the first worker is awake")
    assert finished(stack) == 0
    assert stack.sql("SELECT count(*) FROM runs_attempt") == [(0,)]

    receiver.open("second")
    stack.until(lambda: finished(stack) == RUNS, "every run is over")
    assert check(stack, RUNS) == {"Rescued": RUNS}
    assert {call.nth for call in receiver.calls} == {1, 2}

    # Awake, it takes new work and finishes it.
    stack.kill("worker-2")
    stack.create_job("next", verb="GET")
    run = stack.request("POST", "jobs/next/run/").data["id"]
    receiver.answer = lambda _: Answer()
    stack.until(lambda: stack.get(f"runs/{run}/")["state"] == "succeeded", "the next run")
