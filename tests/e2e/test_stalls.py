"""Database connections that say nothing any more: their server processes stand still, and TCP notices nothing."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.books import plant
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

# What a beat or a worker may wait for an answer, until it has a new connection and goes on.
MOST_S = 25
THEIRS = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
# It waits for its client and for nothing else, with no transaction: so it holds no lock, not even one of a moment.
LISTENS = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state = 'idle' AND wait_event = 'ClientRead'"


@pytest.fixture
def stopped() -> Iterator[list[int]]:
    """Processes of the database that a test has stopped."""
    pids: list[int] = []
    yield pids
    let_go(pids)


def let_go(pids: list[int]) -> None:
    """Let them go on. Those whose client is gone end at once."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    pids.clear()


def stop_all(stack: Stack, stopped: list[int]) -> bool:
    """Stop each of these processes while it does nothing: what stands still with locks would stop everybody."""
    for (pid,) in stack.sql(THEIRS):
        if pid not in stopped:
            os.kill(pid, signal.SIGSTOP)
            stack.until(lambda pid=pid: stands_still(pid), "it stands still")  # type: ignore[misc]
            if stack.sql(LISTENS, pid):
                stopped.append(pid)
            else:
                os.kill(pid, signal.SIGCONT)
    return {pid for (pid,) in stack.sql(THEIRS)} <= {*stopped}


def stands_still(pid: int) -> bool:
    """Whether a signal to stop has arrived: it is sent sooner than it is heard. One that ended stands still, too."""
    with contextlib.suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "Tt"
    return True


def test_beats_and_workers_get_new_connections_when_theirs_stand_still(
    stack: Stack, receiver: Receiver, stopped: list[int]
) -> None:
    stack.start("beat-1", "beat-2", "worker-1", "worker-2")
    # A result that waits for its answer keeps its run running for as long as writing may take: others go beside it.
    plant(stack, 20, run_every="PT1S", overlap="allow")
    stack.until(lambda: len(receiver.calls) >= 40, "two rounds")

    stack.until(lambda: stop_all(stack, stopped), "all of them stand still")
    made = len(receiver.calls)
    stack.until(lambda: len(receiver.calls) >= made + 100, "work goes on", seconds=MOST_S)

    let_go(stopped)
    stack.sql("UPDATE runs_runnable SET enabled = false, next_run_at = NULL")
    stack.until(lambda: stack.sql("SELECT count(*) FROM runs_run WHERE finished_at IS NULL") == [(0,)], "the end")
    # While nobody looked, some were missed.
    assert stack.sql("SELECT DISTINCT state FROM runs_run WHERE state NOT IN ('succeeded', 'skipped')") == []
    twice = "SELECT runnable_id, occurrence FROM runs_run GROUP BY 1, 2 HAVING count(*) > 1"
    assert stack.sql(twice) == []
