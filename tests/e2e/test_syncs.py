"""A task over many keys whose worker dies, or stands still, in the middle: every key is old or new, and has one row."""

import signal
from typing import Any

import pytest

from tests.e2e.receiver import Answer, Call, Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

KEYS = 200
# So many are answered before the others are held; a run has so many calls in the air.
BEFORE, AT_ONCE = 60, 100
TABLES = "tasks_keysync, tasks_cachedvalue, tasks_taskkey, tasks_task, tasks_cachekey, sources_datasource"


@pytest.fixture
def run(stack: Stack, receiver: Receiver) -> Any:
    """A task over KEYS keys that have an old value each, and begins to fetch new ones when it is called."""
    stack.sql(f"TRUNCATE {TABLES} CASCADE".encode())
    source = {"tag": "shop", "type": "REST", "configuration": {"url": f"{receiver.url}/{{{{ID}}}}"}}
    assert stack.request("POST", "sources/", source).status == 201
    keys = [{"name": f"product-{n}", "source": "shop", "variables": {"ID": str(n)}} for n in range(KEYS)]
    assert stack.request("POST", "keys/bulk/", {"keys": keys}).status == 200
    task = {"tag": "all", "type": "on_demand", "selection": "prefix", "pattern": "product-"}
    assert stack.request("POST", "tasks/", task).status == 201
    stack.sql(
        "INSERT INTO tasks_cachedvalue (key_id, body, bytes, etag, fetched_at, error_class, error)"
        " SELECT id, '\"old\"', 5, 'old', now() - interval '1 hour', '', '' FROM tasks_cachekey"
        " ON CONFLICT (key_id) DO UPDATE SET body = excluded.body, etag = excluded.etag,"
        " fetched_at = excluded.fetched_at"
    )
    yield lambda: str(stack.request("POST", "tasks/all/run/", {}).data["id"])
    stack.sql(f"TRUNCATE {TABLES} CASCADE".encode())


def held(call: Call) -> Answer:
    """Most wait: those of the first worker at one gate, those of the next one at another."""
    return Answer(gate="" if call.index < BEFORE else "first" if call.index < BEFORE + AT_ONCE else "second")


def state(stack: Stack, run_id: str) -> str:
    [(found,)] = stack.sql("SELECT state FROM runs_run WHERE id = %s", run_id)
    return str(found)


def synced(stack: Stack) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM tasks_keysync WHERE state = 'succeeded'")
    return int(count)


def check_values(stack: Stack) -> None:
    """A key is new with its row, or old, and its row waits."""
    rows = stack.sql(
        "SELECT s.state, s.attempts, v.body, v.etag = s.etag FROM tasks_keysync s"
        " JOIN tasks_cachedvalue v ON v.key_id = s.key_id"
    )
    assert len(rows) == KEYS
    assert set(rows) <= {("succeeded", 1, '"ok"', True), ("waiting", 0, '"old"', False)}


def check_whole(stack: Stack, run_id: str) -> None:
    """Every key has one row, and its new value; and the run one attempt, that counted them."""
    check_values(stack)
    assert synced(stack) == KEYS
    [(found, attempts, output)] = stack.sql("SELECT state, attempts, output FROM runs_run WHERE id = %s", run_id)
    assert (found, attempts) == ("succeeded", 1)
    assert output == {"keys": KEYS, "succeeded": KEYS, "failed": 0, "changed": KEYS, "bytes": 4 * KEYS}


def test_kill_9_in_the_middle_leaves_every_key_old_or_new_and_another_worker_goes_on(
    stack: Stack, receiver: Receiver, run: Any
) -> None:
    receiver.answer = held
    stack.start("beat-1", "worker-1")
    run_id = run()
    stack.until(lambda: len(receiver.calls) >= BEFORE + AT_ONCE, "the air is full")
    stack.until(lambda: synced(stack) == BEFORE, "what was answered is written")

    stack.kill_worker("worker-1")
    check_values(stack)
    stack.start("worker-2")
    stack.until(lambda: len(receiver.calls) >= BEFORE + 2 * AT_ONCE, "the next worker has it")
    check_values(stack)
    receiver.open("second")

    stack.until(lambda: state(stack, run_id) == "succeeded", "the run is over")
    check_whole(stack, run_id)
    said = [line for (line,) in stack.sql("SELECT message FROM runs_logline WHERE run_id = %s ORDER BY id", run_id)]
    assert [line.partition(":")[0] for line in said] == [f"{KEYS} keys begin with “product-”.", "Rescued"]


def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(stack: Stack, receiver: Receiver, run: Any) -> None:
    receiver.answer = held
    stack.start("beat-1", "worker-1")
    run_id = run()
    stack.until(lambda: len(receiver.calls) >= BEFORE + AT_ONCE, "the air is full")
    stack.until(lambda: synced(stack) == BEFORE, "what was answered is written")
    [(stopped,)] = stack.sql("SELECT id::text FROM runs_worker WHERE queue = 'io'")
    stack.signal("worker-1", signal.SIGSTOP)
    stack.start("worker-2")
    stack.let_lease_run_out("worker-1")
    stack.until(lambda: len(receiver.calls) >= BEFORE + 2 * AT_ONCE, "the next worker has it")

    receiver.open("first")
    stack.signal("worker-1", signal.SIGCONT)
    awake = "SELECT 1 FROM runs_worker WHERE id = %s AND seen_at > clock_timestamp() - interval '1 s'"
    stack.until(lambda: stack.sql(awake, stopped), "the first worker is awake")
    assert synced(stack) == BEFORE
    receiver.open("second")

    stack.until(lambda: state(stack, run_id) == "succeeded", "the run is over")
    check_whole(stack, run_id)
