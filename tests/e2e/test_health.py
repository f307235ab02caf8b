"""`/healthz` turns 503 when something is missing, says what, and comes back to 200 by itself."""

import pytest

from tests.e2e.books import plant
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


def until_it_says(stack: Stack, code: int, /, **expected: object) -> None:
    """Wait for an answer with this status and these fields."""

    def says_so() -> bool:
        reply = stack.request("GET", "/healthz")
        return reply.status == code and {**reply.data, **expected} == reply.data

    stack.until(says_so, f"{code} with {expected}")


WELL = {"status": "ok", "database": "ok", "broker": "ok", "workers": 1}


def test_it_is_503_without_a_worker(stack: Stack) -> None:
    until_it_says(stack, 503, status="failing", database="ok", broker="ok", workers=0)
    stack.start("worker-1")
    until_it_says(stack, 200, **WELL)
    stack.end("worker-1")
    until_it_says(stack, 503, workers=0)


def test_it_is_503_while_beat_is_more_than_ten_seconds_late(stack: Stack) -> None:
    stack.start("worker-1")
    plant(stack, 1)
    until_it_says(stack, 200, **WELL)

    stack.sql("UPDATE runs_runnable SET next_run_at = now() - interval '11 s' WHERE name = 'job-1'")
    until_it_says(stack, 503, database="ok", workers=1)
    assert stack.request("GET", "/healthz").data["dispatcher_lag_ms"] >= 11_000

    stack.start("beat-1")
    until_it_says(stack, 200, **WELL, dispatcher_lag_ms=0)


@pytest.mark.parametrize(("server", "part"), [("postgres", "database"), ("valkey", "broker")])
def test_it_is_503_without_a_server_and_recovers_when_it_is_back(stack: Stack, server: str, part: str) -> None:
    stack.start("beat-1", "worker-1")
    until_it_says(stack, 200, **WELL)

    stack.kill(server)
    try:
        until_it_says(stack, 503, **{"status": "failing", part: "down"})
    finally:
        stack.start(server)
    until_it_says(stack, 200, **WELL)
