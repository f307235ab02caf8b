"""What a hook starts that has a runnable: tasks and jobs. Many at once, in order, each with its own input."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import lifecycle, worker
from badgerjobs.runs.models import Cause, Overlap, Run, Runnable, State
from badgerjobs.runs.querysets import RunQuerySet
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.events.perform import load
from jobs.models import Job
from jobs.services import update_job
from tasks.models import Task
from tests.factories import NOW, make_application, make_event, make_job, make_run, make_task
from tests.runs.claims import ME
from tests.runs.together import behind
from tests.webhooks.actions.doings import BODY, doing, done, input_of, no_body, said
from webhooks.actions import MISSING, action_of, starting
from webhooks.models import ActState

pytestmark = pytest.mark.django_db

TOO_MANY = "2 runs of the task “a-task” wait or run already: it takes no more now."


def runs_of(what: Task | Job) -> RunQuerySet:
    return Run.objects.of(what.runnable_id).order_by("number")


def function_job(shop: Application, tag: str = "a-job", **fields: Any) -> Job:
    """A job with an event, which takes an input."""
    return make_job(shop, tag, event=make_event(shop), endpoint="", verb="", **fields)


def test_a_task_is_run_with_the_variables(shop: Application) -> None:
    task = make_task(shop, type="webhook", pattern="category-{{CATEGORY_ID}}")

    [did] = done("sync", doing(shop, {"task": "a-task"}, {"CATEGORY_ID": "7"}))

    run = runs_of(task).get()
    assert said(did) == (ActState.DONE, "Made run 1 of the task “a-task”.", True)
    assert (did.caused, run.cause, run.state, run.number) == (run.pk, Cause.WEBHOOK, State.QUEUED, 1)
    assert (run.input, run.due_at, run.kind) == ({"variables": {"CATEGORY_ID": "7"}}, NOW, "sync")


def test_several_runs_of_one_go_in_their_order_and_one_waits_for_the_other(shop: Application) -> None:
    task = make_task(shop)
    make_run(task.runnable, State.SUCCEEDED, number=1)
    Runnable.objects.filter(pk=task.runnable_id).update(runs_made=1)

    dids = done("sync", *(doing(shop, {"task": "a-task"}, {"N": str(n)}) for n in range(3)))

    made = list(Run.objects.filter(pk__in=[did.caused for did in dids]).order_by("number"))
    assert [run.pk for run in made] == [did.caused for did in dids]
    assert [input_of(run)["variables"]["N"] for run in made] == ["0", "1", "2"]
    assert [(run.number, run.held) for run in made] == [(2, False), (3, True), (4, True)]
    assert (runnable := Runnable.objects.get(pk=task.runnable_id)).runs_made == 4
    assert runnable.last_run_at == NOW


def test_what_may_run_beside_itself_waits_for_nothing(shop: Application) -> None:
    task = make_task(shop, runnable={"overlap": Overlap.ALLOW})
    make_run(task.runnable, State.RUNNING)

    done("sync", *(doing(shop, {"task": "a-task"}) for _ in range(2)))

    assert list(runs_of(task).filter(cause=Cause.WEBHOOK).values_list("held", flat=True)) == [False, False]


def test_it_waits_for_a_run_that_goes_on(shop: Application) -> None:
    task = make_task(shop)
    make_run(task.runnable, State.RUNNING)

    [did] = done("sync", doing(shop, {"task": "a-task"}))

    assert Run.objects.get(pk=str(did.caused)).held


def test_a_disabled_one_is_not_run(shop: Application) -> None:
    task = make_task(shop, runnable={"enabled": False})
    job = make_job(shop, enabled=False)

    [of_task] = done("sync", doing(shop, {"task": "a-task"}))
    [of_job] = done("job", doing(shop, {"job": "a-job"}))

    assert said(of_task) == (ActState.SKIPPED, "The task is disabled: it was not run.", True)
    assert said(of_job) == (ActState.SKIPPED, "The job is disabled: it was not run.", True)
    assert not runs_of(task).exists()
    assert not runs_of(job).exists()


def test_one_that_is_gone_fails_for_good_and_keeps_no_other_from_being_run(shop: Application) -> None:
    task = make_task(shop)

    gone, there = done("sync", doing(shop, {"task": "no-task"}), doing(shop, {"task": "a-task"}))

    assert said(gone) == (ActState.FAILED, "There is no task with the tag “no-task” any more.", False)
    assert there.caused == runs_of(task).get().pk
    assert said(done("job", doing(shop, {"job": "no-job"}))[0])[1] == "There is no job with the tag “no-job” any more."


def test_another_tenants_of_the_same_tag_is_another_one(shop: Application) -> None:
    strange = make_application("Charlie's")
    mine, theirs, job = make_task(shop), make_task(strange), make_job(strange)

    dids = done("sync", doing(shop, {"task": "a-task"}), doing(strange, {"task": "a-task"}))
    [did] = done("job", doing(shop, {"job": "a-job"}))

    assert [did.caused for did in dids] == [runs_of(mine).get().pk, runs_of(theirs).get().pk]
    assert (did.state, runs_of(job).exists()) == (ActState.FAILED, False)


def test_no_more_than_so_many_wait_and_the_others_are_tried_again(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "MOST_WAITING", 2)
    monkeypatch.setattr(starting, "TOO_MANY", TOO_MANY.replace("task “a-task”", "{} “{}”"))
    task = make_task(shop)
    make_run(task.runnable, State.SUCCEEDED)
    make_run(task.runnable, State.RETRYING)

    first, second = done("sync", *(doing(shop, {"task": "a-task"}) for _ in range(2)))

    assert first.state == ActState.DONE
    assert said(second) == (ActState.FAILED, TOO_MANY, True)


def test_a_hundred_cost_as_many_statements_as_two(shop: Application) -> None:
    make_task(shop, "one")
    make_task(shop, "two")
    counted = []
    for count in (2, 100):
        with CaptureQueriesContext(connection) as queries:
            done("sync", *(doing(shop, {"task": ("one", "two")[n % 2]}) for n in range(count)))
        counted.append(len(queries))
    assert counted[0] == counted[1]
    assert Run.objects.count() == 102


def test_long_inputs_are_stored_in_steps_and_in_order(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "INPUT_BYTES", 20)
    task = make_task(shop)

    dids = done("sync", *(doing(shop, {"task": "a-task"}, {"N": str(n)}) for n in range(5)))

    made = runs_of(task)
    assert [run.pk for run in made] == [did.caused for did in dids]
    assert [(run.number, input_of(run)["variables"]["N"]) for run in made] == [(n + 1, str(n)) for n in range(5)]
    assert [run.held for run in made] == [False, True, True, True, True]


@pytest.mark.parametrize(
    ("given", "stored"),
    [("nothing", None), ("variables", {"ID": "7"}), ("value", {"n": [1, None]}), ("body", BODY)],
)
def test_a_job_with_an_event_is_given_what_the_action_says(shop: Application, given: str, stored: Any) -> None:
    job = function_job(shop, input="its own")

    [did] = done("job", doing(shop, {"job": "a-job", "input": given}, {"ID": "7"}, {"n": [1, None]}))

    assert (did.state, runs_of(job).get().input) == (ActState.DONE, stored)
    assert did.said == "Made run 1 of the job “a-job”."


def test_a_job_is_run_beside_its_schedule(shop: Application) -> None:
    job = make_job(shop, run_every="PT1H")
    planned = job.runnable.next_run_at

    done("job", doing(shop, {"job": "a-job"}))

    run = runs_of(job).get()
    assert (run.cause, run.input, run.occurrence) == (Cause.WEBHOOK, None, None)
    assert Runnable.objects.get(pk=job.runnable_id).next_run_at == planned


def test_a_call_is_given_nothing_also_where_the_job_was_another_when_the_hook_was_saved(shop: Application) -> None:
    job = function_job(shop)
    update_job(job=job, by=OPERATOR, now=NOW, event=None, endpoint="https://example.com/", verb="POST")

    [did] = done("job", doing(shop, {"job": "a-job", "input": "body"}))

    assert (did.state, did.again) == (ActState.FAILED, False)
    assert did.said.startswith("The job “a-job” makes a call of its own, which takes no input: give it nothing")
    assert not runs_of(job).exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("body", "The body is no JSON."),
        ("value", "The transform returned no `value`, which this action gives: return one beside the variables."),
    ],
)
def test_what_is_not_there_cannot_be_given(shop: Application, given: str, sentence: str) -> None:
    function_job(shop)

    [did] = done("job", doing(shop, {"job": "a-job", "input": given}, value=MISSING, body=no_body))

    assert said(did) == (ActState.FAILED, sentence, False)
    assert not Run.objects.exists()


def test_null_is_something_to_give(shop: Application) -> None:
    job = function_job(shop, input="its own")

    [did] = done("job", doing(shop, {"job": "a-job", "input": "value"}, value=None))

    assert did.state == ActState.DONE
    [run] = lifecycle.claim(queue="io", worker=ME, limit=10, now=NOW)
    assert (run.id, load([run])[run.id].input) == (runs_of(job).get().pk, "null")


@pytest.mark.parametrize(("kind", "make"), [("sync", make_task), ("job", make_job)])
def test_what_each_holds_is_told_before_and_nothing_else_is_held(shop: Application, kind: str, make: Any) -> None:
    strange = make_application("Charlie's")
    made = {(owner.pk, tag): make(owner, tag).runnable_id for owner in (shop, strange) for tag in ("one", "two")}
    action = action_of(kind)
    wanted = [(shop, "one"), (strange, "two"), (shop, "gone")]

    assert action.holds
    held = action.holds([doing(owner, {action.field: tag}) for owner, tag in wanted])

    assert sorted(held) == sorted([made[shop.pk, "one"], made[strange.pk, "two"]])


def test_workers_are_told_after_commit(
    shop: Application, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(worker, "ring", rung.append)
    make_task(shop)
    with django_capture_on_commit_callbacks(execute=True):
        done("sync", *(doing(shop, {"task": "a-task"}) for _ in range(3)))
        assert rung == []
    assert rung == ["io"]


@pytest.mark.django_db(transaction=True)
def test_a_task_that_is_deleted_at_this_moment_is_not_run(shop: Application) -> None:
    task = make_task(shop)

    def delete() -> None:
        Runnable.objects.select_for_update().get(pk=task.runnable_id)
        Task.objects.filter(pk=task.pk).delete()
        Runnable.objects.filter(pk=task.runnable_id).delete()

    [[did]] = behind(delete, lambda: done("sync", doing(shop, {"task": "a-task"})))

    assert said(did) == (ActState.FAILED, "The task “a-task” was deleted at this moment.", False)
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_pause_at_this_moment_is_heeded(shop: Application) -> None:
    task = make_task(shop)

    def pause() -> None:
        Runnable.objects.filter(pk=task.runnable_id).update(enabled=False)

    [[did]] = behind(pause, lambda: done("sync", doing(shop, {"task": "a-task"})))

    assert did.state == ActState.SKIPPED


def test_nothing_remains_of_what_is_rolled_back(shop: Application) -> None:
    task = make_task(shop)
    with transaction.atomic():
        done("sync", doing(shop, {"task": "a-task"}))
        transaction.set_rollback(True)
    assert not runs_of(task).exists()
    assert Runnable.objects.get(pk=task.runnable_id).runs_made == 0
