"""The page of a run that performed an event: the event as it was, and what came of it."""

import json
import re
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.background_schedules import schedule_background_task
from jobs.events.once import Wish, perform_once
from jobs.models import Job
from tasks.background.definitions import Registry
from tests.clients import browser_in
from tests.factories import (
    NOW,
    make_application,
    make_attempt,
    make_background_run,
    make_event,
    make_job,
    make_run,
)
from tests.in_turn import in_turn
from tests.jobs.event_jobs import event_job, text
from tests.tasks.background.defined import define

ENDED = (State.SUCCEEDED, State.FAILED)


def run_page(job: Job, result: Any, **attempt: Any) -> Any:
    failed = "error_class" in attempt
    run = make_run(
        job.runnable, State.FAILED if failed else State.SUCCEEDED, kind="event", number=1, attempts=1,
        output=None if failed else (result or {}).get("value"), error=attempt.get("error", ""),
    )  # fmt: skip
    make_attempt(run, ok=not failed, result=result, **attempt)
    return browser_in(job.application).get(reverse("runs:run", args=[job.application.slug, run.pk]))


@pytest.mark.parametrize(
    ("type_name", "result", "words"),
    [
        (
            "DATABASE_ACTION",
            {"rows_returned": 2, "rows": [{"tag": "<i>", "n": None}, {"tag": "b", "n": [1]}], "truncated": True},
            ["2 rows", "n tag null &lt;i&gt; [1] b", "There were more than are kept."],
        ),
        ("DATABASE_ACTION", {"rows_affected": 3}, ["3 rows changed", "Rows changed 3"]),
        (
            "NOTIFICATION",
            {"message_id": "1@x", "accepted": ["a@x"], "refused": {"b@x": "550 no"}},
            ["mail to 1", "Message id 1@x", "Taken for a@x", "Refused for b@x: 550 no"],
        ),
        ("MESSAGEBROKER", {"to": "stream", "name": "s", "message_id": "1-0"}, ["published", "Message id 1-0"]),
        (
            "FUNCTION",
            {"value": {"total": 3}, "console": [{"level": "warn", "text": "<hm>"}]},
            ["returned", "{ total : 3 }", "Console warn &lt;hm&gt;"],
        ),
        ("ACTION", {"status": 200, "headers": {}, "body": "fine"}, ["200 OK", "fine"]),
    ],
    ids=["rows", "changed", "mail", "message", "value", "answer"],
)
def test_the_page_of_a_run_shows_the_event_and_its_result(
    shop: Application, type_name: str, result: Any, words: list[str]
) -> None:
    said = text(run_page(event_job(shop, type_name, input={"n": 1}), result)).replace("&quot;", "")
    assert "Event, attempt 1" in said
    assert "Result, attempt 1" in said
    for word in (f"e-{type_name.lower()}", *words):
        assert word in said


def exchanged(job: Job, result: Any = None, **attempt: Any) -> str:
    """What the page of its run says of the event, as it came; the attempt began now."""
    return _side(run_page(job, result, started_at=timezone.now(), **attempt))


def exchanged_before(job: Job) -> str:
    """The same of the run there is: the event was changed since."""
    at = reverse("runs:run", args=[job.application.slug, Run.objects.get().pk])
    side = _side(browser_in(job.application).get(at))
    assert "The job or its event was changed after this: it is shown as it stands now." in side
    return side


def _side(answer: Any) -> str:
    page: str = answer.content.decode()
    return page.partition('<div id="exchange">')[2].partition('id="response-title"')[0]


def test_the_page_of_a_run_leads_to_its_event_and_copies_the_input_by_its_name(shop: Application) -> None:
    page = run_page(event_job(shop, input={"n": 1}), {"value": 2, "console": []})
    to = reverse("jobs:event", args=[shop.slug, "e-function"])
    assert f'<a id="event" href="{to}"><code>e-function</code></a>' in _side(page)
    assert 'data-copy="#request-body">Copy input</button>' in _side(page)
    assert 'data-copy="#response-body">Copy value</button>' in page.content.decode()


@pytest.mark.parametrize(
    ("type_name", "configuration", "error", "lines"),
    [
        ("FUNCTION", {"code": "const a = 1;\nreturn <b>;"}, {"error_class": "script", "error": "E (line 2, column 8)"},
         ['<span class="n">const</span> a = <span class="n">1</span>;',
          '<mark><span class="n">return</span> &lt;b&gt;;</mark>']),
        ("DATABASE_ACTION", {"statement": "SELECT 'x'\nFROM t"},
         {"error_class": "sql", "error": "The database says (line 1, column 2): no."},
         ['<mark><span class="n">SELECT</span> <span class="s">&#x27;x&#x27;</span></mark>',
          '<span class="n">FROM</span> t']),
        ("FUNCTION", {"code": "return 1"}, {}, ['<span class="n">return</span> <span class="n">1</span>']),
    ],
    ids=["code", "statement", "success"],
)  # fmt: skip
def test_what_was_carried_out_is_shown_with_the_line_that_went_wrong(
    shop: Application, type_name: str, configuration: dict[str, Any], error: dict[str, str], lines: list[str]
) -> None:
    job = event_job(shop, type_name)
    assert job.event
    job.event.configuration = {**job.event.configuration, **configuration}
    job.event.save()
    code = exchanged(job, **error).partition('id="code"')[2].partition("</pre>")[0]
    assert re.findall("<code>(.*?)</code>", code) == lines
    job.event.save()
    assert "<mark>" not in exchanged_before(job)


def test_of_long_code_the_beginning_is_shown(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.events.exchange.MOST_LINES", 2)
    job = event_job(shop)
    assert job.event
    job.event.configuration = {**job.event.configuration, "code": "return [\n1,\n2]"}
    job.event.save()
    said = exchanged(job, {"value": [1, 2]})
    assert said.partition('id="code"')[2].partition("</pre>")[0].count("<code>") == 2
    assert "Only its beginning is shown: the page of the event has all of it." in said


def test_an_action_says_whom_it_called_and_after_a_change_whom_it_calls(shop: Application) -> None:
    job = event_job(shop, "ACTION", input={"id": "a/b"})
    assert job.event
    job.event.configuration = {**job.event.configuration, "endpoint": "https://example.com/{{input.id}}", "verb": "PUT"}
    job.event.save()
    assert "<dt>Called</dt><dd><code>PUT https://example.com/a%2Fb</code></dd>" in exchanged(job, {"status": 204})
    job.event.save()
    assert "<dt>Calls</dt><dd><code>PUT https://example.com/{{input.id}}</code></dd>" in exchanged_before(job)


def test_what_was_returned_is_shown_once(shop: Application) -> None:
    page = run_page(event_job(shop), {"value": "unmistakable", "console": []})
    assert text(page).count("unmistakable") == 1


def test_a_run_that_failed_says_why_and_not_that_it_returned(shop: Application) -> None:
    result = {"value": None, "console": [{"level": "log", "text": "so far"}], "error": {"line": 3, "column": 1}}
    said = text(run_page(event_job(shop), result, error_class="script", error="Boom at line 3, column 1."))
    assert "Boom at line 3, column 1." in said
    assert "log so far" in said
    assert "returned" not in said


def test_the_page_leads_to_the_background_task_that_was_triggered_while_that_is_there(shop: Application) -> None:
    row = make_background_run(shop, name="Sync <articles>")
    job = event_job(shop)
    made = {"id": str(row.pk), "definition": "syncArticles", "name": "Sync <articles>"}
    page = run_page(job, {"background_task": str(row.pk), "value": made, "console": []}).content.decode()
    at = reverse("background:task", args=[shop.slug, row.pk])
    assert f'<dt>Background task</dt><dd><a id="begun-1" href="{at}">Sync &lt;articles&gt;</a></dd>' in page
    for its in (make_background_run(make_application("Charlie's"), name="theirs").pk, uuid4(), "no id"):
        page = run_page(job, {"background_task": str(its), "value": None, "console": []}).content.decode()
        assert "triggered" in page
        assert "begun-1" not in page


TASK = {"background_task": "syncArticles"}


def of_task(shop: Application, how: str) -> Job:
    """A job whose event triggers a background task, made in one of the ways that there are."""
    if how == "scheduled":
        return schedule_background_task(
            application=shop, definition="syncArticles", input={"n": 1}, tag="nightly", by=OPERATOR, now=NOW,
            cron="0 3 * * *",
        )  # fmt: skip
    return make_job(
        shop, "fn-job", event=make_event(shop, configuration=TASK), endpoint="", verb="", input={"n": 1},
        cron="0 3 * * *" if how == "cron" else "",
    )  # fmt: skip


@pytest.fixture
def _defined(registry: Registry) -> None:
    define()


@pytest.mark.usefixtures("_defined")
@in_turn("how, state", product(["by hand", "cron", "scheduled"], [State.QUEUED, State.RETRYING, *ENDED]))
def test_a_run_that_triggers_a_background_task_has_a_page(shop: Application, how: str, state: State) -> None:
    job, row = of_task(shop, how), make_background_run(shop, name="Sync articles")
    cause = Cause.MANUAL if how == "by hand" else Cause.SCHEDULE
    run = make_run(job.runnable, state, kind="event", cause=cause, number=1, attempts=int(state in ENDED))
    if state in ENDED:
        is_done = state == State.SUCCEEDED
        done = {"background_task": str(row.pk), "value": {"id": str(row.pk)}, "console": []}
        refused: dict[str, Any] = {} if is_done else {"error_class": "input", "error": "email: Give an e-mail address."}
        make_attempt(run, ok=is_done, result=done if is_done else None, **refused)
    answer = browser_in(shop).get(reverse("runs:run", args=[shop.slug, run.pk]))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "<dt>Background task</dt><dd><code>syncArticles</code></dd>" in page
    assert ('id="begun-1"' in page) is (state == State.SUCCEEDED)
    assert ("email: Give an e-mail address." in page) is (state == State.FAILED)


@pytest.mark.usefixtures("_defined")
@in_turn("is_done", [True, False])
def test_so_has_one_that_a_webhook_made_without_a_job(shop: Application, is_done: bool) -> None:
    make_event(shop, configuration=TASK)
    [pk] = perform_once([Wish(shop.pk, "an-event", '{"n": 1}')], cause=Cause.WEBHOOK, now=NOW)
    row = make_background_run(shop)
    refused: dict[str, Any] = {} if is_done else {"error_class": "input", "error": "email: Give an e-mail address."}
    result: Any = {"background_task": str(row.pk), "value": None, "console": []} if is_done else None
    make_attempt(Run.objects.get(pk=pk), ok=is_done, result=result, runnable_id=None, **refused)
    page = browser_in(shop).get(reverse("runs:run", args=[shop.slug, pk])).content.decode()
    assert "<dt>Background task</dt><dd><code>syncArticles</code></dd>" in page
    assert ('id="begun-1"' in page) is is_done


def test_many_rows_are_shown_in_part_and_the_download_has_all(shop: Application) -> None:
    rows = [{"n": number} for number in range(300)]
    job = event_job(shop, "DATABASE_ACTION")
    page = run_page(job, {"rows_returned": 300, "rows": rows, "truncated": False})
    assert "The first 100 of 300 are shown; the download has all." in text(page)
    body = browser_in(shop).get(reverse("runs:body", args=[shop.slug, Run.objects.get().pk]))
    assert json.loads(body.content)["rows"] == rows
