"""A job by REST, called on time, its result in REST; and one that is tried again."""

import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from badgerjobs.lib import signatures
from tests.e2e.receiver import Answer, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture
def stack(one_of_each: Stack) -> Stack:
    """The same beat and worker for all tests of this file, with nothing to do."""
    return one_of_each


def test_the_result_of_a_due_job_is_in_rest_within_two_seconds(stack: Stack, receiver: Receiver) -> None:
    due = datetime.now(UTC)
    stack.create_job("first", verb="POST", body="hello", run_at=due.isoformat())

    stack.until(lambda: stack.get("jobs/first/results/")["results"], "its result")

    assert time.time() - due.timestamp() < 2
    [call] = receiver.calls
    assert (call.method, call.path, call.body) == ("POST", "/first", b"hello")
    [result] = stack.get("jobs/first/results/")["results"]
    assert (result["status"], result["body"], result["attempt"], result["run_id"]) == (200, "ok", 1, call.id)
    job = stack.get("jobs/first/")
    assert (job["success_count"], job["failure_count"], job["next_run_at"]) == (1, 0, None)


def test_a_job_of_the_future_is_called_when_it_is_due_and_not_before(stack: Stack, receiver: Receiver) -> None:
    due = time.time() + 1.5
    stack.create_job("later", verb="GET", run_at=datetime.fromtimestamp(due, UTC).isoformat())

    stack.until(lambda: receiver.calls, "the call")

    assert 0 <= receiver.calls[0].at - due < 0.5


def test_a_failing_call_is_tried_again_under_the_same_id_and_every_attempt_is_shown(
    stack: Stack, receiver: Receiver
) -> None:
    receiver.answer = lambda call: Answer(503 if call.nth < 3 else 200)
    stack.create_job("flaky", verb="PUT", body="again")
    stack.sql("UPDATE runs_runnable SET retry_step_s = 1 WHERE name = 'flaky'")

    run = stack.request("POST", "jobs/flaky/run/").data["id"]
    stack.until(lambda: stack.get(f"runs/{run}/")["state"] == "succeeded", "success")

    calls = receiver.calls
    assert [call.id for call in calls] == [run] * 3
    assert [call.headers["idempotency-key"] for call in calls] == [run] * 3
    waits = [later.at - earlier.at for earlier, later in pairwise(calls)]
    assert all(step <= wait < step + 1 for step, wait in zip((1, 2), waits, strict=True)), waits
    shown = stack.get(f"runs/{run}/")
    assert [(one["number"], one["ok"], one["result"]["status"]) for one in shown["attempts"]] == [
        (1, False, 503),
        (2, False, 503),
        (3, True, 200),
    ]
    assert [(line["level"], line["attempt"]) for line in shown["log"]] == [("warning", 1), ("warning", 2)]
    results = stack.get("jobs/flaky/results/")["results"]
    assert [(one["run"], one["attempt"]) for one in results] == [(1, 3), (1, 2), (1, 1)]


def test_every_call_is_signed_with_the_key_that_the_application_reads(stack: Stack, receiver: Receiver) -> None:
    stack.create_job("signed", verb="POST", body="hello", run_at=datetime.now(UTC).isoformat())
    stack.until(lambda: receiver.calls, "the call")

    key = stack.get("application/signing-key/")["signing_key"]
    call = receiver.calls[0]
    stamp, signature = call.headers["webhook-timestamp"], call.headers["webhook-signature"]
    signatures.verify(key, call.id, stamp, signature, call.body, now=call.at)
    with pytest.raises(signatures.BadSignatureError):
        signatures.verify(key, call.id, stamp, signature, call.body + b"!", now=call.at)
