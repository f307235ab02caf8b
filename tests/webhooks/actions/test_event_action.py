"""A hook that performs an event: each time by a run of its own, which is tried again as the application has it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.models import Application
from jobs.events.once import KIND
from tests.factories import NOW, make_application, make_event
from tests.webhooks.actions.doings import BODY, doing, done, no_body, said
from webhooks.actions import event as event_action
from webhooks.models import ActState

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "stored"),
    [("nothing", None), ("variables", {"ID": "7"}), ("value", [1]), ("body", BODY)],
)
def test_it_is_performed_with_what_the_action_says(shop: Application, given: str, stored: Any) -> None:
    make_event(shop)

    [did] = done("event", doing(shop, {"event": "an-event", "input": given}, {"ID": "7"}, [1]))

    run = Run.objects.get()
    assert said(did) == (ActState.DONE, "Made a run of the event “an-event”.", True)
    assert (did.caused, run.kind, run.cause, run.state) == (run.pk, KIND, Cause.WEBHOOK, State.QUEUED)
    assert (run.runnable, run.application, run.due_at) == (None, shop, NOW)
    assert run.input == {"event": "an-event", "input": stored}


def test_each_answers_for_itself_in_its_place(shop: Application) -> None:
    make_event(shop)
    make_event(make_application("Charlie's"), "theirs")

    dids = done(
        "event",
        doing(shop, {"event": "no-event"}),
        doing(shop, {"event": "an-event"}),
        doing(shop, {"event": "theirs"}),
        doing(shop, {"event": "an-event", "input": "body"}, body=no_body),
        doing(shop, {"event": "an-event"}),
    )

    assert [(did.state, did.again) for did in dids] == [
        (ActState.FAILED, False),
        (ActState.DONE, True),
        (ActState.FAILED, False),
        (ActState.FAILED, False),
        (ActState.DONE, True),
    ]
    assert dids[0].said == "There is no event with the tag “no-event” any more."
    assert dids[3].said == "The body is no JSON."
    assert {did.caused for did in dids} - {None} == set(Run.objects.values_list("pk", flat=True))


def test_a_hundred_cost_as_many_statements_as_one(shop: Application) -> None:
    make_event(shop)
    counted = []
    for count in (1, 100):
        with CaptureQueriesContext(connection) as queries:
            done("event", *(doing(shop, {"event": "an-event"}) for _ in range(count)))
        counted.append(len(queries))
    assert counted[0] == counted[1]


def test_long_inputs_are_stored_in_steps(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_action, "INPUT_BYTES", 20)
    make_event(shop)

    wanted = [doing(shop, {"event": "an-event", "input": "variables"}, {"N": str(n)}) for n in range(5)]
    dids = done("event", *wanted)

    inputs: dict[Any, Any] = dict(Run.objects.values_list("pk", "input"))
    assert [inputs[did.caused]["input"]["N"] for did in dids] == ["0", "1", "2", "3", "4"]


def test_so_many_runs_of_an_application_may_wait_and_the_rest_is_tried_again(
    shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_action, "MOST_WAITING", 3)
    theirs = make_application("Charlie's")
    for owner in (shop, theirs):
        make_event(owner)
    wanted = [doing(owner, {"event": "an-event"}) for owner in (shop, shop, shop, shop, theirs)]

    dids = done("event", *wanted)

    assert [did.state for did in dids] == [*[ActState.DONE] * 3, ActState.FAILED, ActState.DONE]
    assert said(dids[3]) == (
        ActState.FAILED,
        "1,000 runs of the application's events wait or run already: webhooks make no more of them now.",
        True,
    )
    assert done("event", wanted[0])[0].state == ActState.FAILED
    over, waiting, *_ = [did.caused for did in dids if did.caused]
    Run.objects.filter(pk=over).update(state=State.SUCCEEDED)
    Run.objects.filter(pk=waiting).update(state=State.RETRYING)
    assert [did.state for did in done("event", *wanted[:2])] == [ActState.DONE, ActState.FAILED]
