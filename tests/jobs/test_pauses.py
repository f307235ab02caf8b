"""A job that is paused: through the API and in the panel, with a reason, until a time, and who did it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.breaker import LONGEST_REASON
from badgerjobs.runs.models import Run, Runnable
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from tests.callers import Caller
from tests.factories import make_application, make_job, make_member

pytestmark = pytest.mark.django_db
JOB = {"tag": "a-job", "endpoint": "https://example.org/", "verb": "GET", "run_every": "PT1H"}
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def said(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# By REST.


def test_a_job_is_paused_with_a_reason_until_a_time_and_reads_so(alice: Caller) -> None:
    made = alice.post("/jobs/", JOB).body
    assert [made[name] for name in ("paused_at", "paused_until", "pause_reason")] == [None, None, None]
    until = said(timezone.now() + HOUR)
    paused = alice.patch("/jobs/a-job/", {"enabled": False, "pause_reason": "They move.", "paused_until": until}).body
    assert (paused["pause_reason"], paused["paused_until"], paused["next_run_at"]) == ("They move.", until, None)
    assert paused["paused_at"]

    on = alice.patch("/jobs/a-job/", {"enabled": True}).body
    assert [on[name] for name in ("paused_at", "paused_until", "pause_reason")] == [None, None, None]
    entries = AuditEntry.objects.filter(action="job.update").order_by("id").values_list("changes", flat=True)
    assert [sorted(changes) for changes in entries] == [["enabled", "pause_reason", "paused_until"]] * 2


def test_a_job_may_begin_paused(alice: Caller) -> None:
    made = alice.post("/jobs/", {**JOB, "enabled": False, "pause_reason": "Not yet."}).body
    assert (made["enabled"], made["pause_reason"], made["next_run_at"]) == (False, "Not yet.", None)


def test_the_reason_and_the_time_of_what_is_paused_can_be_changed_alone(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "enabled": False})
    until = said(timezone.now() + HOUR)
    assert alice.patch("/jobs/a-job/", {"paused_until": until}).body["paused_until"] == until
    assert alice.patch("/jobs/a-job/", {"pause_reason": "So."}).body["paused_until"] == until
    assert alice.patch("/jobs/a-job/", {"paused_until": None}).body["paused_until"] is None


def test_what_was_read_of_a_paused_job_can_be_sent_back_whole(alice: Caller) -> None:
    alice.post("/jobs/", JOB)
    until = said(timezone.now() + HOUR)
    read = alice.patch("/jobs/a-job/", {"enabled": False, "pause_reason": "So.", "paused_until": until}).body
    Runnable.objects.update(paused_until=timezone.now() - HOUR, breaker="open")  # its time came meanwhile
    read["paused_until"] = said(Runnable.objects.get().paused_until or timezone.now())
    back = alice.put("/jobs/a-job/", read)
    assert (back.status, back.body["enabled"], back.body["pause_reason"]) == (200, False, "So.")
    assert Runnable.objects.get().breaker == "open"


def test_a_put_that_leaves_it_out_resumes_it(alice: Caller) -> None:
    alice.post("/jobs/", {**JOB, "enabled": False, "pause_reason": "So."})
    back = alice.put("/jobs/a-job/", JOB).body
    assert (back["enabled"], back["pause_reason"]) == (True, None)


@pytest.mark.parametrize("enabled", [{}, {"enabled": True}], ids=["as it is", "enabled"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("paused_until", said(timezone.now() + HOUR)), ("pause_reason", "So.")],
    ids=["until", "reason"],
)
def test_a_pause_of_what_is_enabled_is_refused(alice: Caller, enabled: Any, field: str, value: str) -> None:
    alice.post("/jobs/", JOB)
    answer = alice.patch("/jobs/a-job/", {**enabled, field: value})
    assert (answer.status, list(answer.errors)) == (400, [field])
    assert "“enabled”: false" in answer.errors[field][0]
    assert alice.post("/jobs/", {**JOB, "tag": "b", **enabled, field: value}).status == 400


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("paused_until", "2020-01-01T00:00:00Z", "past"),
        ("paused_until", "2999-01-01T00:00:00Z", "ten years"),
        ("paused_until", "2030-01-01T00:00:00", "offset"),
        ("pause_reason", "x" * (LONGEST_REASON + 1), "300"),
        ("paused_at", "2030-01-01T00:00:00Z", ""),
    ],
)
def test_a_pause_that_cannot_be_is_refused_with_the_way_out(alice: Caller, field: str, value: str, words: str) -> None:
    alice.post("/jobs/", JOB)
    answer = alice.patch("/jobs/a-job/", {"enabled": False, field: value})
    if field == "paused_at":  # only read: what was read can be sent back
        assert answer.body["paused_at"] != value
        return
    assert (answer.status, list(answer.errors)) == (400, [field])
    assert words in answer.errors[field][0]
    assert Runnable.objects.get().enabled


# In the panel.


@pytest.fixture
def shop(db: None) -> Application:
    application = make_application()
    make_member(application.workspace)
    make_member(application.workspace, Role.VIEWER, "bob@example.com")
    return application


@pytest.fixture
def job(shop: Application) -> Job:
    return make_job(shop, "prices", timezone.now() - 2 * HOUR, run_every="PT1H")


def browser(shop: Application, role: Role = Role.OWNER) -> Client:
    client = Client()
    client.force_login(shop.workspace.members.get(role=role).user, settings.AUTHENTICATION_BACKENDS[0])
    return client


def at(job: Job, place: str = "job") -> str:
    return reverse(f"jobs:{place}", args=[job.application.slug, job.tag])


def text(answer: Any) -> str:
    shown = cast("HttpResponse", answer).content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", shown.partition("<main")[2]).split())


def test_the_button_asks_why_and_until_when_and_does_nothing_yet(job: Job) -> None:
    answer = browser(job.application).get(at(job, "pause"))
    assert "Pause prices?" in text(answer)
    for name in ("reason", "until", "at"):
        assert f'name="{name}"' in answer.content.decode()
    assert Runnable.objects.get().enabled


@pytest.mark.parametrize(
    ("form", "hours"),
    [
        ({}, None),
        ({"until": ""}, None),
        ({"until": "hour"}, 1.0),
        ({"until": "tomorrow"}, 19.5),
        ({"until": "at", "at": "2026-03-03T09:30"}, 21.0),
        ({"until": "at", "at": "2026-03-02T14:00:30Z"}, 1 + 1.5 / 60 * 1 + 29 / 60),
    ],
    ids=["nothing said", "until resumed", "an hour", "tomorrow at eight", "a time on the wall", "a time with its zone"],
)
def test_until_when_is_said_in_words(
    job: Job, monkeypatch: pytest.MonkeyPatch, form: dict[str, str], hours: float | None
) -> None:
    now = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
    monkeypatch.setattr("jobs.views.database_now", lambda: now)
    browser(job.application).post(at(job, "pause"), {"reason": " They  move. ", **form})
    runnable = Runnable.objects.get()
    assert (runnable.enabled, runnable.pause_reason, runnable.paused_at) == (False, "They move.", now)
    if hours is None:
        assert runnable.paused_until is None
    else:
        assert runnable.paused_until
        assert abs(runnable.paused_until - (now + hours * HOUR)) <= timedelta(seconds=1)


def test_the_time_on_the_wall_is_the_readers(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 28, 12, 30, tzinfo=UTC)
    monkeypatch.setattr("jobs.views.database_now", lambda: now)
    client = browser(job.application)
    client.cookies["zone"] = "Europe/Zurich"
    client.post(at(job, "pause"), {"until": "tomorrow"})
    assert Runnable.objects.get().paused_until == datetime(2026, 3, 29, 6, tzinfo=UTC)  # summer time by then


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"until": "at", "at": ""}, "no day and time"),
        ({"until": "at", "at": "soon"}, "no day and time"),
        ({"until": "at", "at": "2020-01-01T08:00"}, "past"),
        ({"until": "at", "at": "2999-01-01T08:00"}, "ten years"),
        ({"until": "never"}, "never"),
        ({"reason": "x" * 301}, "300"),
    ],
    ids=["no time", "no such time", "past", "far", "no such choice", "too long"],
)
def test_what_cannot_be_is_asked_again_and_stays_typed(job: Job, form: dict[str, str], words: str) -> None:
    answer = browser(job.application).post(at(job, "pause"), {"reason": "They move.", **form})
    assert 'class="error"' in answer.content.decode()
    assert words in text(answer)
    assert f'value="{form.get("reason", "They move.")}"' in answer.content.decode()
    assert Runnable.objects.get().enabled


def test_the_page_says_who_paused_it_why_and_until_when(job: Job) -> None:
    client = browser(job.application)
    client.post(at(job, "pause"), {"reason": "They move.", "until": "hour"})
    shown = text(client.get(at(job)))
    assert re.search(r"Paused by alice@example.com .* They move\. It goes on by itself in", shown)
    assert "until somebody resumes it" not in shown
    client.post(at(job, "resume"))
    assert "Paused by" not in text(client.get(at(job)))


def test_who_paused_it_through_the_api_is_told_too_and_it_stays_until_resumed(alice: Caller) -> None:
    alice.post("/jobs/", JOB)
    alice.patch("/jobs/a-job/", {"enabled": False})
    make_member(alice.application.workspace, email="somebody@example.com")
    job = Job.objects.get()
    shown = text(browser(alice.application).get(at(job)))
    assert re.search(r"Paused by test \(\w+…\)", shown)
    assert "It stays so until somebody resumes it." in shown


@pytest.mark.parametrize(
    ("breaker", "words"),
    [("open", "One run tries in"), ("half_open", "A run is trying now")],
)
def test_the_page_says_what_the_breaker_did(job: Job, breaker: str, words: str) -> None:
    now = timezone.now()
    reason = "20 runs in a row failed. The last one: The endpoint answered 503."
    columns = {"enabled": False, "next_run_at": None, "paused_at": now, "paused_until": now + HOUR}
    Runnable.objects.update(**columns, breaker=breaker, pause_reason=reason)
    shown = text(browser(job.application).get(at(job)))
    assert "Paused because it kept failing" in shown
    assert reason in shown
    assert words in shown


def test_what_is_paused_already_stays_as_it_is(job: Job) -> None:
    client = browser(job.application)
    client.post(at(job, "pause"), {"reason": "first"})
    answer = client.post(at(job, "pause"), {"reason": "second"}, follow=True)
    assert "paused already" in answer.content.decode()
    assert Runnable.objects.get().pause_reason == "first"


def test_several_are_paused_for_one_reason_and_each_has_its_entry(shop: Application) -> None:
    tags = ["one", "two"]
    for tag in tags:
        make_job(shop, tag, run_every="PT1H")
    client, address = browser(shop), reverse("jobs:bulk", args=[shop.slug])
    asked = client.post(address, {"do": "pause", "job": tags})
    assert 'name="reason"' in asked.content.decode()
    wrong = client.post(address, {"do": "pause", "job": tags, "asked": "2", "until": "at", "at": ""})
    assert "no day and time" in text(wrong)
    assert "by now, and not" not in text(wrong)
    assert Runnable.objects.filter(enabled=True).count() == 2

    client.post(address, {"do": "pause", "job": tags, "asked": "2", "reason": "They move.", "until": "hour"})
    assert set(Runnable.objects.values_list("enabled", "pause_reason")) == {(False, "They move.")}
    entries = AuditEntry.objects.filter(action="job.pause")
    assert entries.count() == 2
    assert all(entry.changes["pause_reason"] == ["", "They move."] for entry in entries)
    assert all(sorted(entry.changes) == ["enabled", "pause_reason", "paused_until"] for entry in entries)


def test_the_question_says_that_what_waits_is_aborted_before_anything_does(job: Job) -> None:
    asked = text(browser(job.application).get(at(job, "pause")))
    assert "What runs goes on; what waits is aborted, also what somebody ran by hand, replayed or backfilled." in asked


def test_a_time_that_is_none_to_come_is_told_by_the_choices_that_are_there(job: Job) -> None:
    client = browser(job.application)
    for at_, said in (
        ("2020-01-01T08:00", "That is past"),
        ("2999-01-01T08:00", "That is more than ten years from now"),
    ):
        answer = text(client.post(at(job, "pause"), {"until": "at", "at": at_}))
        assert f"{said}: give a time to come, or choose “somebody resumes it” above." in answer


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"breaker": "open", "paused_until": -SECOND}, "One run is about to try whether it is well again"),
        ({"breaker": "open", "paused_until": None}, "It stays so until somebody resumes it"),
        ({"breaker": "", "paused_until": -SECOND}, "It is about to go on by itself"),
    ],
)
def test_what_is_to_happen_just_now_is_no_time_ago(job: Job, columns: dict[str, Any], said: str) -> None:
    now = timezone.now()
    until = columns["paused_until"]
    given = {**columns, "paused_until": until and now + until}
    Runnable.objects.update(enabled=False, next_run_at=None, paused_at=now, **given)
    assert said in text(browser(job.application).get(at(job)))


def test_the_question_counts_what_would_be_aborted(job: Job) -> None:
    client = browser(job.application)
    client.post(at(job, "run"))
    asked = text(client.get(at(job, "pause")))
    assert "what waits is aborted, also what somebody ran by hand, replayed or backfilled: 1 run now." in asked
    client.post(at(job, "pause"))
    assert Run.objects.get().state == "aborted"
