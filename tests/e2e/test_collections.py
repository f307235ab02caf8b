"""Collections in real processes: readers see whole states and no others, whoever is killed while they are filled."""

import json
import os
import random
import sys
import time
from collections import Counter
from threading import Event, Thread
from typing import Any

import pytest

from tests.e2e.collecting import MODES, lines, make_collection, post
from tests.e2e.receiver import Answer, Call, Receiver
from tests.e2e.stack import Reply, Stack

pytestmark = pytest.mark.e2e

# How often each collection is filled, and how many workers are killed meanwhile. `COLLECTION_RUNS=50` does it longer.
RUNS = int(os.environ.get("COLLECTION_RUNS", "12"))
KILLS = max(3, RUNS // 4)
# So many rows come each time; of an upsert, one more that was not there.
ROWS = 20
POLL_S = 0.01


class Feed:
    """Answers each call with rows that say which call of their source it was."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()

    def __call__(self, call: Call) -> Answer:
        self._calls[call.path] += 1
        nth = self._calls[call.path]
        rows = [{"id": number, "nth": nth} for number in range(ROWS)]
        if "upserted" in call.path:
            rows.append({"id": ROWS + nth, "nth": nth})
        return Answer(body="".join(f"{json.dumps(row)}\n" for row in rows).encode())


def is_whole(mode: str, rows: list[dict[str, Any]]) -> bool:
    """Whether these are the rows of a state that some run left."""
    counts = Counter(row["nth"] for row in rows)
    if mode.startswith("accumulative"):
        return set(counts.values()) == {ROWS}
    if mode.startswith("upserted"):
        newest = max(counts)
        return counts.pop(newest) == ROWS + 1 and set(counts.values()) <= {1}
    return list(counts.values()) == [ROWS]


class Reader:
    """Reads all collections in turn, until it is told to stop. `seen` are whole states, `wrong` all else.

    `longest_s` is how long it had to wait for an answer.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = Event()
        self._thread = Thread(target=self._read, name="reader")
        self.seen: dict[str, set[int]] = {mode: set() for mode in MODES}
        self.wrong: list[Any] = []
        self.reads, self.longest_s = 0, 0.0

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.wait(POLL_S):
            for mode in MODES:
                began = time.monotonic()
                self._look(mode, self._stack.request("GET", f"collections/{mode}/"))
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                self.reads += 1

    def _look(self, mode: str, reply: Reply) -> None:
        seen = self.seen[mode]
        if reply.status != 200 or (not is_whole(mode, reply.data) if reply.data else seen):
            self.wrong.append((mode, reply))
        elif reply.data:
            newest = max(row["nth"] for row in reply.data)
            if seen and newest < max(seen):
                self.wrong.append((mode, "an older state", newest))
            seen.add(newest)


@pytest.fixture
def filled(stack: Stack, receiver: Receiver) -> Stack:
    """A job with an active collection for each mode, none of which has run."""
    receiver.answer = Feed()
    for mode in MODES:
        make_collection(stack, mode, mode=mode, source=lines(f"{receiver.url}/{mode}"))
    return stack


def unfinished(stack: Stack) -> int:
    [(count,)] = stack.sql("SELECT count(*) FROM runs_run WHERE kind = 'slurp' AND finished_at IS NULL")
    return int(count)


def test_readers_see_whole_states_only_while_workers_are_killed(filled: Stack) -> None:
    chance = random.Random(9)
    filled.start("beat-1", "worker-1", "worker-2")
    filled.sql("UPDATE django_celery_beat_intervalschedule SET every = 1 WHERE every = 5 AND period = 'seconds'")
    with Reader(filled) as reader:
        for _ in range(RUNS):
            for mode in MODES:
                post(filled, f"async-jobs/{mode}/run/")
        for kill in range(KILLS):
            left = len(MODES) * RUNS * (KILLS - kill) // (KILLS + 1)
            filled.until(lambda left=left: unfinished(filled) <= left, f"{left} are left")  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.1))  # at any moment
            name = f"worker-{kill + 1}"
            filled.kill_worker(name)
            filled.start(f"worker-{kill + 3}")
        filled.until(lambda: not unfinished(filled), "all are over", seconds=300 + 20 * RUNS)
    states = {mode: len(seen) for mode, seen in reader.seen.items()}
    sys.stdout.write(f"{reader.reads:,} reads, the longest {reader.longest_s * 1000:.0f} ms; states seen: {states}\n")
    assert reader.wrong == []
    assert min(states.values()) > 1

    assert filled.sql("SELECT DISTINCT state FROM runs_run WHERE kind = 'slurp'") == [("succeeded",)]
    for mode in MODES:
        rows = filled.get(f"collections/{mode}/")
        assert is_whole(mode, rows)
        expected = {"accumulative": ROWS * RUNS, "upserted": ROWS + RUNS}.get(mode.removesuffix("_versioned"), ROWS)
        assert len(rows) == expected, mode
    # Each run was counted once: none was lost, none stored twice.
    assert {numbered for (numbered,) in filled.sql("SELECT numbered FROM collections_collection")} == {RUNS}
    assert filled.sql("SELECT count(*) FROM collections_version WHERE stage <> 'ready'") == [(0,)]
