"""The lists of events and connections, the page of one, trying it out from there, and deleting it."""

import json
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.lib.vault import MASK
from badgerjobs.runs.models import Attempt, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.events import trials as event_trials
from jobs.events.trials_shown import Tried
from jobs.events.types.rows import kept
from jobs.models import Connection, Event
from tests.clients import browser_in
from tests.factories import NOW, make_application, make_attempt, make_connection, make_event, make_job, make_run
from tests.jobs.form_page import said, text_of
from tests.tasks.background.pages_of import defined, definition

HTTP = {
    "endpoint": "https://example.com/{{input.id}}",
    "headers": {"Authorization": "Bearer hunter2", "X-Team": "shop"},
}


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def bob(shop: Application) -> Client:
    return browser_in(shop, Role.VIEWER)


def at(shop: Application, view: str, *tag: str) -> str:
    return reverse(f"jobs:{view}", args=[shop.slug, *tag])


def names(answer: Any) -> list[str]:
    """The names in its table, in their order."""
    return re.findall(r'<th class="lead" scope="row"><a class="name"[^>]*>([^<]*)<', answer.content.decode())


def test_nothing_yet_says_what_to_do_next(alice: Client, bob: Client, shop: Application) -> None:
    for view, first in (("events", "Make the first event"), ("connections", "Make the first connection")):
        assert first in text_of(alice.get(at(shop, view)))
        seen = text_of(bob.get(at(shop, view)))
        assert first not in seen
        assert "somebody with the role “editor” makes the first one" in seen


def test_a_list_is_narrowed_by_its_address(alice: Client, shop: Application) -> None:
    make_event(shop, "sum", name="Total")
    make_event(shop, "call", name="alpha", type="ACTION", configuration=HTTP)
    make_event(make_application("Charlie's"), "charlies")
    events = at(shop, "events")

    assert names(alice.get(events)) == ["alpha", "Total"]
    assert names(alice.get(f"{events}?type=function")) == ["Total"]
    assert names(alice.get(f"{events}?q=CALL")) == ["alpha"]
    assert names(alice.get(f"{events}?type=pigeon")) == ["alpha", "Total"]
    assert "No event matches" in text_of(alice.get(f"{events}?q=nothing"))
    assert alice.get(f"{events}?q=&type=ACTION")["Location"] == f"{events}?type=ACTION"


def test_a_list_counts_who_uses_each(alice: Client, shop: Application) -> None:
    server = make_connection(shop, "db")
    query = make_event(
        shop, "query", type="DATABASE_ACTION", connection=server, configuration={"statement": "SELECT 1"}
    )
    for tag in ("one", "two"):
        make_job(shop, tag, event=query, endpoint="", verb="")
    make_event(shop, "alone")

    page = text_of(alice.get(at(shop, "events")))
    assert "query Database action db 2 jobs" in page
    assert "no job" in page
    assert "db Database 1 event" in text_of(alice.get(at(shop, "connections")))
    assert names(alice.get(f"{at(shop, 'events')}?connection=db")) == ["query"]


def test_a_list_asks_as_much_for_many_as_for_one(alice: Client, shop: Application) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            alice.get(at(shop, "events"))
        return len(found)

    make_event(shop, "e0")
    alice.get(at(shop, "events"))
    one = queries()
    for number in range(1, 20):
        make_event(shop, f"e{number}")
    assert queries() == one


@pytest.mark.parametrize("order", ["-pk", "name"])
def test_users_are_counted_for_the_rows_of_the_page_alone(shop: Application, order: str) -> None:
    for number in range(5):
        make_job(shop, f"j{number}", event=make_event(shop, f"e{number}"), endpoint="", verb="")
    rows = Event.objects.for_application(shop).in_rows().with_users().order_by(order)[:2]
    assert [vars(event)["users"] for event in rows] == [1, 1]
    [plan] = json.loads(rows.explain(format="json", analyze=True))
    assert [node["Actual Loops"] for node in counts_in(plan["Plan"])] == [2]


def counts_in(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Where something is counted, anywhere in a plan."""
    if plan["Node Type"] == "Aggregate":
        yield plan
    for inner in plan.get("Plans", ()):
        yield from counts_in(inner)


def test_long_lists_have_pages(alice: Client, shop: Application) -> None:
    for number in range(52):
        make_event(shop, f"e{number:02}")
    first = alice.get(at(shop, "events"))
    assert "50 of 52, by name" in text_of(first)
    [later] = re.findall(r'id="later" href="([^"]*)"', first.content.decode())
    assert names(alice.get(later.replace("&amp;", "&"))) == ["e50", "e51"]


def test_an_event_says_what_it_is_and_no_secret(bob: Client, shop: Application) -> None:
    make_event(shop, "call", name="Refresh", type="ACTION", configuration=HTTP)
    answer = bob.get(at(shop, "event", "call"))
    page = text_of(answer)
    for words in ("Refresh Action", "https://example.com/{{input.id}}", f"Authorization {MASK}", "X-Team shop", "30 s"):
        assert words in page
    assert "hunter2" not in answer.content.decode()
    assert "No job performs it yet." in page
    for doing in ("Try it", "Edit", "Delete", "New job"):
        assert doing not in page


def test_code_and_statements_are_told_apart_as_json_is(bob: Client, shop: Application) -> None:
    make_event(shop, "sum", configuration={"code": "return '<i>' // why"})
    statement = {"statement": "SELECT '<i>'", "parameters": {"a": 1}}
    make_event(shop, "query", type="DATABASE_ACTION", connection=make_connection(shop, "db"), configuration=statement)
    code = bob.get(at(shop, "event", "sum")).content.decode()
    for piece in ('<span class="n">return</span>', "&lt;i&gt;&#x27;</span>", '<span class="c">// why</span>'):
        assert piece in code
    query = bob.get(at(shop, "event", "query")).content.decode()
    assert '<span class="n">SELECT</span> <span class="s">&#x27;&lt;i&gt;&#x27;</span>' in query
    assert '<span class="k">&quot;a&quot;</span>' in query


def test_a_connection_says_where_it_leads_and_no_password(bob: Client, shop: Application) -> None:
    server = make_connection(shop, "db", name="Shop database")
    make_event(shop, "query", type="DATABASE_ACTION", connection=server, configuration={"statement": "SELECT 1"})
    page = text_of(bob.get(at(shop, "connection", "db")))
    assert "Host db.example.com" in page
    assert f"Password {MASK}" in page
    assert "query" in page
    assert "Edit" not in page


def test_an_event_says_which_jobs_perform_it_and_how_they_fared(alice: Client, shop: Application) -> None:
    event = make_event(shop, "sum")
    job = make_job(shop, "nightly", event=event, endpoint="", verb="", run_every="PT1H")
    for number, state in enumerate((State.SUCCEEDED, State.SUCCEEDED, State.FAILED), start=1):
        run = make_run(job.runnable, state, number=number, attempts=1, finished_at=NOW)
        make_attempt(run, ok=state != State.FAILED, error_class="" if state != State.FAILED else "script")
    make_job(shop, "another")

    page = alice.get(at(shop, "event", "sum"))
    assert names(page) == ["nightly"]
    assert "last 3 runs: 2 succeeded, 1 failed" in text_of(page)
    assert "Every 1 hour" in text_of(page) or "Every hour" in text_of(page)


def test_another_tenants_is_not_there(alice: Client, shop: Application) -> None:
    charlies = make_application("Charlie's")
    make_event(charlies, "theirs")
    make_connection(charlies, "theirs")
    for view in ("event", "edit-event", "delete-event", "connection", "edit-connection", "delete-connection"):
        assert alice.get(at(shop, view, "theirs")).status_code == 404
    assert alice.post(at(shop, "try-event", "theirs"), {"sample": "1"}).status_code == 404
    assert alice.post(f"{at(shop, 'try-form')}?event=theirs", {"sample": "1"}).status_code == 404


def test_trying_performs_it_for_real_and_stores_nothing(alice: Client, shop: Application) -> None:
    code = "console.log('asked for', input.a); return {sum: input.a + input.b}"
    event = make_event(shop, "sum", configuration={"code": code})
    answer = alice.post(at(shop, "try-event", "sum"), {"sample": '{"a": 1, "b": 2}'}, headers={"HX-Target": "tried"})
    part = text_of(answer)
    assert answer.templates[0].name == "jobs/events/event/tried.html"
    for words in ("returned after", "&quot;sum&quot;", "log asked for 1"):
        assert words in part
    assert not event.jobs.exists()
    assert Event.objects.get().updated_at == event.updated_at
    assert AuditEntry.objects.get(action="event.test").actor == "alice@example.com"


def test_what_fails_is_said_with_its_place_and_what_may_help(alice: Client, shop: Application) -> None:
    make_event(shop, "sum", configuration={"code": "console.log('begun')\nreturn input.a.b.c"})
    page = text_of(alice.post(at(shop, "try-event", "sum"), {"sample": "{}"}))
    assert "a script that fails after" in page
    assert "line 2" in page
    assert "log begun" in page
    assert "Change the code, then try the event out" in page


@pytest.mark.parametrize(
    ("sample", "words"),
    [("{", "Sample input: This is no JSON. Line 1, column 2"), ("[" * 200 + "]" * 200, "nested")],
    ids=["broken", "deep"],
)
def test_a_sample_that_is_no_input_is_not_tried(alice: Client, shop: Application, sample: str, words: str) -> None:
    make_event(shop, "sum")
    page = text_of(alice.post(at(shop, "try-event", "sum"), {"sample": sample}))
    assert "Nothing was tried." in page
    assert words in page
    assert not AuditEntry.objects.filter(action="event.test").exists()


def test_who_tries_too_often_is_told(alice: Client, shop: Application) -> None:
    make_event(shop, "sum")
    with patch.object(event_trials, "PER_MINUTE", 0):
        assert "An application tries events 0 times a minute" in text_of(
            alice.post(at(shop, "try-event", "sum"), {"sample": ""})
        )


def test_the_sample_begins_with_what_the_newest_job_gives(alice: Client, shop: Application) -> None:
    event = make_event(shop, "sum")
    make_job(shop, "old", event=event, endpoint="", verb="", input={"a": 1})
    make_job(shop, "new", event=event, endpoint="", verb="", input={"a": 2})
    assert alice.get(at(shop, "event", "sum")).context["sample"]() == '{\n  "a": 2\n}'


OUTCOMES = [
    ({"rows_returned": 2, "rows": [{"id": 1, "tags": ["x"]}, {"id": 2, "tags": None}], "truncated": False},
     ["2 rows after 4 ms", "id tags", "1 [&quot;x&quot;]", "2 null"]),
    ({"rows_returned": 0, "rows": [], "truncated": False}, ["0 rows", "No rows came back."]),
    ({"rows_returned": 1, "rows": [{"a": 1}], "truncated": True}, ["There are more"]),
    ({"rows_affected": 3, "rows_returned": 0, "rows": []}, ["Rows changed 3"]),
    ({"message_id": "<1@x>", "accepted": ["a@x.example"], "refused": {"b@x.example": "550 no."}},
     ["mail to 1", "Message id &lt;1@x&gt;", "Taken for a@x.example", "Refused for b@x.example: 550 no."]),
    ({"to": "list", "name": "orders", "message_id": "1", "length": 7}, ["published", "Name orders", "Length 7"]),
    ({"status": 200, "headers": {"set-cookie": "sid=1", "x-a": "b"}, "body": "<b>hello</b>"},
     ["200 OK", "2 headers", f"set-cookie {MASK}", "x-a b", "&lt;b&gt;hello&lt;/b&gt;"]),
    ({"status": 204, "headers": {}, "body": ""}, ["204 No Content", "The answer has no body."]),
    ({"value": None, "console": [{"level": "warn", "text": "<i>"}]}, ["returned", "null", "warn &lt;i&gt;"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("result", "words"), OUTCOMES, ids=lambda value: "" if isinstance(value, list) else "-".join(value)
)
def test_what_came_back_is_shown_by_what_it_is(
    alice: Client, shop: Application, result: dict[str, Any], words: list[str]
) -> None:
    make_event(shop, "sum")
    with patch("jobs.events.page_trials.try_event") as tried, patch("jobs.events.page_trials.told") as told:
        tried.return_value = (None, 4)
        told.return_value = {"ok": True, "result": result, "error": None}
        page = text_of(alice.post(at(shop, "try-event", "sum"), {"sample": ""}))
    for said_ in words:
        assert said_ in page


def test_columns_stand_in_the_order_of_the_statement(shop: Application) -> None:
    run = make_run(make_job(shop).runnable)
    make_attempt(run, result=kept(["n", "was", "x"], [(1, 2, 3)], most=10))
    result = Attempt.objects.get().result
    assert result
    tried = Tried.of({"ok": True, "result": result, "error": None}, 4)
    assert (tried.columns, tried.rows) == (["n", "was", "x"], [["1", "2", "3"]])


def test_a_long_table_is_cut() -> None:
    rows = [{"a": number} for number in range(300)]
    tried = Tried.of({"ok": True, "result": {"rows": rows, "rows_returned": 300}, "error": None}, 4)
    assert len(tried.rows) == 100
    assert tried.more == "The first 100 of 300 are shown."


def test_deleting_asks_first(alice: Client, shop: Application) -> None:
    make_event(shop, "sum")
    make_connection(shop, "db")
    assert "Delete sum?" in text_of(alice.get(at(shop, "delete-event", "sum")))
    assert "Delete db?" in text_of(alice.get(at(shop, "delete-connection", "db")))
    assert Event.objects.exists()
    assert Connection.objects.exists()
    assert said(alice.post(at(shop, "delete-event", "sum")))[-1] == "sum is deleted."
    assert said(alice.post(at(shop, "delete-connection", "db")))[-1] == "db is deleted."
    assert not Event.objects.exists()
    assert not Connection.objects.exists()
    assert AuditEntry.objects.get(action="event.delete").actor == "alice@example.com"


@pytest.mark.parametrize("send", ["get", "post"])
def test_what_is_used_is_not_deleted_and_says_by_whom(alice: Client, shop: Application, send: str) -> None:
    server = make_connection(shop, "db")
    event = make_event(
        shop, "query", type="DATABASE_ACTION", connection=server, configuration={"statement": "SELECT 1"}
    )
    make_job(shop, "nightly", event=event, endpoint="", verb="")
    for view, tag, named in (("event", "query", "the job “nightly”"), ("connection", "db", "the event “query”")):
        answer = getattr(alice, send)(at(shop, f"delete-{view}", tag))
        assert answer["Location"] == at(shop, view, tag)
        assert named in said(answer)[-1]
    assert Event.objects.exists()
    assert Connection.objects.exists()


@pytest.mark.parametrize("written", ["database_action", "database-action", "Database%20Action"])
def test_the_list_takes_a_type_as_people_write_it(shop: Application, alice: Client, written: str) -> None:
    make_event(shop, "sum")
    make_connection(shop, "db")
    make_event(
        shop, "count", type="DATABASE_ACTION", configuration={"statement": "SELECT 1"},
        connection=Connection.objects.get(),
    )  # fmt: skip
    page = alice.get(f"{reverse('jobs:events', args=[shop.slug])}?type={written}").content.decode()
    assert [tag for tag in ("sum", "count") if reverse("jobs:event", args=[shop.slug, tag]) in page] == ["count"]


def test_a_background_task_that_it_triggers_leads_to_its_definition(shop: Application, alice: Client) -> None:
    with defined(definition()):
        event = make_event(shop, configuration={"background_task": "syncArticles"})
        found = alice.get(at(shop, "event", event.tag)).content.decode()
        to = reverse("background:definition", args=[shop.slug, "syncArticles"])
        assert f'<dt>Background task</dt><dd><a href="{to}">syncArticles</a></dd>' in found
    with defined():
        assert (
            "<dt>Background task</dt><dd>syncArticles</dd>" in alice.get(at(shop, "event", event.tag)).content.decode()
        )


def test_the_form_offers_the_background_tasks_that_may_be_triggered(shop: Application, alice: Client) -> None:
    with defined(definition(), definition("secretOne", is_private=True)):
        found = alice.get(f"{at(shop, 'new-event')}?type=FUNCTION").content.decode()
        assert 'list="definitions"' in found.partition('name="configuration_background_task"')[2].partition(">")[0]
        offered = found.partition('<datalist id="definitions">')[2].partition("</datalist>")[0]
        assert offered == '<option value="syncArticles">Sync articles</option>'
        assert "definitions" not in alice.get(f"{at(shop, 'new-event')}?type=ACTION").content.decode()
