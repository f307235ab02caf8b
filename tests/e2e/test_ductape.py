"""A job in Ductape's words, by real processes: five runs a second apart, and then it is over."""

import time
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e
FIVE = {"verb": "POST", "event_type": "ACTION", "executions": 5, "intervals": 1000, "start_at": 0}
# What else the machine does is not ours to promise: of so many series one has to be undisturbed.
SERIES = 5


@pytest.fixture
def stack(one_of_each: Stack) -> Stack:
    """The same beat, and a worker, for all tests of this file, with nothing to do."""
    return one_of_each


def finished(stack: Stack, tag: str) -> Any:
    """The job, when nothing of it is to come."""
    stack.until(lambda: stack.get(f"jobs/{tag}/")["status"] == "completed", "it is completed")
    return stack.get(f"jobs/{tag}/")


def waits(receiver: Receiver, tag: str) -> list[float]:
    """Seconds between the calls of a job, as they came."""
    times = [call.at for call in receiver.calls if call.path == f"/{tag}"]
    return [later - earlier for earlier, later in pairwise(times)]


def test_five_executions_are_five_calls_a_second_apart_while_workers_change_and_then_it_is_over(
    stack: Stack, receiver: Receiver
) -> None:
    for number in range(SERIES):
        tag, workers = f"five-{number}", (f"worker-{number + 1}", f"worker-{number + 2}")
        stack.create_job(tag, **FIVE | {"start_at": round(time.time() * 1000) + 1000})
        stack.until(lambda tag=tag: len(waits(receiver, tag)) >= 1, "two calls")  # type: ignore[misc]
        stack.start(workers[1])
        stack.end(workers[0])
        job = finished(stack, tag)
        assert len(waits(receiver, tag)) == 4
        assert (job["executions"], job["success_count"], job["next_run_at"]) == (5, 5, None)
        history = stack.get(f"jobs/{tag}/history/")
        assert (history["total_executions"], history["successful_executions"]) == (5, 5)
        if all(abs(wait - 1) <= 0.1 for wait in waits(receiver, tag)):
            return
    pytest.fail(f"the last calls were {waits(receiver, tag)} s apart{stack.said()}")


def test_five_executions_are_five_runs_though_the_only_worker_is_killed_in_between(
    stack: Stack, receiver: Receiver
) -> None:
    stack.create_job("killed", **FIVE)
    stack.until(lambda: len(receiver.calls) >= 2, "two calls")
    [worker] = [name for name in stack.fleet() if name.startswith("worker")]
    stack.kill_worker(worker)
    stack.start("worker-9")

    finished(stack, "killed")
    runs = [run for run in stack.get("runs/?name=killed")["results"] if run["state"] != "skipped"]
    assert [run["state"] for run in runs] == ["succeeded"] * 5
    assert len({call.id for call in receiver.calls}) == 5
    moments = sorted(datetime.fromisoformat(run["occurrence"]) for run in runs)
    apart = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert all(wait >= 1 and wait == int(wait) for wait in apart), apart  # on its beat, however long that took
