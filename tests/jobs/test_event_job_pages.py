"""Jobs of every type in the panel: the list, the page of one that performs an event, and what became of its runs."""

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
from tests.factories import make_attempt, make_job, make_run
from tests.jobs.event_jobs import event_job, text


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
