"""I10: background tasks. What was accepted is there once; each iteration's effect is kept once; an abort holds."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from chaos.books import Books, Line, Task
from chaos.checks.violation import Violation


@dataclass(frozen=True, slots=True)
class Order:
    """A task that was asked for: with so many iterations; or with so many children, and each of these so many."""

    number: int
    tenant: str
    definition: str
    steps: int
    children: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered to who triggered it: the status, and the id that a 201 gave."""

    order: Order
    status: int
    task: str = ""


@dataclass(frozen=True, slots=True)
class Aborting:
    """An abort that was asked for, and the status of the answer: of one without any nobody knows whether it was done.

    `at` is when the answer came, or nobody waited for it any more, in Unix seconds.
    """

    task: str
    status: int
    at: float


NO_ANSWER = 0
# What an answer may be: done, or told to come again; of an abort also that the task is over.
TRIGGERED, ABORTED, IS_OVER = 201, 200, 409
PROPER = {TRIGGERED, 429, 503, NO_ANSWER}
PROPER_OF_ABORTS = {ABORTED, IS_OVER, 429, 503, NO_ANSWER}
# What leaves an abort open: a web process that dies may have done it before.
OPEN = {NO_ANSWER, 503}

# What the definitions' code and the engine say once in each iteration.
STEP, GOES_ON = "step ", "Task continuing."
# Two clocks of one machine: that of the database, as a worker knows it, and that of who asks.
SLACK_S = 0.5


@dataclass
class Orders:
    """All that was asked for and answered, in order."""

    asked: list[Order] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    aborts: list[Aborting] = field(default_factory=list)


def answers(orders: Orders) -> Iterator[Violation]:
    """A task is accepted or told to come again, under one key always as the same one."""
    given: dict[str, int] = {}
    for one in orders.told:
        if one.status not in PROPER:
            yield Violation("misled", f"Task {one.order.number} was answered {one.status}.")
        if one.task and given.setdefault(one.task, one.order.number) != one.order.number:
            yield Violation("misled", f"Tasks {given[one.task]} and {one.order.number} were given one id, {one.task}.")
    for abort in orders.aborts:
        if abort.status not in PROPER_OF_ABORTS:
            yield Violation("misled", f"An abort of task {abort.task} was answered {abort.status}.")


def triggered(orders: Orders, books: Books) -> Iterator[Violation]:
    """What was accepted is there, of its tenant and definition. What was asked for is there once at the most."""
    rows = {task.id: task for task in books.tasks}
    asked = {order.number: order for order in orders.asked}
    made: dict[int, list[Task]] = defaultdict(list)
    for task in books.tasks:
        if not task.parent:
            made[task.number].append(task)
        if task.number not in asked or (task.parent and task.parent not in rows):
            yield Violation("invented", f"{_name(task)} comes of nothing that was asked for.")
    for one in {(told.order.number, told.task): told for told in orders.told if told.task}.values():
        if one.task not in {task.id for task in made[one.order.number]}:
            yield Violation("lost", f"Task {one.order.number} was accepted as {one.task}, and is not there.")
    for number, order in asked.items():
        if len(made[number]) > 1:
            yield Violation("doubled", f"Task {number} is there {len(made[number])} times.", len(made[number]) - 1)
        for task in made[number]:
            if (task.tenant, task.definition) != (order.tenant, order.definition):
                yield Violation("mixed", f"{_name(task)} was asked for as {order.definition} of {order.tenant}.")


def over(orders: Orders, books: Books) -> Iterator[Violation]:
    """Each has a run that is over, keeps no place then, and fails for no reason of its own."""
    reached = {run.id for run in books.runs}
    accepted = {told.task for told in orders.told}
    for task in books.tasks:
        if task.id not in reached:
            what = "was accepted" if task.id in accepted else "has its row"
            yield Violation("lost", f"{_name(task)} {what}, and there is no such run.")
        elif task.finished_at and task.has_place:
            yield Violation("books", f"{_name(task)} is {task.state}, and keeps its place.")
        if task.state == "failed":
            yield Violation("failed", f"{_name(task)} failed in iteration {task.iteration}: {task.error}")


def kept(orders: Orders, books: Books) -> Iterator[Violation]:
    """Input and output have the effect of each iteration once; and the log has what each of them said."""
    planned = {order.number: order for order in orders.asked}
    for task in books.tasks:
        if task.state not in {"succeeded", "aborted"}:
            continue
        order = planned.get(task.number)
        is_branching = bool(order and order.children and not task.parent)
        if task.state == "succeeded" and order and not is_branching and task.iteration != order.steps:
            said = f"{_name(task)} was to make {order.steps} iterations, and ended in its iteration {task.iteration}."
            yield Violation("kept", said)
        yield from _effects(task)
        yield from _said(task, books.logs.get(task.id, []))
        yield from _repeated(task, books)


def _done(task: Task) -> int:
    """How many of its iterations came to their end."""
    return task.iteration if task.state == "succeeded" else task.iteration - 1


def _effects(task: Task) -> Iterator[Violation]:
    done = _done(task)
    counted, by = task.output.get("counted", 0), list(task.output.get("kept", []))
    if counted != done or by != list(range(1, done + 1)):
        yield Violation("kept", f"{_name(task)} made {done} iterations, and counted {counted}: {by}.")
    if (passed := task.input.get("passed", 0)) != task.iteration - 1:
        yield Violation("kept", f"{_name(task)} is in iteration {task.iteration}, and its input says {passed}.")


def _said(task: Task, log: Sequence[Line]) -> Iterator[Violation]:
    steps = {(line.iteration, line.message) for line in log if line.message.startswith(STEP)}
    if silent := [number for number in range(1, _done(task) + 1) if (number, f"{STEP}{number}") not in steps]:
        yield Violation("unsaid", f"{_name(task)} made {_done(task)} iterations. Its log has nothing of {silent}.")
    for iteration, message in sorted(steps):
        if message != f"{STEP}{iteration}" or iteration > task.iteration:
            yield Violation("books", f"{_name(task)}: its log says {message!r} in iteration {iteration}.")
    ended = Counter(line.iteration for line in log if line.message == GOES_ON)
    if ended != Counter(range(1, task.iteration)):
        yield Violation("books", f"{_name(task)} is in iteration {task.iteration}, and went on after {sorted(ended)}.")


def _repeated(task: Task, books: Books) -> Iterator[Violation]:
    """An iteration is made once, and once more for each time that the books give a reason."""
    made = sum(line.message.startswith(STEP) for line in books.logs.get(task.id, []))
    reasons = len(books.handed_back.get(task.id, [])) + (task.state == "aborted")
    if made > task.attempts + reasons:
        counted = f"{made} times, of {task.attempts} attempts and {reasons} reasons for more"
        yield Violation("repeated", f"{_name(task)} made a step {counted}.")


def aborts(orders: Orders, books: Books) -> Iterator[Violation]:
    """What was accepted to be aborted is aborted, and nothing else but what is below it."""
    rows = {task.id: task for task in books.tasks}
    for one in orders.aborts:
        task = rows.get(one.task)
        if one.status == ABORTED and task and task.state != "aborted":
            yield Violation("unheeded", f"The abort of {_name(task)} was accepted, and it is {task.state}.")
    may_be = {one.task for one in orders.aborts if one.status in {ABORTED, *OPEN}}
    for task in books.tasks:
        parent = rows.get(task.parent)
        if task.state == "aborted" and task.id not in may_be and not (parent and parent.state == "aborted"):
            yield Violation("unheeded", f"{_name(task)} was aborted, and nobody asked for that: {task.error}")


def children(orders: Orders, books: Books) -> Iterator[Violation]:
    """Of a parent that succeeded each planned child is there once; of one that was aborted none went on."""
    below: dict[str, list[Task]] = defaultdict(list)
    for task in books.tasks:
        below[task.parent].append(task)
    planned = {order.number: order for order in orders.asked}
    until: dict[str, float] = {}
    for one in orders.aborts:
        if one.status in {ABORTED, *OPEN}:
            until[one.task] = max(one.at, until.get(one.task, 0.0))
    for parent in books.tasks:
        if (order := planned.get(parent.number)) and order.children and not parent.parent:
            yield from _planned(parent, order, below[parent.id])
        if parent.state == "aborted":
            yield from _stopped(parent, below[parent.id], until)


def _planned(parent: Task, order: Order, found: Sequence[Task]) -> Iterator[Violation]:
    counted = Counter(int(child.input.get("child", 0)) for child in found)
    for number, count in counted.items():
        if count > 1:
            yield Violation("doubled", f"{_name(parent)} has its child {number} {count} times.", count - 1)
        if not 1 <= number <= order.children:
            yield Violation("invented", f"{_name(parent)} has a child {number}, and planned {order.children}.")
    if parent.state != "succeeded":
        return
    if lost := [number for number in range(1, order.children + 1) if number not in counted]:
        yield Violation("lost", f"{_name(parent)} succeeded, and its children {lost} are not there.", len(lost))
    if sorted(parent.output.get("children", [])) != sorted(child.id for child in found):
        yield Violation("kept", f"{_name(parent)} says that its children are {parent.output.get('children')}.")


def _stopped(parent: Task, found: Sequence[Task], until: Mapping[str, float]) -> Iterator[Violation]:
    aborted_at = parent.finished_at.timestamp() if parent.finished_at else 0.0
    latest = max(aborted_at, until.get(parent.id, 0.0)) + SLACK_S
    for child in found:
        is_late = child.finished_at is None or child.finished_at.timestamp() > latest
        if child.state != "aborted" and is_late:
            yield Violation(
                "unheeded", f"{_name(parent)} was aborted, and its child {child.id} went on: {child.state}."
            )


def _name(task: Task) -> str:
    number = f"child {task.input.get('child')} of task {task.number}" if task.parent else f"task {task.number}"
    return f"{task.tenant}/{task.definition}: {number} ({task.id})"
