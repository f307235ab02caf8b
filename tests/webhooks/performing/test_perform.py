"""A run of a delivery: what its transform makes of it, which acts are done, and how it ends."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.lib import javascript
from badgerjobs.lib.javascript import Error, Result
from badgerjobs.runs.models import Run, State
from badgerjobs.runs.outcomes import Done, Failed, Later
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_delivery, make_hook, make_run, make_task
from tests.runs.claims import ANOTHER, ME, claimed
from tests.webhooks.performing.stages import Marks, begun, delivery_of, doing, performed, performed_by, taken
from webhooks.actions import Did
from webhooks.models import Act, ActState, Delivery
from webhooks.performing import loading
from webhooks.performing.loading import load
from webhooks.receiving.packing import packed

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = ("first", "second")
NOTHING = {"done": 0, "skipped": 0, "failed": 0}
CODE = "console.log('seen'); return {variables: {ID: body.category.id}}"


def test_what_the_transform_returns_is_given_to_every_action(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, transform=CODE, transform_version=3, actions=doing(*NAMES))
    run = begun(hook)

    [outcome] = performed(run)

    acts = {"done": 2, "skipped": 0, "failed": 0}
    output = {
        "variables": {"ID": "7"},
        "filtered": None,
        "version": 3,
        "console": [{"level": "log", "text": "seen"}],
        "acts": acts,
    }
    assert outcome == Done({"acts": acts}, output)
    given = {"variables": {"ID": "7"}}
    assert [(one.fields["name"], one.variables) for one in marks.begun] == [(name, {"ID": "7"}) for name in NAMES]
    rows = Act.objects.order_by("position").values_list("name", "type", "target", "given", "state", "said")
    assert list(rows) == [(name, "mark", name, given, "done", f"Marked {name}.") for name in NAMES]
    assert {(act.run_id, act.delivery_id, act.runnable_id) for act in Act.objects.all()} == {
        (run.pk, run.pk, hook.runnable_id)
    }
    assert all(act.caused and act.done_at for act in Act.objects.all())


def test_without_a_transform_all_actions_are_done_with_nothing_given(shop: Application, marks: Marks) -> None:
    [outcome] = performed(begun(make_hook(shop, actions=doing("a")), body=b"\xff no text"))
    assert isinstance(outcome, Done)
    assert (outcome.output["version"], outcome.output["variables"], marks.done) == (None, {}, ["a"])


def test_the_actions_that_the_transform_names_are_done_in_its_order_and_as_often(
    shop: Application, marks: Marks
) -> None:
    code = "return {actions: [{name: 'b', variables: {N: 1}}, {name: 'a'}, {name: 'b', variables: {N: 2}, value: [1]}]}"
    performed(begun(make_hook(shop, transform=code, actions=doing("a", "b", "c"))))
    assert [(one.fields["name"], dict(one.variables), one.position) for one in marks.begun] == [
        ("b", {"N": "1"}, 0), ("a", {}, 1), ("b", {"N": "2"}, 2)
    ]  # fmt: skip
    assert marks.begun[2].value == [1]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("return null", "The transform returned null."),
        ("return {filtered: 'not of this shop'}", "not of this shop"),
        ("return {actions: []}", "The transform returned no actions."),
    ],
)
def test_what_is_filtered_succeeds_and_says_so(shop: Application, marks: Marks, code: str, why: str) -> None:
    [outcome] = performed(begun(make_hook(shop, transform=code, actions=doing("a"))))
    assert isinstance(outcome, Done)
    assert (outcome.output["filtered"], outcome.result) == (why, {"acts": NOTHING, "filtered": why})
    assert not Act.objects.exists()


def test_a_transform_that_took_too_long_is_tried_again_for_the_machine_may_have_been_busy(shop: Application) -> None:
    [outcome] = performed(begun(make_hook(shop, transform="for (;;) {}")))
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry) == ("transform", True)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("return body.no.such", "The transform failed: TypeError: Cannot read properties of undefined"),
        ("body.category", "The transform failed: The code returned nothing: it must end with return"),
        ("console.log('here'); return 7", "or null: it returned 7."),
        ("return {actions: ['b']}", "The webhook has no action “b”. It has: a."),
        ("return {variables: {ID: '\\ud800'.repeat(2) + {}.x.y}}", "The transform failed: TypeError"),
    ],
    ids=["thrown", "nothing", "a shape", "an unknown action", "half a letter"],
)
def test_a_transform_that_fails_is_not_tried_again(shop: Application, marks: Marks, code: str, said: str) -> None:
    [outcome] = performed(begun(make_hook(shop, transform=code, transform_version=2, actions=doing("a"))))
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry, outcome.in_part) == ("transform", False, False)
    assert said in outcome.error
    assert (outcome.output["version"], outcome.output["acts"]) == (2, NOTHING)
    assert [line["text"] for line in outcome.output["console"]] == (["here"] if "here" in code else [])
    assert not Act.objects.exists()


def test_a_body_that_no_transform_can_read_is_a_failure_that_says_so(shop: Application) -> None:
    headers = {"Content-Type": "application/json"}
    [outcome] = performed(begun(make_hook(shop, transform=CODE), body=b"a=1", headers=headers))
    assert isinstance(outcome, Failed)
    assert outcome.error == "The body is no JSON: Expecting value, at line 1, column 1."


def test_a_sandbox_without_room_puts_it_off_and_nothing_is_planned(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> Result:
        return Result(error=Error("busy", "Full."))

    monkeypatch.setattr(javascript, "arun", full)
    assert performed(begun(make_hook(shop, transform=CODE, actions=doing("a")))) == [Later(2.0)]
    assert not Act.objects.exists()


def test_an_act_that_failed_fails_the_run_in_part_and_is_the_only_one_done_again(
    shop: Application, marks: Marks
) -> None:
    hook = make_hook(shop, transform=CODE, transform_version=1, actions=doing("a", "b", "c"))
    run = begun(hook)
    marks.answer = lambda one: Did(ActState.FAILED if one.fields["mark"] == "b" else ActState.DONE, "Not now.")

    [first] = performed(run)

    assert isinstance(first, Failed)
    assert (first.error_class, first.error) == ("act", "1 of 3 actions failed. “b”: Not now.")
    assert (first.retry, first.in_part) == (True, True)
    assert first.output["acts"] == {"done": 2, "skipped": 0, "failed": 1}

    Run.objects.filter(pk=run.pk).update(attempts=1, output=first.output)
    marks.answer = lambda _: Did(ActState.DONE, "Now.")
    hook.transform, hook.transform_version = "return null", 2
    hook.save()
    [second] = performed(run)

    assert isinstance(second, Done)
    assert marks.done == ["a", "b", "c", "b"]
    assert second.output == {**first.output, "acts": {"done": 3, "skipped": 0, "failed": 0}}
    assert list(Act.objects.values_list("said", flat=True)) == ["Not now.", "Now.", "Not now."]


@pytest.mark.parametrize(
    ("agains", "retry"), [((False, False), False), ((True, False), True)], ids=["none may", "one may"]
)
def test_a_run_is_tried_again_if_one_of_its_acts_may_succeed(
    shop: Application, marks: Marks, agains: tuple[bool, bool], retry: bool
) -> None:
    marks.answer = lambda one: Did(ActState.FAILED, "No.", again=agains[one.position])
    [outcome] = performed(begun(make_hook(shop, actions=doing("a", "b"))))
    assert isinstance(outcome, Failed)
    assert (outcome.retry, outcome.in_part) == (retry, False)
    assert outcome.error == "2 of 2 actions failed. “a”: No. “b”: No."


def test_what_is_skipped_is_no_failure(shop: Application, marks: Marks) -> None:
    marks.answer = lambda _: Did(ActState.SKIPPED, "It is disabled.")
    [outcome] = performed(begun(make_hook(shop, actions=doing("a"))))
    assert isinstance(outcome, Done)
    assert outcome.result == {"acts": {"done": 0, "skipped": 1, "failed": 0}}


def test_a_worker_that_died_after_it_had_planned_leaves_a_plan_that_is_done(shop: Application, marks: Marks) -> None:
    code = "return {variables: {}, actions: Math.random() < 2 ? ['a', 'b'] : []}"
    hook = make_hook(shop, transform=code, actions=doing("a", "b"))
    run = begun(hook)

    marks.answer = lambda _: (_ for _ in ()).throw(SystemExit)
    with pytest.raises(RuntimeError, match="SystemExit"):
        performed(run)
    assert list(Act.objects.values_list("state", flat=True)) == ["waiting", "waiting"]

    marks.answer = lambda _: Did(ActState.DONE, "")
    hook.transform = "return null"
    hook.save()
    Run.objects.filter(pk=run.pk).update(worker=ANOTHER, rescues=1)
    [outcome] = performed(run)
    assert isinstance(outcome, Done)
    assert marks.done == ["a", "b"]


def test_a_replay_does_all_of_it_again(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, transform=CODE, actions=doing("a"))
    first = begun(hook)
    performed(first)
    given = {"cause": "replay", "replay_of": first.pk, "input": first.input, "worker": ME, "number": 1}
    second = make_run(hook.runnable, State.RUNNING, **given)

    performed(second)

    assert marks.done == ["a", "a"]
    assert set(Act.objects.values_list("run_id", "delivery_id")) == {(first.pk, first.pk), (second.pk, first.pk)}


def test_the_hook_of_a_task_runs_it_with_the_variables(shop: Application) -> None:
    task = make_task(shop, type="webhook", pattern="product-{{ID}}")
    hook = make_hook(shop, "task:a-task", task=task, transform=CODE)
    [outcome] = performed(begun(hook))
    assert isinstance(outcome, Done)
    [run] = Run.objects.filter(runnable=task.runnable)
    assert (run.kind, run.input, run.cause) == ("sync", {"variables": {"ID": "7"}}, "webhook")
    act = Act.objects.get()
    assert (act.type, act.target, act.caused) == ("sync", "a-task", run.pk)


def test_a_run_whose_delivery_or_hook_is_gone_is_left_out(shop: Application) -> None:
    gone, stays = make_hook(shop, "gone"), make_hook(shop)
    runs = [begun(gone), begun(stays), begun(stays)]
    gone.delete()
    delivery_of(runs[1]).delete()
    assert list(load([taken(run) for run in runs])) == [runs[2].pk]


def test_a_run_of_another_hook_gets_no_delivery_of_this_one(shop: Application) -> None:
    theirs = make_delivery(make_hook(make_application("Charlie's")))
    run = make_run(make_hook(shop).runnable, State.RUNNING, input={"delivery": str(theirs.pk)})
    assert load([claimed(run, input=run.input)]) == {}


def test_a_batch_is_loaded_in_three_queries_and_no_secret_is_read(shop: Application, marks: Marks) -> None:
    hooks = [make_hook(shop, f"hook-{n}", transform=CODE, settings={"secret": "s"}) for n in range(3)]
    claims = [taken(begun(hook)) for hook in hooks for _ in range(3)]
    with CaptureQueriesContext(connection) as asked:
        works = load(claims)
        assert [work.hook.application.workspace_id for work in works.values()] == [shop.workspace_id] * 9
    assert len(asked) == 3
    assert not any('"settings"' in one["sql"] or '"secret"' in one["sql"] for one in asked)


def test_a_long_body_is_read_when_it_is_its_turn(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.dumps({"category": {"id": 7}, "long": "x" * 70_000}).encode()
    kept, is_packed = packed(whole)
    hook = make_hook(shop, transform=CODE, actions=doing("a"))
    run = begun(hook, body=kept, packed=is_packed)
    Delivery.objects.update(bytes=len(whole))
    [work] = load([taken(run)]).values()
    assert (work.short, work.body()) == (None, whole)

    [outcome] = performed(run)

    assert outcome.output["variables"] == {"ID": "7"}  # type: ignore[union-attr]
    assert json.loads(marks.begun[0].body())["category"] == {"id": 7}
    read: list[Any] = []
    monkeypatch.setattr(loading, "body_of_delivery", read.append)
    performed(begun(make_hook(shop, "no-transform", actions=doing("b")), body=kept, packed=is_packed))
    assert read == []


def test_many_are_done_together_and_each_has_its_own_outcome(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, transform="return {variables: {N: body.n}}", actions=doing("a"))
    marks.answer = lambda one: Did(ActState.FAILED if one.variables["N"] == "7" else ActState.DONE, "Did.")
    outcomes = performed(*(begun(hook, body=json.dumps({"n": n}).encode()) for n in range(20)))
    assert [isinstance(one, Done) for one in outcomes] == [n != 7 for n in range(20)]
    assert sum(marks.batches) == 20
    assert len(marks.batches) < 20


def test_an_action_that_was_taken_away_fails_what_is_left_of_an_earlier_attempt(
    shop: Application, marks: Marks
) -> None:
    hook = make_hook(shop, actions=doing("a"))
    run = begun(hook)
    marks.answer = lambda _: Did(ActState.FAILED, "No.")
    performed(run)
    hook.actions = doing("b")
    hook.save()
    [outcome] = performed(run)
    assert isinstance(outcome, Failed)
    assert (outcome.error, outcome.retry) == ("The action “a” failed: The webhook has no such action any more.", False)


def test_no_run_that_is_somebody_elses_does_anything_or_says_that_it_is_done(shop: Application, marks: Marks) -> None:
    run = begun(make_hook(shop, actions=doing("a")))
    claim = taken(run)
    for fields in ({"worker": ANOTHER}, {"worker": None, "state": State.ABORTED}):
        Run.objects.filter(pk=run.pk).update(**fields)
        # It may be ours again by the time that this is written down.
        assert isinstance(asyncio.run(performed_by([claim]))[0], Later)
    assert (marks.done, Act.objects.count()) == ([], 0)


def test_an_id_that_is_none_of_ours_is_no_delivery(shop: Application) -> None:
    run = make_run(make_hook(shop).runnable, State.RUNNING, input={"delivery": str(uuid4())})
    assert load([claimed(run, input=run.input)]) == {}
