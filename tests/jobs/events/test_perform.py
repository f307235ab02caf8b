"""A run of a job with an event: what it is given, and how many queries that takes."""

import asyncio
from typing import Any

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from badgerjobs.runs.kinds import RUN_KINDS, kind_of
from badgerjobs.runs.outcomes import Done, Failed
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs import checks
from jobs.events import types
from jobs.events.exchange import exchange_of
from jobs.events.means import open_means
from jobs.events.perform import load, occasion_of, perform
from jobs.events.services import create_event, update_event
from jobs.events.showing import ADVICE, ERRORS, answer_of
from jobs.models import EVENT_KIND, Event, EventType
from tests.factories import NOW, make_attempt, make_job, make_run
from tests.jobs.events.performing import RUN
from tests.runs.claims import claimed


def make_event(application: Application, tag: str = "double", **configuration: Any) -> Event:
    given = {"code": "return [input, run.number]", **configuration}
    return create_event(application=application, tag=tag, type="FUNCTION", configuration=given, by=OPERATOR, now=NOW)


@pytest.fixture
def event(shop: Application) -> Event:
    return make_event(shop)


def test_a_job_with_an_event_is_of_the_kind_event(shop: Application, event: Event) -> None:
    assert make_job(shop, event=event, endpoint="", verb="").runnable.kind == EVENT_KIND
    assert EVENT_KIND in RUN_KINDS


def test_many_runs_are_loaded_in_one_query(
    shop: Application, event: Event, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    jobs = [make_job(shop, f"job-{n}", event=event, input={"n": n}, endpoint="", verb="") for n in range(5)]
    runs = [claimed(make_run(job.runnable)) for job in jobs]
    with django_assert_num_queries(1):
        loaded = load(runs)
    assert [loaded[run.id].input for run in runs] == [{"n": n} for n in range(5)]


def test_a_run_whose_job_was_deleted_is_left_out(shop: Application, event: Event) -> None:
    job = make_job(shop, event=event, endpoint="", verb="")
    run = claimed(make_run(job.runnable))
    job.delete()
    assert load([run]) == {}


def test_a_run_performs_the_event_with_its_own_input_before_the_jobs(shop: Application, event: Event) -> None:
    job = make_job(shop, event=event, input="job", endpoint="", verb="")

    async def performed(run: Any, work: Any) -> Any:
        async with open_means() as means:
            return await perform(run, work, means)

    for given, expected in ((None, "job"), ("run", "run")):
        run = claimed(make_run(job.runnable), kind=EVENT_KIND, input=given)
        outcome = asyncio.run(performed(run, load([run])[run.id]))
        assert isinstance(outcome, Done), outcome
        assert outcome.output == [expected, 1]


def test_a_changed_event_reaches_the_next_attempt(shop: Application, event: Event) -> None:
    job = make_job(shop, event=event, endpoint="", verb="")
    run = claimed(make_run(job.runnable))
    update_event(event=event, configuration={"code": "return 2"}, by=OPERATOR, now=NOW)
    assert load([run])[run.id].event.configuration["code"] == "return 2"


def test_every_type_has_its_row_and_a_row_that_leads_nowhere_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(types.EVENT_TYPES) == set(EventType.values)
    assert checks.every_type_of_event_is_there() == []

    types.type_of.cache_clear()
    monkeypatch.setattr(types, "EVENT_TYPES", {"ACTION": "jobs.events.types.action.prepare"})
    monkeypatch.setattr(checks, "EVENT_TYPES", types.EVENT_TYPES)
    said = [error.msg for error in checks.every_type_of_event_is_there()]
    types.type_of.cache_clear()
    assert "The type of event 'FUNCTION' has no row in EVENT_TYPES." in said
    assert said[-1].startswith("The type of event 'ACTION' is not at jobs.events.types.action.prepare")


def test_pages_show_what_was_to_be_done_and_what_came_of_it(shop: Application, event: Event) -> None:
    job = make_job(shop, event=event, input={"n": 1}, endpoint="", verb="")
    run = make_run(job.runnable, kind=EVENT_KIND)
    attempt = make_attempt(run, result={"rows_returned": 3, "rows": [], "truncated": False})
    shown = exchange_of(run, attempt)
    assert shown
    assert shown.response
    assert (shown.request.first, shown.request.rest, shown.response.first) == ("Function", "double", "3 rows")
    assert '"n": 1' in shown.request.body.text
    assert kind_of("event").load is load


@pytest.mark.parametrize(
    ("result", "error_class", "expected"),
    [
        ({"status": 503}, "status", "503 Service Unavailable"),
        ({"rows_affected": 1}, "", "1 row changed"),
        ({"message_id": "1-0", "to": "stream"}, "", "published"),
        ({"message_id": "<x>", "accepted": ["a", "b"]}, "", "mail to 2"),
        ({"value": None}, "", "returned"),
        ({}, "constraint", "a constraint"),
        ({}, "", ""),
    ],
    ids=str,
)
def test_what_came_of_it_is_said_in_a_few_words(result: Any, error_class: str, expected: str) -> None:
    assert answer_of(result, error_class) == expected


def test_every_class_of_error_has_its_words_and_its_advice() -> None:
    assert set(ERRORS) <= set(ADVICE)
    assert Failed("script", "x").error_class in ERRORS


def test_an_attempt_knows_whose_it_is(event: Event) -> None:
    whose = Application(pk=7, workspace_id=9)
    occasion = occasion_of(RUN, event, whose, {})
    assert (occasion.owner, occasion.workspace) == (7, 9)
