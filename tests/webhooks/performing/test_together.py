"""Runs that act together hold each other up no longer than they must: long bodies, what takes too long, what breaks."""

import asyncio
import gzip
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import OperationalError

from badgerjobs.lib.time_limits import NoAnswerError
from badgerjobs.runs import statements
from badgerjobs.runs.models import Run
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.workspaces.models import Application
from tests.factories import make_application, make_event, make_hook
from tests.webhooks.performing.stages import Marks, begun, doing, performed, performed_by, taken
from webhooks.actions import Did
from webhooks.models import Act, ActState, Delivery, Hook
from webhooks.performing import bodies, loading, means, planning
from webhooks.performing.acting import Turn, act
from webhooks.performing.loading import load
from webhooks.performing.means import TRIES, Room
from webhooks.performing.perform import TOO_LONG
from webhooks.transforms.transforming import Returned, Wanted

pytestmark = pytest.mark.django_db(transaction=True)

LONG = json.dumps(["x" * 9_000]).encode()


def giving_the_body(shop: Application, count: int) -> Hook:
    """Performs an event so often, with the body."""
    make_event(shop)
    rows = [{"name": f"e{n}", "type": "event", "event": "an-event", "input": "body"} for n in range(count)]
    return make_hook(shop, actions=rows)


def too_long() -> OperationalError:
    """What Django makes of a statement whose time is over."""
    error = OperationalError("the database did not answer in time")
    error.__cause__ = NoAnswerError("the database did not answer in time")
    return error


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (LONG, {}),
        (json.dumps("x" * 70_000).encode(), {}),
        (b"[1]", {}),
        (gzip.compress(LONG), {"Content-Encoding": "gzip"}),
    ],
    ids=["long", "read when it is its turn", "short", "compressed"],
)
def test_a_body_is_read_once_and_before_anything_is_locked(
    shop: Application, monkeypatch: pytest.MonkeyPatch, body: bytes, headers: dict[str, str]
) -> None:
    order: list[str] = []

    def text_of(*given: Any) -> str:
        order.append("read")
        return bodies.text_of(*given)

    def acted(turns: Sequence[Turn]) -> Any:
        order.append("act")
        return act(turns)

    monkeypatch.setattr(loading, "text_of", text_of)
    monkeypatch.setattr(means, "act", acted)
    run = begun(giving_the_body(shop, 3), body=body, headers=headers)
    Delivery.objects.update(bytes=len(body))

    [outcome] = performed(run)

    assert isinstance(outcome, Done)
    assert order == ["read", "act"]
    plain = json.loads(gzip.decompress(body) if headers else body)
    assert [one.input["input"] for one in Run.objects.filter(kind="event_once")] == [plain] * 3  # type: ignore[index]


def test_a_body_that_is_too_long_for_so_many_actions_fails_the_run_before_any_is_done(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "MOST_BODIES", 20_000)
    [outcome] = performed(begun(giving_the_body(shop, 3), body=LONG))
    assert isinstance(outcome, Failed)
    assert (outcome.error_class, outcome.retry) == ("transform", False)
    assert outcome.error == (
        "The body has 9,004 characters, and 3 actions were to be given it: 20,000 characters may be given in all."
    )
    assert not Act.objects.exists()


def test_an_action_that_is_given_a_value_does_not_take_the_body(shop: Application) -> None:
    shape = {"name": "set", "type": "value", "key": "a-key"}
    hook = make_hook(shop, actions=[shape])
    plans = [planning.plan(hook, Returned(acts=(Wanted(None, {}, *value),))) for value in ((), (None,))]
    assert [one.takes_body for [one] in plans] == [True, False]


def test_a_run_that_takes_too_long_fails_alone_and_is_tried_again_as_its_hook_says(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "PAUSE_S", 0.0)
    runs = [begun(make_hook(shop, actions=doing("slow")))]
    runs += [begun(make_hook(make_application(f"Shop {n}"), actions=doing(f"quick {n}"))) for n in range(4)]
    tried: list[str] = []

    def answer(one: Any) -> Did:
        tried.append(one.fields["mark"])
        if one.fields["mark"] == "slow":
            raise too_long()
        return Did(ActState.DONE, "Did.")

    marks.answer = answer
    slow, *quick = performed(*runs)

    assert isinstance(slow, Failed)
    assert (slow.error_class, slow.error, slow.retry) == ("act", TOO_LONG, True)
    assert all(isinstance(one, Done) for one in quick)
    assert sorted(marks.done) == [f"quick {n}" for n in range(4)]
    # With all of them, with one of them, and by itself.
    assert tried.count("slow") == 2 + TRIES
    marks.answer = lambda _: Did(ActState.DONE, "Now.")
    [again] = performed(runs[0])
    assert isinstance(again, Done)


def test_what_breaks_the_batch_is_a_bug_of_the_run_that_brought_it(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *good = [begun(make_hook(shop, name, actions=doing(name))) for name in "abc"]

    def broken(turns: Sequence[Turn]) -> Any:
        if any(turn.run.id == bad.pk for turn in turns):
            raise ZeroDivisionError
        return act(turns)

    monkeypatch.setattr(means, "act", broken)
    claims = [taken(run) for run in (bad, *good)]

    async def all_of_them() -> None:
        async with means.open_means() as own:
            outcomes = asyncio.gather(*(performed_by([claim], own) for claim in claims), return_exceptions=True)
            failed, *done = await outcomes
            assert isinstance(failed, ZeroDivisionError)
            assert [isinstance(one, Done) for [one] in done] == [True, True]  # type: ignore[misc]

    asyncio.run(all_of_them())
    assert sorted(marks.done) == ["b", "c"]


def test_a_batch_ends_where_it_is_given_enough(
    shop: Application, marks: Marks, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = make_hook(shop, actions=doing("a"))
    runs = [begun(hook) for _ in range(6)]
    # Each is given `{"variables": {}}`.
    monkeypatch.setattr(means, "GIVEN_AT_ONCE", 30)
    outcomes = performed(*runs)
    assert all(isinstance(one, Done) for one in outcomes)
    assert marks.batches == [2, 2, 2]


def test_how_much_the_acts_of_an_earlier_attempt_are_given_is_known(shop: Application, marks: Marks) -> None:
    hook = make_hook(shop, transform="return {variables: {X: 'x'.repeat(1000)}}", actions=doing("a", "b"))
    run = begun(hook)
    marks.answer = lambda _: Did(ActState.FAILED, "No.")
    performed(run)
    [work] = load([taken(run)]).values()
    assert work.is_planned
    assert Turn(taken(run), work).weight == work.given == 2 * len(json.dumps({"variables": {"X": "x" * 1000}}))


def test_there_is_room_for_so_many_bytes_and_one_that_is_longer_comes_alone() -> None:
    inside: list[int] = []
    seen: list[list[int]] = []

    async def one(room: Room, size: int) -> None:
        async with room.of(size):
            inside.append(size)
            seen.append(inside.copy())
            await asyncio.sleep(0)
            inside.remove(size)

    async def all_of_them() -> None:
        room = Room(10)
        await asyncio.gather(*(one(room, size) for size in (4, 5, 99, 1, 2)))

    asyncio.run(all_of_them())
    assert [99] in seen
    assert [4, 5] in seen
    assert all(sum(some) <= 10 or some == [99] for some in seen)
