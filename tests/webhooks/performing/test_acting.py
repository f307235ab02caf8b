"""Acts are done once: beside somebody else's lock, after a bug in one, and when two workers think it is theirs."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs import statements
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.runs.outcomes import BUG, Done, Failed, Later
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_hook, make_task
from tests.runs.claims import ANOTHER
from tests.runs.together import waiting
from tests.webhooks.performing.stages import Marks, begun, doing, performed, performed_by, taken
from webhooks.actions import Did, Doing
from webhooks.models import Act, ActState
from webhooks.performing import acting, means
from webhooks.performing.acting import Acted, Turn, act
from webhooks.performing.loading import SHORT_BYTES, load
from webhooks.performing.planning import plan
from webhooks.transforms.transforming import UNTRANSFORMED

pytestmark = pytest.mark.django_db(transaction=True)


def turns_of(*runs: Run) -> list[Turn]:
    claims = [taken(run) for run in runs]
    works = load(claims)
    return [
        Turn(one, works[one.id], () if works[one.id].is_planned else plan(works[one.id].hook, UNTRANSFORMED))
        for one in claims
    ]


def raising(*names: str) -> Any:
    def answer(one: Any) -> Did:
        if one.fields["mark"] in names:
            raise ZeroDivisionError
        return Did(ActState.DONE, "Did.")

    return answer


def test_one_that_raises_fails_alone_and_is_tried_again(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, actions=doing("a", "b"))
    marks.answer = raising("b")
    outcomes = performed(begun(hook), begun(make_hook(shop, "another", actions=doing("c"))))
    failed, done = outcomes
    assert isinstance(done, Done)
    assert isinstance(failed, Failed)
    assert (failed.retry, failed.error) == (True, f"1 of 2 actions failed. “b”: {BUG.error}")
    assert sorted(marks.done) == ["a", "c"]
    assert sorted(Act.objects.values_list("name", "state")) == [("a", "done"), ("b", "failed"), ("c", "done")]


def test_an_answer_of_a_type_that_is_not_there_fails_for_good(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, actions=[{"name": "a", "type": "no such type"}, *doing("b")])
    [failed] = performed(begun(hook))
    assert isinstance(failed, Failed)
    assert failed.error == "1 of 2 actions failed. “a”: There are no actions of this type any more."
    assert (failed.retry, marks.done) == (False, ["b"])


@contextmanager
def held(runnable: Runnable) -> Iterator[None]:
    """Somebody else has locked it."""
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Runnable.objects.select_for_update().get(pk=runnable.pk)
            locked.set()
            over.wait()
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_whose_target_somebody_holds_waits_without_a_slot_and_holds_up_nobody_else(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "LOCKED_MS", 50)
    task = make_task(shop, type="webhook", pattern="all")
    ours = begun(make_hook(shop, actions=[{"name": "s", "type": "sync", "task": task.tag}]))
    theirs = begun(make_hook(make_application("Charlie's"), actions=doing("a")))

    with held(task.runnable):
        put_off, done = performed(ours, theirs)

    assert put_off == Later(2.0, is_begun=True)
    assert isinstance(done, Done)
    assert marks.done == ["a"]
    assert list(Act.objects.filter(run_id=ours.pk).values_list("state", flat=True)) == ["waiting"]
    [outcome] = performed(ours)
    assert isinstance(outcome, Done)
    assert Run.objects.filter(runnable=task.runnable).count() == 1


def test_of_two_workers_that_both_think_it_theirs_one_does_it(shop: Application, marks: Marks) -> None:
    """The first is in the middle of it when it is thought dead; the second waits for its end, and finds it done."""
    run = begun(make_hook(shop, actions=doing("a")))
    [turn] = turns_of(run)
    found: list[Any] = []

    def second() -> Any:
        Run.objects.filter(pk=run.pk).update(worker=ANOTHER)
        return act(turns_of(run))

    with ThreadPoolExecutor(1) as threads:

        def answer(_: Any) -> Did:
            found.append(waiting(threads, second))
            return Did(ActState.DONE, "By the first.")

        marks.answer = answer
        first = act([turn])

    assert first == {run.pk: [Acted("a", ActState.DONE, "By the first.")]}
    assert [one.result() for one in found] == [first]
    assert marks.done == ["a"]


def test_what_was_planned_is_not_done_by_who_has_the_run_no_more(shop: Application, marks: Marks) -> None:
    run = begun(make_hook(shop, actions=doing("a")))
    [turn] = turns_of(run)
    marks.answer = lambda _: Did(ActState.FAILED, "Not yet.")
    act([turn])
    marks.answer = lambda _: Did(ActState.DONE, "Did.")
    Run.objects.filter(pk=run.pk).update(worker=ANOTHER)
    assert act([turn]) == {run.pk: []}
    Run.objects.filter(pk=run.pk).update(worker=None, state="aborted")
    assert act([turn]) == {run.pk: []}
    assert len(marks.done) == 1


def test_a_plan_is_stored_once_whoever_comes_with_another(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, actions=doing("a", "b"))
    run = begun(hook)
    short, long = turns_of(run)[0], turns_of(run)[0]
    act([Turn(short.run, short.work, short.planned[:1])])
    act([long])
    assert list(Act.objects.values_list("name", flat=True)) == ["a"]
    assert marks.done == ["a"]


def test_what_may_pass_is_tried_until_it_has_passed(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PAUSE_S", 0.0)
    tries: list[int] = []

    def broken(turns: Any) -> Any:
        tries.append(len(turns))
        if len(tries) < 3:
            raise OperationalError("the connection is lost")
        return act(turns)

    monkeypatch.setattr(means, "act", broken)
    [outcome] = performed(begun(make_hook(shop, actions=doing("a"))))
    assert isinstance(outcome, Done)
    assert (tries, marks.done) == ([1, 1, 1], ["a"])


def test_what_will_not_pass_is_a_bug_of_each_run_and_the_hand_goes_on(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [begun(make_hook(shop, actions=doing("a"))), begun(make_hook(shop, "b", actions=doing("b")))]
    claims = [taken(run) for run in runs]

    async def both() -> None:
        async with means.open_means() as own:
            monkeypatch.setattr(means, "act", lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await performed_by(claims[:1], own)
            monkeypatch.setattr(means, "act", act)
            assert isinstance((await performed_by(claims[1:], own))[0], Done)

    asyncio.run(both())
    assert marks.done == ["b"]


def test_a_run_that_was_taken_away_while_it_waited_is_not_begun(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[Any]] = []

    def acts(turns: list[Any]) -> Any:
        asked.append(turns)
        return {one.run.id: [] for one in turns}

    monkeypatch.setattr(means, "act", acts)
    first, second = turns_of(*(begun(make_hook(shop, name, actions=doing(name))) for name in "ab"))

    async def one_is_cancelled() -> None:
        async with means.open_means() as own:
            lost = asyncio.create_task(own.hand.do(first))
            await asyncio.sleep(0)
            lost.cancel()
            await own.hand.do(second)

    asyncio.run(one_is_cancelled())
    assert asked == [[second]]


def test_fifty_cost_as_many_statements_as_one(shop: Application) -> None:
    task = make_task(shop, type="webhook", pattern="all")
    hook = make_hook(shop, actions=[{"name": name, "type": "sync", "task": task.tag} for name in ("a", "b")])
    counts = []
    for count in (1, 50):
        turns = turns_of(*(begun(hook) for _ in range(count)))
        with CaptureQueriesContext(connection) as asked:
            act(turns)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert Run.objects.filter(runnable=task.runnable).count() == 102


def test_a_long_body_is_read_once_for_all_acts_of_its_run(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, actions=doing("a", "b", "c"))
    texts = ["7" * (SHORT_BYTES + 1), "8" * (SHORT_BYTES + 1)]
    runs = [begun(hook, body=json.dumps(text).encode()) for text in texts]
    read: list[Any] = []

    def answer(one: Doing) -> Did:
        read.append(json.loads(one.body()))
        return Did(ActState.DONE, "Did.")

    marks.answer = answer
    turns = turns_of(*runs)
    with CaptureQueriesContext(connection) as asked:
        act(turns)
    assert read == [text for text in texts for _ in range(3)]
    assert sum('FROM "webhooks_delivery"' in query["sql"] for query in asked.captured_queries) == len(runs)
