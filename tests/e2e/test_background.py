"""Background tasks in real processes: killed, aborted, many at once."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle, islice
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tests.e2e.stack import Stack

pytestmark = pytest.mark.e2e

STEPS, KILLS = 300, 20
# So many are aborted; each has so many iterations.
ABORTED, LAST = 100, 3
# What `pause` says while it waits for its abort, and how long others wait that are aborted meanwhile.
HELD, LONG_S = "held", 3600


@pytest.fixture
def defined(stack: Stack) -> Iterator[Stack]:
    """Web, beats and workers that know the definitions of these tests."""
    before = stack.environment
    stack.environment = {**before, "BACKGROUND_TASKS": "tests.e2e.background_tasks"}
    stack.kill("web")
    stack.start("web")
    yield stack
    stack.environment = before
    stack.kill("web")
    stack.start("web")


def trigger(stack: Stack, definition: str, *, delay: int = 0, **given: Any) -> str:
    reply = stack.request("POST", "background-tasks/", {"definition": definition, "input": given, "delay": delay})
    assert reply.status == 201, reply.data
    return str(reply.data["id"])


def run_of(stack: Stack, task: str) -> tuple[str, int, str | None]:
    """State, iteration, and the worker that has it."""
    [(state, iteration, worker)] = stack.sql(
        "SELECT r.state, r.iteration, w.name "
        "FROM runs_run r LEFT JOIN runs_worker w ON w.id = r.worker WHERE r.id = %s",
        task,
    )
    return state, iteration, worker


def holder_in(stack: Stack, task: str, iteration: int) -> str:
    """The name of the worker that has it in this iteration, empty without one."""
    _, reached, worker = run_of(stack, task)
    return worker or "" if reached == iteration else ""


def test_each_iteration_counts_once_however_often_workers_are_killed(defined: Stack, tmp_path: Path) -> None:
    numbers, chance = count(1), random.Random(8)
    names: dict[str, str] = {}

    def one_more() -> None:
        name = f"worker-{next(numbers)}"
        defined.start(name)
        names[f":{defined.pid(name)}"] = name

    defined.start("beat-1")
    one_more()
    one_more()
    every = STEPS // KILLS
    task = trigger(defined, "countUp", steps=STEPS, every=every, folder=str(tmp_path))
    for gate in range(every, STEPS + 1, every):
        defined.until(lambda gate=gate: holder_in(defined, task, gate), f"it waits in {gate}")  # type: ignore[misc]
        defined.hasten_rescue()
        ending = next(ending for ending in names if holder_in(defined, task, gate).endswith(ending))
        # Whoever has it is killed at any moment: in the code, while that is written down, or some iterations later.
        (tmp_path / str(gate)).touch()
        Event().wait(chance.uniform(0, 0.1))
        defined.kill_worker(names.pop(ending))
        one_more()
    defined.until(lambda: run_of(defined, task)[0] in {"succeeded", "failed"}, "it is over")

    [(state, output, rescued)] = defined.sql(
        "SELECT state, output, (SELECT count(*) FROM runs_logline l WHERE l.run_id = r.id AND message LIKE 'Rescued%%')"
        " FROM runs_run r WHERE id = %s",
        task,
    )
    assert (state, output["counted"]) == ("succeeded", STEPS)
    assert rescued > 0
    said = {line for (line,) in defined.sql("SELECT message FROM runs_logline WHERE run_id = %s", task)}
    assert {f"step {number}" for number in range(1, STEPS + 1)} <= said


def moments() -> list[tuple[str, int]]:
    """When a task is aborted: before it begins, in an iteration, between two, or whenever it happens from one on."""
    each = range(1, LAST + 1)
    some = [("before", 0), *(("in", number) for number in each), *(("from", number) for number in each)]
    return [*some, *(("after", number) for number in range(1, LAST))]


def trigger_for(stack: Stack, when: str, iteration: int) -> str:
    """A task that comes to the moment, and not past it before it is aborted."""
    if when == "before":
        return trigger(stack, "pause", delay=LONG_S, steps=LAST)
    given = {"in": {"held": iteration}, "after": {"waits_after": iteration}}
    return trigger(stack, "pause", steps=LAST, **given.get(when, {}))


def has_come(stack: Stack, task: str, when: str, iteration: int) -> bool:
    """Whether it is there."""
    if when == "in":
        return stack.sql("SELECT progress_message FROM tasks_backgroundrun WHERE run_id = %s", task) == [(HELD,)]
    state, reached, _ = run_of(stack, task)
    return (state, reached) == ("scheduled", iteration + 1) if when == "after" else reached >= iteration


def test_what_was_aborted_never_ends_otherwise(defined: Stack) -> None:
    defined.start("beat-1", "worker-1", "worker-2")
    when_of: dict[str, tuple[str, int]] = {}
    accepted: dict[str, bool] = {}

    def one(when: str, iteration: int) -> None:
        task = trigger_for(defined, when, iteration)
        when_of[task] = when, iteration
        defined.until(lambda: has_come(defined, task, when, iteration), f"{when} {iteration}")
        reply = defined.request("POST", f"background-tasks/{task}/abort/", {"message": "Enough."})
        accepted[task] = reply.status == 200

    chosen = list(islice(cycle(moments()), ABORTED))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda moment: one(*moment), chosen))
    defined.until(
        lambda: not defined.sql("SELECT FROM runs_run WHERE kind = 'background' AND finished_at IS NULL"),
        "all are over",
    )
    found = defined.sql("SELECT id::text, state, iteration FROM runs_run WHERE kind = 'background'")
    states = {task: state for task, state, _ in found}
    assert len(states) == ABORTED
    assert {
        task: states[task] for task in states if states[task] != ("aborted" if accepted[task] else "succeeded")
    } == {}
    assert all(accepted[task] for task, (when, _) in when_of.items() if when != "from")
    # Each ended in the iteration in which it was aborted, the last one among them.
    held = {task: iteration for task, (when, iteration) in when_of.items() if when == "in"}
    assert {task: iteration for task, _, iteration in found if task in held} == held
