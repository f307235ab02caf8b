"""Jobs of every type in the panel: the list, the page of one that performs an event, and what became of its runs."""

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.bulk import resume_jobs
from jobs.cancelling import cancel_jobs
from jobs.models import EventType, Job
from tests.clients import browser_in
from tests.factories import make_attempt, make_connection, make_event, make_job, make_run

# Type → a configuration of it, and which connection it needs.
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "ACTION": ({"endpoint": "https://example.com/"}, None),
    "NOTIFICATION": ({"channel": "chat", "url": "https://chat.example.com/", "text": "x"}, None),
    "DATABASE_ACTION": ({"statement": "SELECT 1"}, {}),
    "FUNCTION": ({"code": "return 1"}, None),
    "MESSAGEBROKER": (
        {"to": "stream", "name": "s"},
        {"type": "BROKER", "configuration": {"protocol": "redis", "host": "broker.example.com"}},
    ),
}


def event_job(shop: Application, type_name: str = "FUNCTION", tag: str = "", **fields: Any) -> Job:
    configuration, given = EVENTS[type_name]
    connection = None if given is None else make_connection(shop, f"c-{type_name.lower()}", **given)
    event = make_event(
        shop, f"e-{type_name.lower()}", type=type_name, configuration=configuration, connection=connection
    )
    return make_job(shop, tag or type_name.lower(), timezone.now(), event=event, endpoint="", verb="", **fields)


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]).split())


def listed(shop: Application, **query: str) -> set[str]:
    page = browser_in(shop).get(reverse("jobs:list", args=[shop.slug]), query).content.decode()
    return set(re.findall(r'id="job-([^"]+)"', page))


def look(job: Job, role: Role = Role.OWNER) -> Any:
    return browser_in(job.application, role).get(reverse("jobs:job", args=[job.application.slug, job.tag]))


def send(job: Job, verb: str, role: Role = Role.OWNER, **form: str) -> Any:
    at = reverse(f"jobs:{verb}", args=[job.application.slug, job.tag])
    return browser_in(job.application, role).post(at, form, follow=True)


def cancelled(job: Job, reason: str = "") -> Job:
    cancel_jobs(application=job.application, ids=[job.pk], by=OPERATOR, now=timezone.now(), reason=reason)
    return Job.objects.select_related("runnable").get(pk=job.pk)


# The list


@pytest.fixture
def all_types(shop: Application) -> Application:
    """A job of each type, and one that says itself what to call."""
    for type_name in EventType.values:
        event_job(shop, type_name)
    make_job(shop, "own-call")
    return shop


@pytest.mark.parametrize(
    ("chosen", "tags"),
    [
        ("action", {"action", "own-call"}),
        ("notification", {"notification"}),
        ("database_action", {"database_action"}),
        ("function", {"function"}),
        ("messagebroker", {"messagebroker"}),
        ("nonsense", {"own-call", *(type_name.lower() for type_name in EventType.values)}),
    ],
)
def test_the_list_is_narrowed_by_type(all_types: Application, chosen: str, tags: set[str]) -> None:
    assert listed(all_types, type=chosen) == tags


def test_a_type_stands_among_the_chips_in_words_and_stays_in_every_link(all_types: Application) -> None:
    page = browser_in(all_types).get(reverse("jobs:list", args=[all_types.slug]), {"type": "messagebroker"})
    assert "type: broker message" in text(page)
    assert "?type=messagebroker&amp;sort=name" in page.content.decode()
    assert '<option value="messagebroker" selected>broker message</option>' in page.content.decode()


def test_a_row_names_the_event_where_others_have_an_address(all_types: Application) -> None:
    said = text(browser_in(all_types).get(reverse("jobs:list", args=[all_types.slug])))
    for words in ("Function e-function", "Broker message e-messagebroker", "POST example.com/"):
        assert words in said


def test_the_search_finds_an_event_by_its_tag(all_types: Application) -> None:
    assert listed(all_types, q="E-FUNC") == {"function"}


def test_what_went_wrong_with_an_event_is_said_in_few_words(shop: Application) -> None:
    run = make_run(event_job(shop).runnable, State.FAILED, attempts=1)
    make_attempt(run, ok=False, error_class="script", error="Boom.")
    page = browser_in(shop).get(reverse("jobs:list", args=[shop.slug])).content.decode()
    assert '<span class="state failed">a script that fails</span>' in page


def test_what_was_cancelled_is_not_called_paused(shop: Application) -> None:
    cancelled(make_job(shop, "over", run_every="PT1H"))
    make_job(shop, "off", run_every="PT1H", enabled=False)
    assert (listed(shop, state="cancelled"), listed(shop, state="paused")) == ({"over"}, {"off"})
    page = browser_in(shop).get(reverse("jobs:list", args=[shop.slug])).content.decode()
    assert page.count('<span class="state cancelled">cancelled</span>') == 1
    assert page.count('<span class="state paused">paused</span>') == 1


# Many at once


def bulk(shop: Application, verb: str, *tags: str, **more: str) -> Any:
    at = reverse("jobs:bulk", args=[shop.slug])
    return browser_in(shop).post(at, {"do": verb, "job": list(tags), **more}, follow=True)


def test_many_are_resumed_without_those_that_were_cancelled_and_that_is_said(shop: Application) -> None:
    cancelled(make_job(shop, "over", run_every="PT1H"))
    make_job(shop, "off", run_every="PT1H", enabled=False)
    asked = text(bulk(shop, "resume", "over", "off"))
    assert "Resume 1 job?" in asked
    assert "1 job of these was cancelled, and stays so: it is resumed on its own page." in asked
    assert "1 job is resumed." in text(bulk(shop, "resume", "over", "off", asked="1"))
    assert dict(Runnable.objects.values_list("name", "enabled")) == {"over": False, "off": True}


def test_cancelled_jobs_alone_are_not_resumed_together(shop: Application) -> None:
    for tag in ("one", "two"):
        cancelled(make_job(shop, tag, run_every="PT1H"))
    said = text(bulk(shop, "resume", "one", "two", asked="2"))
    assert "2 jobs of these were cancelled, and stay so: each is resumed on its own page." in said
    assert not Runnable.objects.filter(enabled=True).exists()


def test_many_are_cancelled_as_far_as_something_of_them_goes_on(shop: Application) -> None:
    make_job(shop, "goes-on", run_every="PT1H")
    make_job(shop, "idle")
    asked = text(bulk(shop, "cancel", "goes-on", "idle"))
    assert "Cancel 1 job?" in asked
    assert "1 job of these has nothing to cancel." in asked
    assert "1 job is cancelled." in text(bulk(shop, "cancel", "goes-on", "idle", asked="1"))
    assert listed(shop, state="cancelled") == {"goes-on"}
    assert AuditEntry.objects.filter(action="job.cancel").count() == 1


# The page of one


def test_its_page_says_which_event_it_performs_with_what_and_nothing_of_a_call(shop: Application) -> None:
    job = event_job(shop, input={"n": "<b>"}, run_every="PT1H")
    page = look(job)
    said = text(page)
    for words in ("Function e-function", "What the event is given", "&lt;b&gt;", "Every hour"):
        assert words in said
    for words in ("curl", "a call", "What it sends", "a status of 400"):
        assert words not in said
    assert f'href="{reverse("jobs:event", args=[shop.slug, "e-function"])}"' in page.content.decode()


def test_filters_and_pages_of_its_results_lead_to_its_own_page(shop: Application) -> None:
    job = event_job(shop)
    for number in range(1, 28):
        make_run(job.runnable, State.FAILED, kind="event", number=number, attempts=1)
    page = look(job).content.decode()
    own = reverse("jobs:job", args=[shop.slug, job.tag])
    for rest in ("#results", "?state=failed#results", "?cursor="):
        assert f'href="{own}{rest}' in page
    assert f'href="{reverse("jobs:event", args=[shop.slug, "e-function"])}?' not in page


def test_a_job_without_an_input_says_what_the_event_gets(shop: Application) -> None:
    assert "No input of its own: the event gets null ." in text(look(event_job(shop)))


@pytest.mark.parametrize(
    ("type_name", "result", "error", "said"),
    [
        ("DATABASE_ACTION", {"rows_returned": 2, "rows": [{"a": 1}, {"a": 2}], "truncated": False}, "", "2 rows"),
        ("DATABASE_ACTION", {"rows_affected": 1}, "", "1 row changed"),
        ("NOTIFICATION", {"message_id": "<1@x>", "accepted": ["a@x", "b@x"], "refused": {}}, "", "mail to 2"),
        ("MESSAGEBROKER", {"to": "stream", "name": "s", "message_id": "1-0"}, "", "published"),
        ("FUNCTION", {"value": None, "console": []}, "", "returned"),
        ("ACTION", {"status": 204}, "", "204 No Content"),
        ("ACTION", {"status": 503}, "status", "503 Service Unavailable"),
        ("FUNCTION", None, "script", "Boom at line 3, column 1"),
    ],
    ids=["rows", "changed", "mail", "message", "value", "answer", "status", "script"],
)
def test_results_say_what_came_of_it(shop: Application, type_name: str, result: Any, error: str, said: str) -> None:
    job = event_job(shop, type_name)
    run = make_run(job.runnable, State.FAILED if error else State.SUCCEEDED, number=1, attempts=1)
    sentence = "Boom at line 3, column 1." if error else ""
    make_attempt(run, ok=not error, result=result, error_class=error, error=sentence)
    found = re.search(r'<td class="lead second answer">([^<]*)</td>\s*<td class="number', look(job).content.decode())
    assert found
    assert found[1] == said


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


def test_many_rows_are_shown_in_part_and_the_download_has_all(shop: Application) -> None:
    rows = [{"n": number} for number in range(300)]
    job = event_job(shop, "DATABASE_ACTION")
    page = run_page(job, {"rows_returned": 300, "rows": rows, "truncated": False})
    assert "The first 100 of 300 are shown; the download has all." in text(page)
    body = browser_in(shop).get(reverse("runs:body", args=[shop.slug, Run.objects.get().pk]))
    assert json.loads(body.content)["rows"] == rows


# Its verbs


def test_it_is_asked_before_a_job_is_cancelled_and_then_said_who_did_it_and_why(shop: Application) -> None:
    job = event_job(shop, run_every="PT1H")
    make_run(job.runnable, State.QUEUED, number=4)
    at = reverse("jobs:cancel", args=[shop.slug, job.tag])
    asked = text(browser_in(shop).get(at))
    assert "what waits or runs of it is aborted: 1 run now. Its results stay" in asked
    assert Runnable.objects.get().enabled
    said = text(send(job, "cancel", reason="moved  away"))
    assert "Cancelled by alice@example.com , now" in said
    assert ": moved away" in said
    assert "Not while it is cancelled" in said
    assert Run.objects.get().state == State.ABORTED


def test_what_is_over_is_not_cancelled(shop: Application) -> None:
    job = event_job(shop)
    assert reverse("jobs:cancel", args=[shop.slug, job.tag]) not in look(job).content.decode()
    assert "Nothing of this job is planned, waits or runs (it is idle)" in text(send(job, "cancel"))


def test_a_cancelled_job_is_resumed_on_its_page_and_not_paused(shop: Application) -> None:
    job = cancelled(event_job(shop, run_every="PT1H"))
    assert "This job was cancelled: resume it first." in text(send(job, "pause"))
    assert "Cancelled" in text(look(job))
    send(job, "resume")
    assert Runnable.objects.get().enabled
    assert "Cancelled" not in text(look(job))


def test_the_last_run_that_failed_is_retried_once(shop: Application) -> None:
    job = event_job(shop)
    assert "Retry the last that failed" not in text(look(job))
    assert "To run it, press “Run now”." in text(send(job, "retry"))
    failed = make_run(job.runnable, State.FAILED, number=1)
    assert "Retry the last that failed" in text(look(job))
    assert "replays the last one that failed." in text(send(job, "retry"))
    assert Run.objects.get(cause=Cause.REPLAY).replay_of == failed.pk
    assert "is being retried already" in text(send(job, "retry"))


def test_who_may_only_look_is_offered_none_of_it(shop: Application) -> None:
    job = event_job(shop, run_every="PT1H")
    make_run(job.runnable, State.FAILED, number=1)
    page = look(job, Role.VIEWER).content.decode()
    assert "Cancel" not in page
    assert "Retry the last" not in page
    assert send(job, "cancel", Role.VIEWER).status_code == 403


def test_the_overview_knows_jobs_of_every_type(shop: Application, client: Client) -> None:
    job = event_job(shop, run_every="PT1H")
    run = make_run(job.runnable, State.FAILED, kind="event", number=1, attempts=1, error="Boom.",
        started_at=timezone.now(), finished_at=timezone.now())  # fmt: skip
    make_attempt(run, ok=False, error_class="script", error="Boom.")
    make_run(job.runnable, State.RUNNING, kind="event", number=2, started_at=timezone.now())
    resume_jobs(application=shop, ids=[job.pk], by=OPERATOR, now=timezone.now())
    for name in ("panel:overview", "runs:list"):
        page = browser_in(shop).get(reverse(name, args=[shop.slug]))
        assert page.status_code == 200
        assert job.name in text(page)
