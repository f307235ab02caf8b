"""A run of a job with an event: what it is given, and how many queries that takes."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from badgerjobs import servers
from badgerjobs.lib import vault
from badgerjobs.lib.ids import uuid7
from badgerjobs.lib.vault import decrypt
from badgerjobs.outbound.calls import ErrorClass
from badgerjobs.runs.kinds import RUN_KINDS, kind_of
from badgerjobs.runs.outcomes import Done
from badgerjobs.servers import postgresql
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs import checks, events
from jobs.events import types
from jobs.events.exchange import exchange_of
from jobs.events.means import open_means
from jobs.events.perform import load, occasion_of, perform
from jobs.events.services import update_event
from jobs.events.showing import ADVICE, ERRORS, answer_of
from jobs.events.types import function
from jobs.models import EVENT_KIND, Event, EventType
from tests.factories import NOW, make_attempt, make_connection, make_event, make_job, make_run
from tests.jobs.events.performing import RUN
from tests.runs.claims import claimed


@pytest.fixture
def event(shop: Application) -> Event:
    return make_event(shop, "double", configuration={"code": "return [input, run.number]"})


def test_a_job_with_an_event_is_of_the_kind_event(shop: Application, event: Event) -> None:
    assert make_job(shop, event=event, endpoint="", verb="").runnable.kind == EVENT_KIND
    assert EVENT_KIND in RUN_KINDS


def test_many_runs_are_loaded_in_as_many_queries_as_one_and_what_they_share_is_decrypted_once(
    shop: Application, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = {"statement": "SELECT 1"}
    event = make_event(shop, type="DATABASE_ACTION", connection=make_connection(shop), configuration=statement)
    jobs = [make_job(shop, f"job-{n}", event=event, input={"n": n}, endpoint="", verb="") for n in range(5)]
    of_each = [claimed(make_run(job.runnable)) for job in jobs]
    runs = [replace(run, id=uuid7()) for run in of_each for _ in range(10)]
    decrypted: list[str] = []

    def counted(stored: str, keys: Sequence[str]) -> str:
        decrypted.append(stored)
        return decrypt(stored, keys)

    monkeypatch.setattr(vault, "decrypt", counted)
    with django_assert_num_queries(4):
        loaded = load(runs)
    assert [json.loads(loaded[run.id].input) for run in runs] == [{"n": n} for n in range(5) for _ in range(10)]
    assert len(decrypted) == 3, "the event, its connection, the application's key"


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
    rooms = (Path(str(room.__file__)).parent for room in (events, servers))
    sources = "".join(path.read_text() for room in rooms for path in room.rglob("*.py"))
    told = {*re.findall(r'Failed\(\s*"(\w+)"', sources), *get_args(ErrorClass), *postgresql.CLASSES.values()}
    told |= {*function.CLASSES.values(), function.SCRIPT}
    assert {"auth", "rejected", "input"} < told
    assert told - {"status"} <= set(ERRORS)  # whose words are its number's
    assert set(ERRORS) <= set(ADVICE)


def test_an_attempt_knows_whose_it_is(event: Event) -> None:
    whose = Application(pk=7, workspace_id=9)
    occasion = occasion_of(RUN, event, whose, {})
    assert (occasion.owner, occasion.workspace) == (7, 9)
