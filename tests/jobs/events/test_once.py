"""An event that is performed once, without a job: by a run of its own, tried again as its application has it."""

import asyncio
import json
from typing import Any

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from badgerjobs.runs import lifecycle, making
from badgerjobs.runs.kinds import kind_of
from badgerjobs.runs.models import Attempt, Cause, Run, State
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.runs.services import replay_run
from badgerjobs.runs.settle import settle
from badgerjobs.runs.shown import entitle_alone, shown_as
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.events.means import open_means
from jobs.events.once import KIND, Wish, load, perform, perform_once
from jobs.events.services import delete_event, update_event
from tests.callers import Caller
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt, make_connection, make_event, make_job, make_run
from tests.jobs.form_page import text_of
from tests.runs.claims import ME

pytestmark = pytest.mark.django_db


def made(application: Application, given: Any = None, tag: str = "an-event") -> Run:
    [run_id] = perform_once([Wish(application.pk, tag, json.dumps(given))], cause=Cause.WEBHOOK, now=NOW)
    return Run.objects.get(pk=run_id)


def taken() -> list[Any]:
    """The runs in this worker's hands."""
    return lifecycle.claim(queue="io", worker=ME, limit=100, now=NOW)


def test_it_is_performed_with_what_it_was_given(shop: Application) -> None:
    make_event(shop, configuration={"code": "return [input, run.id, run.number, run.due_at]"})
    made(shop, {"n": 1})
    [run] = taken()
    work = load([run])[run.id]

    async def once() -> Any:
        async with open_means() as means:
            return await perform(run, work, means)

    outcome = asyncio.run(once())

    assert isinstance(outcome, Done), outcome
    assert outcome.output == [{"n": 1}, str(run.id), 0, NOW.isoformat()]


def test_many_are_loaded_in_as_many_queries_as_one(
    shop: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    strange = make_application("Charlie's")
    statement = {"type": "DATABASE_ACTION", "configuration": {"statement": "SELECT 1"}}
    events = {
        (owner.pk, tag): make_event(owner, tag, connection=make_connection(owner, f"of-{tag}"), **statement)
        for owner in (shop, strange)
        for tag in ("one", "two")
    }
    for owner, tag in events:
        perform_once([Wish(owner, tag)] * 3, cause=Cause.CODE, now=NOW)
    runs = taken()

    with django_assert_num_queries(3):
        found = load(runs)

    assert len(found) == 12
    assert all(found[run.id].event == events[run.application_id, run.input["event"]] for run in runs)


def test_a_run_whose_event_is_gone_is_left_out(shop: Application) -> None:
    event = make_event(shop)
    make_event(make_application("Charlie's"), "theirs")
    made(shop)
    made(shop, tag="theirs")
    delete_event(event=event, by=OPERATOR, now=NOW)

    assert load(taken()) == {}


def test_a_changed_event_reaches_the_next_attempt(shop: Application) -> None:
    event = make_event(shop)
    made(shop)
    [run] = taken()
    update_event(event=event, configuration={"code": "return 2"}, by=OPERATOR, now=NOW)

    assert load([run])[run.id].event.configuration["code"] == "return 2"


@pytest.mark.parametrize(
    ("policy", "wait_s"),
    [
        ({"retries": 0}, None),
        ({"retries": 5, "retry_step_s": 500}, 500),
        ({"retries": 1, "backoff": "list", "retry_delays": [70]}, 70),
    ],
)
def test_it_is_tried_again_as_its_application_has_it(
    shop: Application, policy: dict[str, Any], wait_s: float | None
) -> None:
    Application.objects.filter(pk=shop.pk).update(**policy)
    make_event(shop)
    made(shop)
    [run] = taken()
    load([run])

    after = settle(run, Failed("status", "It answered 503."), started_at=NOW, ended_at=NOW)

    assert after.state == (State.FAILED if wait_s is None else State.RETRYING)
    assert run.policy == Application.objects.get(pk=shop.pk).policy
    if wait_s is not None:
        assert wait_s <= (after.due_at - NOW).total_seconds() <= wait_s * 1.1


def test_its_table_leads_to_it() -> None:
    assert kind_of(KIND).load is load


def test_lists_call_it_as_its_event_is_called(shop: Application, django_assert_num_queries: Any) -> None:
    event = make_event(shop, name="Tell the warehouse")
    make_event(make_application("Charlie's"), "gone", name="Another tenant's")
    first, second = made(shop), made(shop, tag="gone")

    with django_assert_num_queries(2):
        entitle_alone([first, second])

    assert (first.subject, second.subject) == (event.name, "gone")


def test_its_page_shows_the_event_what_it_was_given_and_what_came_of_it(shop: Application) -> None:
    make_event(shop, name="Tell the warehouse")
    run = made(shop, {"n": 1})
    make_attempt(run, result={"value": {"told": True}, "console": []}, runnable_id=None)

    answer = browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk]))

    assert f'href="/a/{shop.slug}/events/an-event/"' in answer.content.decode()
    for shown in ("Tell the warehouse", "&quot;n&quot;", "&quot;told&quot;"):
        assert shown in text_of(answer)


def test_the_page_of_one_whose_event_is_gone_is_there_all_the_same(shop: Application) -> None:
    run = made(shop, tag="gone")
    answer = browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk]))
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("error_class", "begins"),
    [("input", "Change what the event is given"), ("data", "Look at what the event was given"), ("dns", "Look at the")],
)
def test_what_may_help_speaks_of_no_job(error_class: str, begins: str) -> None:
    said = shown_as(KIND).advice(Attempt(error_class=error_class))
    assert said.startswith(begins)
    assert "job" not in said


def test_it_is_found_by_its_kind(alice: Caller) -> None:
    make_event(alice.application)
    run = made(alice.application)
    answer = alice.get("/runs/?kind=event_once")
    assert [one["id"] for one in answer.body["results"]] == [str(run.pk)]


def failed(application: Application, **fields: Any) -> Run:
    run = made(application, {"n": 1})
    Run.objects.filter(pk=run.pk).update(state=State.FAILED, **fields)
    run.refresh_from_db()
    return run


def test_one_that_failed_is_replayed_with_what_it_was_given(shop: Application) -> None:
    make_event(shop)
    old = failed(shop, priority=7)

    new = replay_run(run=old, by=OPERATOR, now=NOW)

    assert (new.replay_of, new.cause, new.state, new.input) == (old.pk, Cause.REPLAY, State.QUEUED, old.input)
    assert (new.kind, new.runnable, new.application, new.priority, new.due_at) == (KIND, None, shop, 7, NOW)
    assert [run.id for run in taken()] == [new.pk]
    with pytest.raises(Conflict, match="is running"):
        replay_run(run=Run.objects.get(pk=new.pk), by=OPERATOR, now=NOW)
    assert making.replay([new.pk], now=NOW) == []


def test_many_are_replayed_beside_others_no_more_in_a_minute_than_asked_for(alice: Caller) -> None:
    shop = alice.application
    job = make_job(shop)
    old = [failed(shop), make_run(job.runnable, State.FAILED), failed(shop)]
    failed(make_application("Charlie's"))
    made(shop)

    answer = alice.post("/runs/replay/", {"state": ["failed"], "per_minute": 60})

    assert answer.body["count"] == 3, answer.body
    new = Run.objects.filter(cause=Cause.REPLAY).order_by("due_at")
    assert {run.replay_of for run in new} == {run.pk for run in old}
    first = new[0].due_at
    assert [(run.due_at - first).total_seconds() for run in new] == [0, 1, 2]
    assert [run.state for run in new] == [State.QUEUED, State.SCHEDULED, State.SCHEDULED]


def test_its_page_has_a_button_for_it(shop: Application) -> None:
    make_event(shop)
    run = failed(shop, finished_at=NOW)
    of_nobody = make_run(make_job(shop).runnable, State.FAILED)
    Run.objects.filter(pk=of_nobody.pk).update(runnable=None)
    pages = [browser_in(shop).get(reverse("runs:run", args=[shop.slug, one.pk])) for one in (run, of_nobody)]
    assert ['id="replay"' in page.content.decode() for page in pages] == [True, False]


def test_what_has_no_runnable_and_another_kind_is_not_replayed(shop: Application) -> None:
    run = failed(shop, kind="refresh")
    with pytest.raises(Conflict, match="nothing to replay"):
        replay_run(run=run, by=OPERATOR, now=NOW)
