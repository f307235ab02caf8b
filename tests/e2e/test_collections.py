"""Collections in real processes: readers see whole states and no others, whoever is killed while they are filled."""

import os
import random
import sys
from collections.abc import Iterator
from itertools import count
from threading import Event

import pytest

from tests.e2e.collecting import MODES, lines, make_collection, post
from tests.e2e.polling import reading
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack
from tests.e2e.states import Feed, rows_after

pytestmark = pytest.mark.e2e

# How often each collection is filled, and how many workers are killed meanwhile: at the least one in each of the three
# ways of writing. `COLLECTION_RUNS=50` does it longer.
RUNS = int(os.environ.get("COLLECTION_RUNS", "12"))
KILLS = max(3, RUNS // 4)
KILLED = MODES[::2] + MODES[1::2]

# What becomes of a page, most of the time, that is asked for by the cursor of the one before it after a swap.
NEXT_PAGE = {
    "normal": "told to begin anew",
    "upserted": "gone on in the newest",
    "accumulative": "gone on in the newest",
    "versioned": "in the version before",
    "upserted_versioned": "in the version before",
    "accumulative_versioned": "in the version before",
}


@pytest.fixture
def filled(stack: Stack, receiver: Receiver) -> Stack:
    """A job with an active collection for each mode, none of which has run."""
    receiver.answer = Feed()
    for mode in MODES:
        make_collection(stack, mode, mode=mode, source=lines(f"{receiver.url}/{mode}"))
    return stack


def unfinished(stack: Stack) -> int:
    [(number,)] = stack.sql("SELECT count(*) FROM runs_run WHERE kind = 'slurp' AND finished_at IS NULL")
    return int(number)


def at_work(stack: Stack) -> list[str]:
    """The workers that fill something just now."""
    found = stack.sql("SELECT w.name FROM runs_worker w JOIN runs_run r ON r.worker = w.id WHERE r.state = 'running'")
    busy = {int(name.rpartition(":")[2]) for (name,) in found}
    return [name for name in stack.fleet() if stack.pid(name) in busy]


def kill_one(stack: Stack, left: int, chance: random.Random) -> None:
    """Kill one that is at work, at any moment, when no more runs than these are left."""
    busy: list[str] = []

    def is_there() -> bool:
        busy[:] = at_work(stack) if unfinished(stack) <= left else []
        return bool(busy)

    stack.until(is_there, f"{left} are left and one is running")
    Event().wait(chance.uniform(0, 0.1))
    stack.kill_worker(chance.choice(busy))


def fill(stack: Stack, mode: str, workers: Iterator[str], chance: random.Random) -> None:
    """Run its job so often, and kill who does it some times."""
    stack.hasten_rescue()
    for _ in range(RUNS):
        post(stack, f"async-jobs/{mode}/run/")
    kills = len(range(KILLED.index(mode), KILLS, len(KILLED)))
    for kill in range(kills):
        kill_one(stack, RUNS * (kills - kill) // (kills + 1), chance)
        stack.begin(next(workers))  # until it is at work, there is the other one
    stack.until(lambda: not unfinished(stack), "all are over", seconds=300 + 20 * RUNS)


def test_readers_see_whole_states_only_while_workers_are_killed(filled: Stack) -> None:
    workers, chance = (f"worker-{number}" for number in count(1)), random.Random(9)
    filled.start("beat-1", next(workers))
    filled.begin(next(workers))
    readers = []
    for mode in MODES:  # one after the other: two cores cannot answer six readers a hundred times a second each
        with reading(filled, mode) as reader:
            fill(filled, mode, workers, chance)
        readers.append(reader)
    sys.stdout.write("".join(f"{reader.said}\n" for reader in readers))
    [(rescued,)] = filled.sql("SELECT count(*) FROM runs_logline WHERE message LIKE 'Rescued%'")
    sys.stdout.write(f"{KILLS} workers were killed, {rescued} of them in a run\n")
    assert [wrong for reader in readers for wrong in (*reader.wrong, *reader.pager.wrong)] == []
    # It was tried at all: pages were turned after swaps, and most of the states were seen.
    assert [reader.mode for reader in readers if not reader.pager.counted[NEXT_PAGE[reader.mode]]] == []
    assert min(len(reader.states) for reader in readers) > 1

    assert filled.sql("SELECT DISTINCT state FROM runs_run WHERE kind = 'slurp'") == [("succeeded",)]
    # Each run was counted once: none was lost, none stored twice.
    assert {numbered for (numbered,) in filled.sql("SELECT numbered FROM collections_collection")} == {RUNS}
    assert filled.sql("SELECT count(*) FROM collections_version WHERE stage <> 'ready'") == [(0,)]
    for reader in readers:
        assert filled.get(f"collections/{reader.mode}/") == rows_after(reader.mode, reader.states[RUNS])
