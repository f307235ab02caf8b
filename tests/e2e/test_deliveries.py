"""Deliveries whose worker dies in the middle: each act is done once, and what it causes runs once by the books."""

import http.client
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

DELIVERIES = 200
# It takes a while, so that a worker is in the middle of many.
CODE = """
const end = Date.now() + 20; while (Date.now() < end);
return {variables: {N: body.n}};
"""
# Of each: two runs by two actions.
ACTS = 2 * DELIVERIES


@pytest.fixture
def path(stack: Stack, receiver: Receiver) -> Any:
    """The path of a hook with a transform and two actions, each of which runs a job that calls the receiver."""
    for tag in ("bill", "ship"):
        stack.create_job(tag, verb="POST", overlap="allow")
    actions = [{"name": tag, "type": "job", "job": tag} for tag in ("bill", "ship")]
    reply = stack.request("POST", "hooks/", {"tag": "orders", "transform": CODE, "actions": actions})
    assert reply.status == 201, reply
    yield urlsplit(reply.data["url"]).path
    stack.sql(b"TRUNCATE webhooks_hook, webhooks_delivery, webhooks_act, webhooks_seen CASCADE")


def send(stack: Stack, path: str, count: int) -> list[str]:
    """Call it so often. Returns the ids that were answered."""
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
    ids = []
    for n in range(count):
        connection.request("POST", path, f'{{"n": {n}}}', {"Content-Type": "application/json"})
        response = connection.getresponse()
        said = response.read().decode()
        assert response.status == 202, said
        ids.append(said.split('"')[3])
    connection.close()
    return ids


def acts(stack: Stack, state: str) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM webhooks_act WHERE state = %s", state)
    return int(count)


def over(stack: Stack, kind: str) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM runs_run WHERE kind = %s AND state = 'succeeded'", kind)
    return int(count)


def test_kill_9_in_the_middle_leaves_no_act_undone_and_none_done_twice(
    stack: Stack, receiver: Receiver, path: str
) -> None:
    ids = send(stack, path, DELIVERIES)
    stack.start("beat-1", "worker-1")
    stack.until(lambda: acts(stack, "done") >= ACTS // 4, "it is in the middle")

    stack.kill_worker("worker-1")
    done = acts(stack, "done")
    assert done < ACTS
    stack.start("worker-2")

    stack.until(lambda: over(stack, "delivery") == DELIVERIES, "all deliveries are over")
    stack.until(lambda: over(stack, "http") >= ACTS, "all that they caused is over")
    assert acts(stack, "done") == ACTS
    rows = stack.sql("SELECT delivery_id::text, name, caused, given -> 'variables' ->> 'N' FROM webhooks_act")
    assert Counter((delivery, name) for delivery, name, _, _ in rows) == Counter(
        (one, name) for one in ids for name in ("bill", "ship")
    )
    assert {ids[int(n)] for _, _, _, n in rows} == set(ids)
    caused = {str(run_id) for _, _, run_id, _ in rows}
    made = {str(run_id) for (run_id,) in stack.sql("SELECT id FROM runs_run WHERE kind = 'http'")}
    assert caused == made
    assert len(made) == ACTS
    assert {call.id for call in receiver.calls} == made
    failed = stack.sql("SELECT number, error_class, error, duration_ms FROM runs_attempt WHERE NOT ok")
    [(attempts,)] = stack.sql("SELECT max(attempts) FROM runs_run WHERE kind = 'delivery'")
    assert attempts == 1, failed
