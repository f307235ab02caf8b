"""Runs that call the hooks of what is over, and delete it then."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from badgerjobs.lib.ids import uuid7
from badgerjobs.runs import lifecycle
from badgerjobs.runs.clock import Clock
from badgerjobs.runs.following import Ended, follow
from badgerjobs.runs.kinds import Claimed
from badgerjobs.runs.models import LogLine, Run, State
from badgerjobs.runs.outcomes import Continue, Done, Failed, Outcome
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.settle import settle
from badgerjobs.runs.statements import Statements
from badgerjobs.workspaces.models import Application
from tasks.background import hooks
from tasks.models import BackgroundRun
from tests.factories import NOW, make_application, make_background_run
from tests.tasks.background.defined import define, hook

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("registry")]


@pytest.fixture
def shop(transactional_db: None) -> Application:
    return make_application()


class Processes:
    """Answers in the place of a pool, and remembers what it was asked for."""

    def __init__(self, *came: Came) -> None:
        self.came, self.works = list(came), list[Work]()

    async def iterate(self, work: Work) -> Came:
        self.works.append(work)
        return self.came.pop(0) if self.came else Came("done")


def hooked(*names: str, **fields: Any) -> None:
    define(**dict.fromkeys(names, hook), **fields)


def ended(shop: Application, state: State = State.SUCCEEDED, **run: Any) -> BackgroundRun:
    """A task that has just ended, with what follows from it."""
    return end(make_background_run(shop, state, run=run))


def end(row: BackgroundRun) -> BackgroundRun:
    with transaction.atomic():
        follow([Ended(row.pk, row.application_id, "background", State(row.run.state), NOW)])
    return row


def child_of(parent: BackgroundRun, **fields: Any) -> BackgroundRun:
    """One that succeeded, at the first place of the parent's first iteration."""
    place = {"parent_id": parent.pk, "parent_iteration": 1, "parent_place": 1}
    return make_background_run(parent.application, State.SUCCEEDED, **place, **fields)


def again() -> None:
    """Let those that wait go on at once."""
    Run.objects.filter(kind="background_hook", state="scheduled").update(state="queued", due_at=NOW)


def claim() -> list[Claimed]:
    with transaction.atomic():
        return lifecycle.claim(queue="compute", worker=uuid7(), limit=10, now=NOW)


def performed(pool: Processes, runs: Iterable[Claimed] | None = None) -> list[Outcome]:
    """What came of the runs of hooks that are queued now: written down as a worker does."""
    claimed = claim() if runs is None else list(runs)
    loaded = hooks.load(claimed)

    async def perform() -> list[Outcome]:
        statements = Statements(1)
        means = hooks.Means(pool, statements, Clock())  # type: ignore[arg-type]
        try:
            return [await hooks.perform(run, loaded[run.id], means) for run in claimed if run.id in loaded]
        finally:
            await statements.hang_up()

    outcomes = asyncio.run(perform())
    for run, outcome in zip(claimed, outcomes, strict=True):
        assert isinstance(outcome, Done | Continue | Failed)
        with transaction.atomic():
            assert run.worker
            lifecycle.finish([settle(run, outcome, started_at=NOW, ended_at=NOW)], worker=run.worker)
    return outcomes


def errors_of(row: BackgroundRun) -> list[str]:
    return list(LogLine.objects.filter(run_id=row.pk, level="error").values_list("message", flat=True))


def test_a_hook_runs_in_a_process_with_its_task(shop: Application) -> None:
    hooked("on_done", timeout_s=7)
    row = ended(shop, iteration=4, attempts=5)
    pool = Processes()
    assert performed(pool) == [Done()]
    [work] = pool.works
    assert (work.run_id, work.application_id, work.definition) == (row.pk, shop.pk, "syncArticles")
    assert (work.kind, work.hook, work.timeout_s, work.iteration, work.attempt) == ("hook", "on_done", 7, 4, 5)
    assert Run.objects.get(kind="background_hook").state == "succeeded"


def test_two_hooks_have_an_iteration_each(shop: Application) -> None:
    hooked("on_error", "on_max_iterations")
    ended(shop, State.FAILED, error_class="max_iterations")
    pool = Processes()
    [first] = performed(pool)
    assert isinstance(first, Continue)
    assert performed(pool) == [Done()]
    assert [work.hook for work in pool.works] == ["on_max_iterations", "on_error"]


def test_one_that_raises_is_told_and_changes_nothing_else(shop: Application) -> None:
    hooked("on_error", "on_max_iterations", max_iterations=2)
    row = ended(shop, State.FAILED, error_class="max_iterations", iteration=3)
    pool = Processes(Came("error", "No.", error={"message": "No.", "code": "E", "data": {"a": 1}}))
    performed(pool)
    assert performed(pool) == [Done()]
    assert [work.iteration for work in pool.works] == [2, 2]
    line = LogLine.objects.get(run_id=row.pk)
    assert (line.level, line.message, line.iteration) == ("error", "on_max_iterations failed: No.", 2)
    assert line.data == {"error": {"message": "No.", "code": "E", "data": {"a": 1}}}
    assert Run.objects.get(pk=row.pk).state == "failed"


def test_the_last_one_that_raises_fails_its_own_run_and_is_not_called_again(shop: Application) -> None:
    hooked("on_done")
    row = ended(shop)
    [outcome] = performed(Processes(Came("error", "No.", error={"message": "No."})))
    assert isinstance(outcome, Failed)
    assert not outcome.retry
    assert Run.objects.get(kind="background_hook").state == "failed"
    assert Run.objects.get(pk=row.pk).state == "succeeded"
    assert errors_of(row) == ["on_done failed: No."]


def test_its_line_belongs_to_the_attempt_and_the_rescue_that_it_follows(shop: Application) -> None:
    hooked("on_done")
    row = ended(shop, attempts=2, rescues=3)
    performed(Processes(Came("error", "No.", error={"message": "No."})))
    line = LogLine.objects.get(run_id=row.pk, level="error")
    assert (line.attempt, line.rescues) == (2, 3)


def test_one_whose_process_died_is_called_again_and_not_for_ever(shop: Application) -> None:
    hooked("on_done")
    row = ended(shop)
    pool = Processes(*[Came("crashed", "It died.")] * 3)
    for _ in range(3):
        performed(pool)
        Run.objects.filter(state="retrying").update(state="queued", due_at=NOW)
    assert len(pool.works) == 3
    assert Run.objects.get(kind="background_hook").state == "failed"
    assert errors_of(row) == ["on_done failed: It died."]


def test_one_that_takes_too_long_is_not_called_again(shop: Application) -> None:
    hooked("on_done", timeout_s=7)
    row = ended(shop)
    performed(Processes(Came("timeout")))
    assert Run.objects.get(kind="background_hook").state == "failed"
    assert errors_of(row) == ["on_done failed: it may take 7 s."]


def test_after_its_hook_a_task_is_deleted_with_what_descends_from_it(shop: Application) -> None:
    hooked("on_done", self_cleanup="onSuccess")
    row = ended(shop)
    child = make_background_run(shop, State.FAILED, parent_id=row.pk)
    going_on = make_background_run(shop, State.RUNNING, parent_id=child.pk)
    stranger = make_background_run(shop, State.SUCCEEDED)
    other = make_background_run(make_application("Charlie's"), State.SUCCEEDED, parent_id=row.pk)
    LogLine.objects.create(run=child.run, application=shop, level="info", message="x", created_at=NOW)
    pool = Processes()
    performed(pool)
    assert len(pool.works) == 1
    left = {going_on.pk, stranger.pk, other.pk}
    assert set(Run.objects.values_list("pk", flat=True)) == left
    assert set(BackgroundRun.objects.values_list("pk", flat=True)) == left
    assert not LogLine.objects.exists()


def test_a_child_stays_while_an_iteration_of_its_parent_may_look_for_it(shop: Application) -> None:
    hooked(self_cleanup="always")
    define(id="parent", title="Parent")
    parent = make_background_run(shop, State.RUNNING, definition="parent")
    child = end(child_of(parent))
    assert performed(Processes()) == [Done()]
    assert BackgroundRun.objects.filter(pk=child.pk).exists()
    Run.objects.filter(pk=parent.pk).update(state="succeeded")
    parent.run.refresh_from_db()
    end(parent)
    performed(Processes())
    assert list(BackgroundRun.objects.all()) == [parent]


def test_a_child_of_an_iteration_before_is_deleted_though_its_parent_goes_on(shop: Application) -> None:
    hooked(self_cleanup="always")
    parent = make_background_run(shop, State.RUNNING, run={"iteration": 2})
    end(child_of(parent))
    performed(Processes())
    assert list(BackgroundRun.objects.all()) == [parent]


def test_a_task_is_not_deleted_before_the_hooks_of_its_children_were_called(shop: Application) -> None:
    hooked("on_done")
    define(id="parent", title="Parent", self_cleanup="always")
    row = end(make_background_run(shop, State.SUCCEEDED, definition="parent"))
    cleans = claim()
    end(child_of(row))
    [outcome] = performed(Processes(), cleans)
    assert isinstance(outcome, Continue)
    assert BackgroundRun.objects.count() == 2
    pool = Processes()
    performed(pool)
    assert [work.hook for work in pool.works] == ["on_done"]
    again()
    performed(Processes())
    assert not BackgroundRun.objects.exists()


def test_a_task_that_somebody_holds_is_deleted_later_and_its_hook_is_not_called_again(shop: Application) -> None:
    hooked("on_done", self_cleanup="always")
    row = ended(shop)
    claimed, pool = claim(), Processes()
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=row.pk)
        [outcome] = performed(pool, claimed)
    assert isinstance(outcome, Continue)
    assert BackgroundRun.objects.exists()
    again()
    performed(pool)
    assert len(pool.works) == 1
    assert not Run.objects.exists()


def test_a_hook_that_raises_keeps_its_own_run_when_the_task_is_deleted(shop: Application) -> None:
    hooked("on_done", self_cleanup="always")
    ended(shop)
    performed(Processes(Came("error", "No.", error={"message": "No."})))
    assert [(run.kind, run.state) for run in Run.objects.all()] == [("background_hook", "failed")]


def test_without_a_hook_no_process_is_asked(shop: Application) -> None:
    hooked(self_cleanup="always")
    ended(shop, State.ABORTED)
    pool = Processes()
    performed(pool)
    assert pool.works == []
    assert not Run.objects.exists()


def test_a_task_that_cannot_be_deleted_stays(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> int:
        raise LookupError

    monkeypatch.setattr(hooks, "clean", fails)
    hooked(self_cleanup="always")
    row = ended(shop)
    assert performed(Processes()) == [Done()]
    assert Run.objects.filter(pk=row.pk).exists()


def test_hooks_of_a_definition_that_is_gone_are_not_called(shop: Application, registry: Any) -> None:
    hooked("on_done")
    ended(shop)
    registry.by_id.clear()
    pool = Processes()
    assert performed(pool) == [Done()]
    assert pool.works == []


def test_of_a_task_that_was_deleted_meanwhile_nothing_is_called(shop: Application) -> None:
    hooked("on_done")
    row = ended(shop)
    BackgroundRun.objects.filter(pk=row.pk).delete()
    assert hooks.load(claim()) == {}


def test_many_are_loaded_in_one_query(shop: Application, django_assert_num_queries: Any) -> None:
    hooked("on_done")
    for _ in range(5):
        ended(shop)
    claimed = claim()
    with django_assert_num_queries(1):
        loaded = hooks.load(claimed)
    assert {type(one.task.pk) for one in loaded.values()} == {UUID}
    assert len(loaded) == 5
