"""What becomes of a background task with each iteration: what it begins with, and what is written of its end."""

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.changes import PutOff
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.outcomes import Aborted, Continue, Done, Failed, Later, Outcome
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.processes.pool import Pool
from badgerjobs.runs.record import unstorable
from badgerjobs.runs.settle import settle
from badgerjobs.workspaces.models import Application
from tasks.background import perform
from tasks.models import BackgroundRun
from tests.factories import NOW, make_background_run
from tests.tasks.background.defined import define
from tests.tasks.background.definitions_of import a_definition

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("registry")]


class Processes:
    """Answers in the place of a pool, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.came = Came("done")

    async def iterate(self, work: Work) -> Came:
        self.works.append(work)
        return self.came


class Worker:
    """Takes the one run that there is, and writes down what came of it."""

    def __init__(self) -> None:
        self.id, self.processes = uuid7(), Processes()

    def take(self) -> tuple[Claimed, perform.Loaded]:
        Run.objects.exclude(state="running").filter(finished_at=None).update(state="queued")  # its wait is over
        with transaction.atomic():
            [run] = lifecycle.claim(queue="compute", worker=self.id, limit=1, now=NOW)
            return run, perform.load([run])[run.id]

    def perform(self, came: Came | None = None) -> Outcome:
        self.processes.came = came or Came("done")
        run, loaded = self.take()
        outcome = asyncio.run(perform.perform(run, loaded, cast("Pool", self.processes)))
        if isinstance(outcome, Later):
            lifecycle.postpone([PutOff(run, run.due_at + timedelta(seconds=outcome.seconds))], worker=self.id)
        else:
            lifecycle.finish([settle(run, outcome, started_at=NOW, ended_at=NOW)], worker=self.id)
        return outcome


@pytest.fixture
def worker() -> Worker:
    return Worker()


def lines() -> list[tuple[Any, ...]]:
    """What the log says: iteration, level, message, data."""
    return list(LogLine.objects.order_by("pk").values_list("iteration", "level", "message", "data"))


def error(message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, "data": None}}


def test_with_the_first_iteration_it_has_begun(shop: Application, worker: Worker) -> None:
    define()
    row = make_background_run(shop)
    assert (row.iterations, row.run.started_at) == (0, None)
    worker.take()
    row = BackgroundRun.objects.select_related("run").get()
    assert (row.iterations, row.run.started_at, row.run.state) == (1, NOW, "running")


def test_each_iteration_counts_and_the_start_stays(shop: Application, worker: Worker) -> None:
    define()
    row = make_background_run(shop)
    for iteration in (1, 2, 3):
        worker.perform(Came("continue", input={"page": iteration}, output={"sum": iteration}))
        row = BackgroundRun.objects.select_related("run").get()
        assert (row.iterations, row.run.started_at) == (iteration, NOW)
    assert [(work.iteration, work.attempt, work.input, work.output) for work in worker.processes.works] == [
        (1, 1, {}, None),
        (2, 2, {"page": 1}, {"sum": 1}),
        (3, 3, {"page": 2}, {"sum": 2}),
    ]


def test_a_repeated_first_iteration_begins_without_an_output(shop: Application, worker: Worker) -> None:
    define(retries=1)
    make_background_run(shop)
    worker.perform(Came("error", "No.", error={"message": "No.", "code": "E", "data": None}))
    assert Run.objects.get().output == error("No.", "E")
    worker.perform()
    assert [(work.iteration, work.attempt, work.output) for work in worker.processes.works] == [
        (1, 1, None),
        (1, 2, None),
    ]


def test_what_is_done_is_stored_and_told(shop: Application, worker: Worker) -> None:
    define()
    make_background_run(shop)
    worker.perform(Came("done", "All articles are sent.", input={"page": 3}, output={"sum": 7}))
    run = Run.objects.get()
    assert (run.state, run.input, run.output, run.finished_at) == ("succeeded", {"page": 3}, {"sum": 7}, NOW)
    assert lines() == [(1, "info", "All articles are sent.", None)]


def test_what_says_nothing_at_its_end_is_told_to_be_done(shop: Application, worker: Worker) -> None:
    define()
    make_background_run(shop)
    worker.perform()
    assert lines() == [(1, "info", "Task done.", None)]


def test_what_goes_on_is_told_with_its_input(shop: Application, worker: Worker) -> None:
    define()
    make_background_run(shop)
    worker.perform(Came("continue", input={"page": 2}, wait_s=60))
    run = Run.objects.get()
    assert (run.state, run.due_at, run.input) == ("scheduled", NOW + timedelta(seconds=60), {"page": 2})
    assert lines() == [(1, "info", "Task continuing.", {"page": 2})]


def test_without_logs_only_errors_are_told(shop: Application, worker: Worker) -> None:
    define(database_logs=False)
    make_background_run(shop)
    worker.perform(Came("continue", input={}))
    worker.perform(Came("error", "No.", error={"message": "No.", "code": "E", "data": None}))
    assert lines() == [(2, "error", "No.", error("No.", "E"))]


def test_after_its_most_iterations_it_fails_and_its_code_does_not_run(shop: Application, worker: Worker) -> None:
    define(max_iterations=2)
    make_background_run(shop)
    for _ in range(2):
        assert isinstance(worker.perform(Came("continue", input={}, output={"sum": 7})), Continue)
    worker.perform()
    run, row = Run.objects.get(), BackgroundRun.objects.get()
    assert (run.state, run.error_class, run.error) == ("failed", "max_iterations", "Task reached max iterations.")
    assert run.output == error("Task reached max iterations.", "TASK_MAX_ITERATIONS")
    assert len(worker.processes.works) == 2
    assert lines()[-1][:3] == (2, "error", "Task reached max iterations.")
    assert row.iterations == 2


def test_a_worker_without_the_definition_leaves_the_run_to_others(shop: Application, worker: Worker) -> None:
    make_background_run(shop)
    assert worker.perform() == Later(perform.AGAIN_S)
    define()
    assert isinstance(worker.perform(), Done)
    assert (Run.objects.get().state, BackgroundRun.objects.get().iterations) == ("succeeded", 1)


@pytest.mark.parametrize("iteration", [1, 2], ids=["first", "later"])
def test_a_definition_that_nobody_has_fails_the_run_after_some_minutes(
    shop: Application, worker: Worker, iteration: int
) -> None:
    row = make_background_run(shop, created_at=NOW - timedelta(days=1), run={"iteration": iteration})
    Run.objects.update(due_at=NOW)
    BackgroundRun.objects.update(iterations=iteration - 1)
    outcomes = [worker.perform() for _ in range(11)]
    assert outcomes[:-1] == [Later(perform.AGAIN_S)] * 10
    run = Run.objects.get()
    said = f'There is no definition "{row.definition}" here any more: does BACKGROUND_TASKS name its package?'
    assert (run.state, run.error_class, run.error) == ("failed", "definition", said)
    assert run.output == error(said, "TASK_DEFINITION_ERROR")
    assert run.due_at == NOW + perform.OTHERS_MAY


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (Came("aborted", output={"sum": 7}, input={}), Aborted("Task aborted.", output={"sum": 7}, input={})),
        (Came("aborted", "Enough."), Aborted("Enough.")),
        (
            Came("timeout", "Too long."),
            ("timeout", "An iteration may take 7 s: its process was ended.", "TASK_TIMEOUT"),
        ),
        (Came("crashed", "It was killed."), ("crashed", "It was killed.", "TASK_CRASHED")),
        (Came("crashed"), ("crashed", "Its process ended before it answered.", "TASK_CRASHED")),
        (Came("error", "No."), ("code", "No.", None)),
        (Came("error"), ("code", "The task failed.", None)),
    ],
)
def test_each_answer_of_a_process_has_its_outcome(came: Came, expected: Aborted | tuple[str, str, str | None]) -> None:
    if isinstance(expected, tuple):
        word, message, code = expected
        expected = Failed(word, message, retry=True, output=error(message, code), data=error(message, code))  # type: ignore[assignment]
    assert perform.outcome_of(came, a_definition(timeout_s=7)) == expected


def test_an_error_that_is_too_long_as_an_output_stands_as_a_sentence_and_is_told_whole() -> None:
    said = {"message": "No.", "code": "E", "data": {"row": 3}}
    outcome = perform.outcome_of(Came("error", "No.", output={"message": "Too long."}, error=said), a_definition())
    assert isinstance(outcome, Failed)
    assert (outcome.output, outcome.data, outcome.retry) == ({"message": "Too long."}, {"error": said}, True)


def test_what_all_its_workers_were_lost_with_leaves_that_as_its_error(shop: Application) -> None:
    make_background_run(
        shop, State.RUNNING, run={"output": {"sum": 7}, "iteration": 2, "worker": uuid7(), "rescues": lifecycle.RESCUES}
    )
    lifecycle.rescue(unseen_since=NOW, now=NOW)
    run = Run.objects.get()
    assert (run.state, run.output) == ("failed", error(run.error, "TASK_LOST"))


def test_what_cannot_be_stored_leaves_that_as_its_error(shop: Application, worker: Worker) -> None:
    define()
    make_background_run(shop)
    run, _ = worker.take()
    ended = settle(run, Done(output="\0"), started_at=NOW, ended_at=NOW)
    lifecycle.finish([unstorable(ended)], worker=worker.id)
    assert Run.objects.get().output == error("The answer holds something that cannot be stored.", "TASK_PROTOCOL")


def test_the_error_of_code_stays_as_it_is(shop: Application, worker: Worker) -> None:
    define()
    make_background_run(shop)
    worker.perform(Came("error", "No.", output={"message": "Too long."}))
    assert Run.objects.get().output == {"message": "Too long."}
