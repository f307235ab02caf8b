"""A job that performs an event, made, changed, copied and tried in the form."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Run
from badgerjobs.web.definitions.named_form import CHANGED_MEANWHILE
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs import form_views, services
from jobs.ductape_serializer import NO_EVENT
from jobs.models import EVENT_KIND, KIND, Event, Job
from jobs.seen import seen_of
from jobs.services import update_job
from tests.clients import browser_in
from tests.factories import make_application, make_event, make_job
from tests.jobs.form_page import FORM, edit, headers, new, opened, said, text_of

EVENT = {
    "name": "double", "does": "event", "event_tag": "twice", "input": '{"n": 2}', "when": "hand", "time_zone": "UTC",
    "timeout": "30", "enabled": "on", "retryable": "on", "endpoint": "", "verb": "POST",
}  # fmt: skip


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


@pytest.fixture
def event(shop: Application) -> Event:
    return make_event(shop, "twice", configuration={"code": "console.log('hi'); return input.n * 2"})


@pytest.fixture
def job(shop: Application, event: Event) -> Job:
    return make_job(shop, "double", timezone.now(), event=event, input={"n": 2}, endpoint="", verb="")


def test_a_job_with_an_event_is_made(alice: Client, shop: Application, event: Event) -> None:
    answer = alice.post(new(shop), EVENT)
    assert said(answer) == ["double is saved. Nothing is planned: press “Run now” whenever you want it to run."]
    job = Job.objects.get()
    assert (job.event, job.input, job.endpoint, job.verb, job.runnable.kind) == (event, {"n": 2}, "", "", EVENT_KIND)


# An application that tries again in another way than most.
OWN_RETRIES = {"backoff": "exponential", "retries": 5, "retry_step_s": 60}


@pytest.mark.parametrize("policy", [{}, OWN_RETRIES], ids=["usual", "own"])
@pytest.mark.parametrize("does", ["event", "call"])
@pytest.mark.usefixtures("event")
def test_what_an_event_does_is_not_tried_again_unless_somebody_says_so(
    alice: Client, shop: Application, does: str, policy: dict[str, Any]
) -> None:
    Application.objects.filter(pk=shop.pk).update(**policy)
    form = alice.get(new(shop)).context["form"]
    begun = {
        name: "on" if value is True else value for name, value in form.initial.items() if value not in (None, False)
    }
    typed = {
        **begun,
        "name": "j",
        "does": does,
        "event_tag": "twice",
        "endpoint": "https://example.com/",
        "headers": "",
    }
    assert alice.post(new(shop), typed).status_code == 302
    job, usual = Job.objects.get(), policy.get("retries", 3)
    assert (job.retryable, job.runnable.retries) == ((True, usual) if does == "call" else (False, 0))
    assert alice.post(edit(job), {**opened(alice, job), "event_retryable": "on", "retryable": "on"}).status_code == 302
    assert Job.objects.get().runnable.retries == usual


def test_a_link_to_a_new_job_for_an_event_tries_nothing_again(alice: Client, shop: Application, event: Event) -> None:
    initial = alice.get(new(shop), {"event": "twice"}).context["form"].initial
    assert (initial["event_retryable"], initial["retryable"]) == (False, True)


@pytest.mark.parametrize("does", ["", "call"])
def test_a_job_that_calls_is_made_whatever_was_typed_of_an_event(alice: Client, shop: Application, does: str) -> None:
    alice.post(new(shop), {**FORM, "does": does, "event_tag": "nothing", "input": "{"})
    job = Job.objects.get()
    assert (job.event, job.input, job.endpoint, job.runnable.kind) == (None, None, "https://example.com/", KIND)


def test_what_was_typed_of_a_call_is_left_out_of_an_event(alice: Client, shop: Application, event: Event) -> None:
    wrong = {"endpoint": "nowhere", "body": "b", "fail_statuses": "x", "retry_statuses": "410", "timeout": "many"}
    assert alice.post(new(shop), {**EVENT, **wrong, **headers(("X Shop", "1"))}).status_code == 302
    job = Job.objects.get()
    assert (job.endpoint, job.body, job.headers, job.fail_statuses, job.timeout) == ("", "", {}, "400-599", 30)


def test_five_times_a_second_apart_is_a_schedule_of_the_form(alice: Client, shop: Application, event: Event) -> None:
    when = {"when": "every", "every": "1500", "unit": "milliseconds", "ends": "runs", "max_runs": "5"}
    assert alice.post(new(shop), {**EVENT, **when}).status_code == 302
    runnable = Job.objects.get().runnable
    assert (runnable.run_every, runnable.max_runs) == ("PT1.5S", 5)


@pytest.mark.parametrize(
    ("wrong", "label", "sentence"),
    [
        ({"event_tag": ""}, "Event", "Give the tag of the event that it performs, or choose “Call a URL” above."),
        ({"event_tag": "thrice"}, "Event", NO_EVENT.format("thrice").replace("at events/", "under Events")),
        ({"input": '{"n": 2,}'}, "Input", "This is no JSON. Line 1, column 9:"),
        ({"input": '{"n": "a\tb"}'}, "Input", "Line 1, column 9: a text holds no line breaks and no tabs: write"),
        ({"input": '{"n" 2}'}, "Input", "Line 1, column 6: a colon is expected here."),
        ({"input": "[1,\r\n NaN]"}, "Input", "This is no JSON: NaN is no number there."),
        ({"input": '"\\u0000"'}, "Input", "An input holds neither null characters nor halves of letters."),
        ({"input": "[" * 101 + "]" * 101}, "Input", "The JSON is nested more than 100 levels deep."),
        ({"input": f'"{"é" * 500_001}"'}, "Input", "The input has 1,000,004 bytes: at most 1,000,000 are kept."),
    ],
    ids=["none", "unknown", "comma", "tab", "colon", "number", "unstorable", "deep", "large"],
)
@pytest.mark.usefixtures("event")
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(
    alice: Client, shop: Application, wrong: dict[str, str], label: str, sentence: str
) -> None:
    answer = alice.post(new(shop), {**EVENT, **wrong})
    assert sentence in text_of(answer)
    assert f"1 field needs a change. {label}" in text_of(answer), answer.context["form"].errors
    assert 'value="double"' in answer.content.decode()
    assert not Job.objects.exists()


def test_the_event_of_another_application_is_none(alice: Client, shop: Application) -> None:
    make_event(make_application("Charlie's"), "twice")
    assert "There is no event with the tag “twice”" in text_of(alice.post(new(shop), EVENT))


def test_an_event_deleted_while_its_job_is_made_is_said_beside_it(
    alice: Client, shop: Application, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = services._hold_event

    def gone(event: Event | None) -> None:
        Event.objects.all().delete()
        real(event)

    monkeypatch.setattr(services, "_hold_event", gone)
    assert "Event The event was deleted in the meantime." in text_of(alice.post(new(shop), EVENT)).replace("  ", " ")


def test_its_form_shows_the_event_and_its_input_and_what_nobody_touched_stays(alice: Client, job: Job) -> None:
    page = alice.get(edit(job)).content.decode()
    assert 'value="event" required' not in page
    assert 'value="twice"' in page
    assert "&quot;n&quot;: 2" in page
    assert alice.post(edit(job), {**opened(alice, job), "name": "Mine"}).status_code == 302
    before = job.event
    job.refresh_from_db()
    assert (job.name, job.event, job.input) == ("Mine", before, {"n": 2})


@pytest.mark.parametrize(("typed", "stored"), [("", None), ("null", None), ("{}", {}), ("0", 0), ('"a"', "a")])
def test_an_input_is_any_json_and_none_where_it_is_empty(alice: Client, job: Job, typed: str, stored: Any) -> None:
    alice.post(edit(job), {**opened(alice, job), "input": typed})
    job.refresh_from_db()
    assert job.input == stored


def test_a_job_changes_from_a_call_to_an_event_and_back(alice: Client, shop: Application, event: Event) -> None:
    job = make_job(shop, "a-job", timezone.now(), body="b", headers={"X-A": "1"}, fail_statuses="500")
    assert alice.post(edit(job), {**opened(alice, job), "does": "event", "event_tag": "twice"}).status_code == 302
    job = Job.objects.get()
    assert (job.event, job.endpoint, job.body, job.headers, job.fail_statuses) == (event, "", "", {}, "400-599")
    assert job.runnable.kind == EVENT_KIND
    form = {**opened(alice, job), "does": "call", "endpoint": "https://example.com/back"}
    assert alice.post(edit(job), form).status_code == 302
    job = Job.objects.get()
    assert (job.event, job.input, job.endpoint, job.verb) == (None, None, "https://example.com/back", "POST")
    assert job.runnable.kind == KIND


def test_a_copy_performs_the_same(alice: Client, shop: Application, job: Job) -> None:
    initial = alice.get(new(shop), {"from": job.tag}).context["form"].initial
    assert (initial["does"], initial["event_tag"], initial["input"]) == ("event", "twice", '{\n  "n": 2\n}')


def test_a_link_begins_with_an_event(alice: Client, shop: Application, event: Event) -> None:
    initial = alice.get(new(shop), {"event": "twice"}).context["form"].initial
    assert (initial["does"], initial["event_tag"]) == ("event", "twice")


def test_the_events_of_the_application_are_offered_and_nobody_elses(
    alice: Client, shop: Application, event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_event(make_application("Charlie's"), "charlies")
    page = alice.get(new(shop)).content.decode()
    assert '<option value="twice">Function' in page
    assert "charlies" not in page
    monkeypatch.setattr(form_views, "OFFERED", 0)
    assert '<option value="twice">' not in alice.get(new(shop)).content.decode()


# What others change meanwhile


def test_who_changes_the_name_leaves_what_others_made_of_the_job(
    alice: Client, shop: Application, event: Event
) -> None:
    job = make_job(shop, "a-job", timezone.now(), body="b")
    form = {**opened(alice, job), "does": "call", "name": "Mine"}
    _becomes(job, event)
    assert alice.post(edit(job), form).status_code == 302
    job.refresh_from_db()
    assert (job.name, job.event, job.endpoint) == ("Mine", event, "")


def test_who_changes_a_call_that_became_an_event_is_asked_and_then_has_all_of_it(
    alice: Client, shop: Application, event: Event
) -> None:
    job = make_job(shop, "a-job", timezone.now())
    form = {**opened(alice, job), "does": "call", "body": "mine"}
    _becomes(job, event)
    asked = alice.post(edit(job), form)
    assert CHANGED_MEANWHILE in text_of(asked)
    job.refresh_from_db()
    assert (job.event, job.body) == (event, "")
    assert alice.post(edit(job), {**form, "seen": asked.context["seen"]}).status_code == 302
    job.refresh_from_db()
    assert (job.event, job.endpoint, job.body) == (None, "https://example.com/", "mine")


def test_an_input_that_somebody_else_changed_too_is_asked_about(alice: Client, job: Job) -> None:
    form = {**opened(alice, job), "input": "[1]"}
    update_job(job=job, by=OPERATOR, now=timezone.now(), input=[2])
    assert CHANGED_MEANWHILE in text_of(alice.post(edit(job), form))
    job.refresh_from_db()
    assert job.input == [2]


def test_another_event_is_another_mark(job: Job, shop: Application) -> None:
    before = seen_of(job)
    job.event = make_event(shop, "thrice")
    assert seen_of(job) != before


def _becomes(job: Job, event: Event) -> None:
    call: dict[str, Any] = {"endpoint": "", "verb": "", "headers": {}, "body": ""}
    update_job(job=Job.objects.get(pk=job.pk), by=OPERATOR, now=timezone.now(), event=event, **call)


# Trying it out


def tried(alice: Client, shop: Application, **fields: str) -> str:
    at = reverse("jobs:test", args=[shop.slug])
    return text_of(alice.post(at, {**EVENT, **fields}, headers={"HX-Request": "true", "HX-Target": "test"}))


def test_it_is_performed_as_it_stands_and_nothing_is_kept(alice: Client, shop: Application, event: Event) -> None:
    answer = tried(alice, shop, input='{"n": 21}')
    assert "returned" in answer
    assert "42" in answer
    assert "log hi" in answer
    assert not Job.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"input": "{"}, "Nothing was done. This is no JSON. Line 1, column 2"),
        ({"event_tag": "thrice"}, "Nothing was done. There is no event with the tag “thrice”"),
        ({"event_tag": ""}, "Nothing was done. Give the tag of the event"),
    ],
)
def test_what_cannot_be_performed_is_said(
    alice: Client, shop: Application, event: Event, wrong: dict[str, str], sentence: str
) -> None:
    assert sentence in tried(alice, shop, **wrong)


def test_an_event_that_fails_says_why(alice: Client, shop: Application) -> None:
    make_event(shop, "twice", configuration={"code": "throw new Error('no such order')"})
    assert "no such order" in tried(alice, shop)
