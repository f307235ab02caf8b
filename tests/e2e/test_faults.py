"""Kill it in the middle of the work, and count: every occurrence ends as exactly one finished run."""

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.books import check, finished, plant
from tests.e2e.receiver import Answer, Call, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

RUNS, PATIENCE_S = 500, 90
# So many calls come before it is struck.
BEFORE = RUNS // 4
# A worker has at most 100 calls to one host in the air: when 150 are held, each of two has 50.
HELD = 150


@pytest.fixture(scope="module")
def _struck(_whole_stack: Stack) -> Iterator[Stack]:
    yield _whole_stack
    _whole_stack.clear()


@pytest.fixture
def stack(_struck: Stack) -> Iterator[Stack]:
    """A beat and two workers, which go on from one strike to the next one, with nothing to do."""
    _struck.start(*[name for name in ("beat-1", "worker-1", "worker-2") if name not in _struck.fleet()])
    yield _struck
    _struck.forget()


def kill_a_worker(stack: Stack) -> None:
    stack.kill_worker("worker-1")
    stack.start("worker-1")


def kill_beat(stack: Stack) -> None:
    stack.kill("beat-1")
    stack.start("beat-1")


def empty_the_broker(stack: Stack) -> None:
    with stack.valkey() as client:
        client.flushall()


def kill_the_broker(stack: Stack) -> None:
    stack.kill("valkey")
    stack.start("valkey")


def kill_the_database(stack: Stack) -> None:
    stack.signal("postgres", signal.SIGKILL)
    stack.receiver.open("strike")  # results come while nobody can take them
    stack.kill("postgres")
    stack.start("postgres")


@pytest.mark.parametrize(
    "strike", [kill_a_worker, kill_beat, empty_the_broker, kill_the_broker, kill_the_database], ids=lambda f: f.__name__
)
def test_every_occurrence_ends_as_exactly_one_finished_run(
    stack: Stack, receiver: Receiver, strike: Callable[[Stack], None]
) -> None:
    def held_for_the_strike(call: Call) -> Answer:
        return Answer(gate="strike" if call.index >= BEFORE else "")

    receiver.answer = held_for_the_strike
    plant(stack, RUNS, over_s=2)
    stack.until(lambda: len(receiver.calls) >= BEFORE + HELD, f"{BEFORE + HELD} calls")
    strike(stack)
    receiver.open("strike")

    stack.until(lambda: finished(stack) == RUNS, "every run is over", seconds=PATIENCE_S)
    handed_back = check(stack, RUNS)
    # Only what dies with calls in the air makes them come again.
    assert bool(handed_back["Rescued"]) is (strike is kill_a_worker), handed_back
    assert (len(receiver.calls) > RUNS) is (strike is kill_a_worker)


def test_what_rest_accepted_is_there_after_kill_9_of_the_database_and_of_web(stack: Stack, receiver: Receiver) -> None:
    stack.kill(*stack.fleet())
    tags = [f"kept-{number}" for number in range(20)]
    for tag in tags:
        stack.create_job(tag, verb="POST", body=tag)
    run = stack.request("POST", "jobs/kept-0/run/").data["id"]
    stack.kill("postgres", "web")
    stack.start("postgres", "web")

    assert {job["tag"] for job in stack.get("jobs/")["results"]} == set(tags)
    stack.start("beat-1", "worker-1")
    stack.until(lambda: stack.get(f"runs/{run}/")["state"] == "succeeded", "the run that was accepted")
    assert [(call.id, call.body) for call in receiver.calls] == [(run, b"kept-0")]
