"""I10: of background tasks, each thing that must not be, planted once, is found, and nothing else is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chaos.books import Books, Line, Run, Task
from chaos.checks.background import Aborting, Order, Orders, Told, aborts, answers, children, kept, over, triggered
from chaos.checks.ends import ends
from tests.chaos.stories import START, attempt, run

STEPS, T = 3, START.timestamp()
COUNTS, BRANCHES = "drillCount", "drillBranch"
ORDER = Order(1, "red", COUNTS, STEPS)
ACCEPTED = Told(ORDER, 201, "t1")
PARENTS = Order(1, "red", BRANCHES, STEPS, children=2)
LEFT = {"counted": STEPS, "kept": [1, 2, 3]}
GIVEN = {"number": 1, "steps": STEPS, "passed": STEPS - 1}
TASK = Task(
    "t1", "red", COUNTS, "", "succeeded", STEPS, attempts=STEPS, error="", finished_at=START, has_place=False,
    input=GIVEN, output=LEFT,
)  # fmt: skip


def task(**fields: Any) -> Task:
    """The task that was asked for: succeeded, unless said otherwise."""
    return replace(TASK, **fields)


# Aborted in its second iteration, and when that was answered.
STOPPED = task(
    state="aborted", iteration=2, attempts=1, error="Enough.", input={**GIVEN, "passed": 1},
    output={"counted": 1, "kept": [1]},
)  # fmt: skip
STOPPING = Aborting("t1", 200, T + 1)


def lines(of: Task) -> list[Line]:
    """What the log of such a task has to say."""
    done = of.iteration - (of.state != "succeeded")
    said = [Line(number, f"step {number}") for number in range(1, done + 1)]
    return [*said, *(Line(number, "Task continuing.") for number in range(1, of.iteration))]


def engine_run(of: Task) -> Run:
    return run(id=of.id, job="red/", cause="manual", occurrence=None, state=of.state, iteration=of.iteration,
               attempts=of.attempts, error=of.error, number=0)  # fmt: skip


def books(*tasks: Task, **fields: Any) -> Books:
    """Books of these tasks, with the runs and the logs that belong to them."""
    its = {"runs": [engine_run(one) for one in tasks], "logs": {one.id: lines(one) for one in tasks}}
    return Books(**{"tasks": list(tasks), **its, **fields})


def asked(*told: Told, order: Order = ORDER, aborting: tuple[Aborting, ...] = ()) -> Orders:
    return Orders([order], [*told] or [Told(order, 201, "t1")], [*aborting])


def judged(orders: Orders, found: Books) -> list[str]:
    """The kinds of what is wrong, by all checks."""
    checks = (triggered, over, kept, aborts, children)
    wrong = [*answers(orders), *(one for check in checks for one in check(orders, found))]
    return [one.kind for one in wrong]


def test_what_was_accepted_and_made_each_iteration_once_is_right() -> None:
    assert judged(asked(), books(task())) == []


def test_what_was_accepted_only_when_it_was_asked_for_again_is_right() -> None:
    again = [Told(ORDER, 0), Told(ORDER, 503), ACCEPTED, ACCEPTED]
    assert judged(asked(*again), books(task())) == []


@pytest.mark.parametrize("found", [books(), books(task())], ids=["not there", "there"])
def test_what_nobody_answered_may_be_there_once(found: Books) -> None:
    assert judged(asked(Told(ORDER, 0)), found) == []


def test_an_iteration_that_is_made_again_for_a_reason_is_right() -> None:
    twice = {"t1": [*lines(TASK), Line(2, "step 2")]}
    assert judged(asked(), books(task(), logs=twice, handed_back={"t1": [T]})) == []
    assert judged(asked(), books(task(attempts=STEPS + 1), logs=twice)) == []


@pytest.mark.parametrize(
    ("told", "found", "kinds"),
    [
        pytest.param(Told(ORDER, 500), books(), ["misled"], id="no answer of a trigger's"),
        pytest.param(ACCEPTED, books(), ["lost"], id="not there"),
        pytest.param(ACCEPTED, books(task(), runs=[]), ["lost"], id="without a run"),
        pytest.param(ACCEPTED, books(task(), task(id="t2")), ["doubled"], id="there twice"),
        pytest.param(Told(ORDER, 0), books(task(), task(id="t2")), ["doubled"], id="twice, and nobody was told"),
        pytest.param(ACCEPTED, books(task(tenant="blue")), ["mixed"], id="another's"),
        pytest.param(ACCEPTED, books(task(definition="drillFail")), ["mixed"], id="of another definition"),
        pytest.param(
            ACCEPTED, books(task(), task(id="t2", input={**GIVEN, "number": 9})), ["invented"], id="nobody asked for"
        ),
        pytest.param(ACCEPTED, books(task(has_place=True)), ["books"], id="over, with a place"),
        pytest.param(ACCEPTED, books(task(state="failed", error="Lost.")), ["failed"], id="failed"),
    ],
)
def test_what_was_accepted_and_is_not_there_once_or_not_well_is_found(
    told: Told, found: Books, kinds: list[str]
) -> None:
    assert judged(asked(told), found) == kinds


def test_one_id_for_two_tasks_is_found() -> None:
    other = replace(ORDER, number=2)
    orders = Orders([ORDER, other], [ACCEPTED, Told(other, 201, "t1")])
    assert judged(orders, books(task())) == ["misled", "lost"]


def test_one_that_is_stuck_is_found() -> None:
    stuck = task(state="retrying", iteration=2, attempts=1, finished_at=None)
    assert [one.kind for one in ends([engine_run(stuck)], [attempt(run="t1")])] == ["stuck"]


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        pytest.param({"output": {"counted": 2, "kept": [1, 2]}}, ["kept"], id="an effect is missing"),
        pytest.param({"output": {"counted": 4, "kept": [1, 2, 2, 3]}}, ["kept"], id="an effect is there twice"),
        pytest.param({"output": {"counted": 3, "kept": [1, 3, 3]}}, ["kept"], id="a gap"),
        pytest.param({"output": {}}, ["kept"], id="nothing left"),
        pytest.param({"input": {**GIVEN, "passed": 1}}, ["kept"], id="an input of an iteration before"),
        pytest.param(
            {"iteration": 2, "output": {"counted": 2, "kept": [1, 2]}, "input": {**GIVEN, "passed": 1}}, ["kept"],
            id="over too soon",
        ),
    ],
)  # fmt: skip
def test_an_effect_that_is_not_kept_once_is_found(fields: dict[str, Any], kinds: list[str]) -> None:
    assert judged(asked(), books(task(**fields))) == kinds


@pytest.mark.parametrize(
    ("log", "kinds"),
    [
        pytest.param([Line(1, "step 1"), Line(3, "step 3"), *lines(TASK)[STEPS:]], ["unsaid"], id="a line is missing"),
        pytest.param([*lines(TASK), Line(4, "step 4")], ["books", "repeated"], id="of an iteration that there is not"),
        pytest.param([*lines(TASK)[1:], Line(2, "step 1")], ["unsaid", "books"], id="in another iteration"),
        pytest.param(lines(TASK)[:-1], ["books"], id="an iteration without its end"),
        pytest.param([*lines(TASK), Line(1, "Task continuing.")], ["books"], id="one that ended twice"),
        pytest.param([*lines(TASK), Line(2, "step 2")], ["repeated"], id="made twice for no reason"),
    ],
)
def test_a_log_that_does_not_tell_each_iteration_is_found(log: list[Line], kinds: list[str]) -> None:
    assert judged(asked(), books(task(), logs={"t1": log})) == kinds


@pytest.mark.parametrize(
    ("status", "found", "kinds"),
    [
        pytest.param(200, STOPPED, [], id="aborted"),
        pytest.param(0, STOPPED, [], id="aborted, and nobody was told"),
        pytest.param(0, TASK, [], id="not aborted, and nobody was told"),
        pytest.param(409, TASK, [], id="over before"),
        pytest.param(200, TASK, ["unheeded"], id="succeeded all the same"),
        pytest.param(409, STOPPED, ["unheeded"], id="aborted, and refused"),
        pytest.param(404, TASK, ["misled"], id="not known"),
        pytest.param(200, replace(STOPPED, output=LEFT), ["kept"], id="what came after it is kept"),
    ],
)
def test_an_abort_holds_exactly_if_it_was_accepted(status: int, found: Task, kinds: list[str]) -> None:
    assert judged(asked(aborting=(replace(STOPPING, status=status),)), books(found)) == kinds


def test_what_nobody_aborted_is_not_aborted() -> None:
    assert judged(asked(), books(STOPPED)) == ["unheeded"]


def child(number: int, **fields: Any) -> Task:
    """A child of the task: succeeded."""
    its = {"id": f"c{number}", "parent": "t1", "input": {**GIVEN, "child": number}}
    return task(**{**its, **fields})


def parent(*found: Task, of: Task = TASK) -> Task:
    """The task, as one that has these children; it succeeded in an iteration of its own choice."""
    return replace(of, definition=BRANCHES, output={**of.output, "children": [one.id for one in found]})


def of_parent(*found: Task, aborting: tuple[Aborting, ...] = (), of: Task = TASK) -> list[str]:
    return judged(asked(order=PARENTS, aborting=aborting), books(parent(*found, of=of), *found))


def test_a_parent_with_each_of_its_children_once_is_right() -> None:
    assert of_parent(child(1), child(2)) == []
    longer = task(iteration=5, attempts=5, input={**GIVEN, "passed": 4}, output={"counted": 5, "kept": [1, 2, 3, 4, 5]})
    assert of_parent(child(1), child(2), of=longer) == []


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        pytest.param([child(1)], ["lost"], id="one is missing"),
        pytest.param([child(1), child(2), child(2, id="c2b")], ["doubled"], id="one is there twice"),
        pytest.param([child(1), child(2), child(3)], ["invented"], id="one too many"),
        pytest.param([child(1), child(2, parent="t9")], ["invented", "lost", "kept"], id="without its parent"),
        pytest.param([child(1), child(2, state="failed", error="Lost.")], ["failed"], id="one failed"),
    ],
)
def test_a_parent_whose_children_are_not_there_once_is_found(found: list[Task], kinds: list[str]) -> None:
    assert of_parent(*found) == kinds


LATER = START + timedelta(seconds=9)


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        pytest.param(replace(STOPPED, id="c1", parent="t1"), [], id="aborted with it"),
        pytest.param(child(1, finished_at=START + timedelta(seconds=1)), [], id="over before"),
        pytest.param(child(1, finished_at=LATER), ["unheeded"], id="went on"),
        pytest.param(child(1, state="running", finished_at=None), ["unheeded"], id="goes on"),
    ],
)
def test_children_of_what_was_aborted_do_not_go_on(found: Task, kinds: list[str]) -> None:
    one = replace(found, input={**found.input, "child": 1})
    assert of_parent(one, aborting=(STOPPING,), of=STOPPED) == kinds
