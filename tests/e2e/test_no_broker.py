"""Without a broker everything goes on: the rows are the truth, and the doorbell only saves a second."""

import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.e2e.books import check, finished, plant
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def _broker_comes_back(stack: Stack) -> Iterator[None]:
    yield
    stack.kill("valkey")
    stack.start("valkey")


@pytest.mark.usefixtures("_broker_comes_back")
def test_what_starts_without_a_broker_does_all_its_work(stack: Stack, receiver: Receiver) -> None:
    stack.kill("valkey")
    stack.start("beat-1", "worker-1")

    due = datetime.now(UTC)
    stack.create_job("alone", verb="POST", run_at=due.isoformat())
    stack.until(lambda: stack.get("jobs/alone/results/")["results"], "its result")
    assert receiver.calls[0].at - due.timestamp() < 3  # a second for the poll, and the web's own try at the broker

    run = stack.request("POST", "jobs/alone/run/").data
    asked = datetime.now(UTC).timestamp()
    stack.until(lambda: stack.get(f"runs/{run['id']}/")["state"] == "succeeded", "the second run")
    assert receiver.calls[1].at - asked < 1.5

    plant(stack, 300, over_s=2)
    stack.until(lambda: finished(stack) == 302, "every run is over")
    assert check(stack, 300) == {}


def dies(stack: Stack) -> None:
    stack.kill("valkey")


def hangs(stack: Stack) -> None:
    stack.signal("valkey", signal.SIGSTOP)


@pytest.mark.usefixtures("_broker_comes_back")
@pytest.mark.parametrize("fails", [dies, hangs])
def test_a_broker_that_dies_or_hangs_is_missed_by_nobody(
    stack: Stack, receiver: Receiver, fails: Callable[[Stack], None]
) -> None:
    stack.start("beat-1", "worker-1")
    stack.create_job("before", verb="GET", run_at=datetime.now(UTC).isoformat())
    stack.until(lambda: receiver.calls, "the first call")
    fails(stack)

    plant(stack, 300, over_s=2)
    stack.until(lambda: finished(stack) == 301, "every run is over")
    assert check(stack, 300) == {}
    late = stack.sql("SELECT max(extract(epoch FROM started_at - occurrence))::float FROM runs_run")
    assert late[0][0] < 3, "a second until beat looks, and one until a worker does"


@pytest.mark.usefixtures("_broker_comes_back")
def test_what_a_dead_worker_held_is_taken_back_without_a_broker(stack: Stack, receiver: Receiver) -> None:
    receiver.answer = lambda call: Answer(gate="never" if call.nth == 1 else "")
    stack.kill("valkey")
    stack.start("beat-1", "worker-1")
    plant(stack, 20)
    stack.until(lambda: len(receiver.calls) == 20, "the calls")
    stack.signal("worker-1", signal.SIGKILL)
    stack.start("worker-2")
    stack.let_lease_run_out("worker-1")

    stack.until(lambda: finished(stack) == 20, "every run is over")
    assert check(stack, 20) == {"Rescued": 20}


@pytest.mark.usefixtures("_broker_comes_back")
def test_a_worker_without_a_broker_ends_when_it_is_asked_to(stack: Stack) -> None:
    stack.kill("valkey")
    stack.start("beat-1", "worker-1")
    assert stack.end("worker-1") < 10
    assert stack.end("beat-1") < 10
    assert stack.sql("SELECT count(*) FROM runs_worker") == [(0,)]
