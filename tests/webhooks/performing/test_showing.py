"""What pages say of a delivery's run: what came, what its transform made of it, what was done; and it has no number."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.runs.models import Run, State
from badgerjobs.runs.services import name_of
from badgerjobs.runs.shown import called, errors_shown, owners_called
from badgerjobs.workspaces.models import Application, Role
from tests.factories import NOW, make_attempt, make_delivery, make_hook, make_member, make_run
from webhooks.models import Act, ActState, Hook
from webhooks.performing.showing import DELIVERY

COUNTS = {"done": 2, "skipped": 0, "failed": 1}
OUTPUT = {
    "variables": {"ID": "7"},
    "filtered": None,
    "version": 3,
    "console": [{"level": "log", "text": "seen it"}],
    "acts": COUNTS,
}


def run_of(hook: Hook, state: State = State.SUCCEEDED, output: Any = None, **fields: Any) -> Run:
    """A run that is over, of a new delivery."""
    delivery = make_delivery(hook, state, **fields)
    Run.objects.filter(pk=delivery.pk).update(output=output, finished_at=NOW, attempts=1, started_at=NOW)
    run = Run.objects.select_related("runnable", "application").get(pk=delivery.pk)
    ok = state == State.SUCCEEDED
    given: dict[str, Any] = {} if ok else {"error_class": "act", "error": "The action “sync” failed: no."}
    make_attempt(run, ok=ok, result={"acts": (output or OUTPUT)["acts"]}, **given)
    return run


def make_act(run: Run, position: int, state: ActState, **fields: Any) -> Act:
    input_of: Any = run.input
    given: dict[str, Any] = {"name": f"act-{position}", "type": "sync", "target": "a-task", "made_at": NOW, **fields}
    return Act.objects.create(
        application=run.application, runnable_id=run.runnable_id or 0, delivery_id=input_of["delivery"], run_id=run.pk,
        position=position, state=state, **given,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("result", "error_class", "said"),
    [
        ({"acts": COUNTS}, "act", "2 done, 1 failed"),
        ({"acts": {"done": 0, "skipped": 1, "failed": 0}}, "", "1 skipped"),
        ({"acts": {"done": 0, "skipped": 0, "failed": 0}}, "", "nothing to do"),
        ({"acts": {"done": 0, "skipped": 0, "failed": 0}, "filtered": "no"}, "", "filtered"),
        ({"acts": {"done": 0, "skipped": 0, "failed": 0}}, "transform", ""),
        ({}, "", ""),
    ],
)
def test_what_came_of_it_is_told_in_a_few_words(result: Any, error_class: str, said: str) -> None:
    assert DELIVERY.answer(result, error_class) == said


def test_its_page_shows_what_came_what_was_made_of_it_and_what_was_done(shop: Application, client: Client) -> None:
    hook = make_hook(shop, name="Orders of the shop")
    headers = {"X-Topic": "orders/create", "Authorization": "Bearer hidden-from-all"}
    run = run_of(hook, State.FAILED, OUTPUT, headers=headers, query="page=2", event_id="evt-1")
    make_act(run, 0, ActState.DONE, said="Made run 12 of the task “a-task”.")
    make_act(run, 1, ActState.FAILED, said="The task “gone” was deleted.")
    client.force_login(make_member(shop.workspace, Role.VIEWER).user)

    page = client.get(reverse("runs:run", args=[shop.slug, run.pk])).content.decode()

    for said in (
        "Webhook delivery", "Orders of the shop", "by POST from 203.0.113.7", "page=2", "evt-1", "x-topic:",
        "orders/create", "version 3", "seen it", "2 done, 1 failed", "Made run 12", "The task “gone” was deleted.",
        "Delivery, attempt 1", "category", reverse("webhooks:delivery", args=[shop.slug, run.pk]),
        reverse("webhooks:hook", args=[shop.slug, hook.tag]),
    ):  # fmt: skip
        assert said in page, said
    assert "hidden-from-all" not in page
    assert "Run 0" not in page


def test_what_is_filtered_says_why_on_its_page(shop: Application, client: Client) -> None:
    output = OUTPUT | {"filtered": "not of this shop", "acts": {"done": 0, "skipped": 0, "failed": 0}}
    run = run_of(make_hook(shop), output=output, body=b"")
    client.force_login(make_member(shop.workspace, Role.VIEWER).user)
    page = client.get(reverse("runs:run", args=[shop.slug, run.pk])).content.decode()
    assert "Nothing was done" in page
    assert "not of this shop" in page
    assert "It has no body." in page


@pytest.mark.parametrize("body", [b"\xff\x00", "x" * 70_000, '{"a": "\0"}'], ids=["bytes", "long", "a null character"])
def test_any_body_can_be_looked_at(shop: Application, client: Client, body: bytes | str) -> None:
    run = run_of(make_hook(shop), body=body.encode() if isinstance(body, str) else body)
    client.force_login(make_member(shop.workspace, Role.VIEWER).user)
    assert client.get(reverse("runs:run", args=[shop.slug, run.pk])).status_code == 200


def test_a_run_whose_delivery_was_deleted_still_has_a_page(shop: Application, client: Client) -> None:
    run = make_run(make_hook(shop).runnable, State.SUCCEEDED, input={"delivery": str(make_hook(shop, "b").pk)})
    Run.objects.filter(pk=run.pk).update(input={"delivery": "00000000-0000-4000-8000-000000000001"})
    client.force_login(make_member(shop.workspace, Role.VIEWER).user)
    assert client.get(reverse("runs:run", args=[shop.slug, run.pk])).status_code == 200


def test_what_nobody_counts_is_called_by_its_hook_and_one_that_is_counted_by_its_number(shop: Application) -> None:
    hook = make_hook(shop, name="Orders")
    run = run_of(hook)
    again = make_run(hook.runnable, State.SUCCEEDED, number=2, input=run.input)
    assert (called(run), called(Run.objects.get(pk=again.pk))) == ("Orders", "Orders 2")
    assert (name_of(run), name_of(again)) == (f"a-hook {run.pk}", "a-hook 2")
    assert (run.words, again.words) == ("a run", "run 2")


def test_its_runs_are_found_by_the_name_of_the_hook_and_its_errors_have_words(shop: Application) -> None:
    hook = make_hook(shop, name="Orders of the shop")
    assert owners_called(shop, "ORDERS") == [hook.runnable_id]
    assert errors_shown()["act"] == "an action that failed"
