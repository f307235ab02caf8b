"""The page of a run: its verdict, its path and its log, how it keeps up to date, and what it costs."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from badgerjobs.lib import zones
from badgerjobs.runs import story
from badgerjobs.runs.models import FINAL, Attempt, LogLine, Run, Runnable, State
from badgerjobs.runs.verdicts import verdict_on
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import NOW, make_attempt, make_job, make_run
from tests.runs.run_page import SECOND, at, failed, result, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_a_failed_run_says_what_happened_how_often_and_what_may_help(alice: Client, job: Job) -> None:
    page = text(alice, failed(job))
    assert "The endpoint answered 503, 4 times in 1 min 6 s." in page
    assert "The trouble is at the endpoint. Replay the run when it is well again." in page
    assert '<h1>Run 412 <span class="state failed word">failed</span></h1>' in page
    assert "Mon 2 Mar 07:00 New York · 12:00 UTC" in page


@pytest.mark.parametrize(
    ("error_class", "status", "helps"),
    [
        ("dns", None, "Look at the host in the endpoint"),
        ("timeout", None, "longer timeout"),
        ("refused", None, "EGRESS_ALLOW"),
        ("status", 401, "credentials"),
        ("status", 418, "does not accept this call"),
        ("status", 503, "when it is well again"),
        ("status", 302, "sends us elsewhere"),
        ("too_large", 200, "answer with less"),
    ],
)
def test_what_may_help_depends_on_what_was_wrong(
    alice: Client, job: Job, error_class: str, status: int | None, helps: str
) -> None:
    run = make_run(job.runnable, State.FAILED, attempts=1, error="No.")
    make_attempt(run, ok=False, error_class=error_class, error="No.", result=result(status) if status else None)
    assert helps in text(alice, run)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"detail": "Import is running.", "title": "Busy"}', "It says: “Import is running.”"),
        ('{"error": {"code": 1}, "message": "  Later  "}', "It says: “Later”"),
        ('{"error": "<b>no</b>"}', "It says: “&lt;b&gt;no&lt;/b&gt;”"),
        ('["no"]', ""),
        ("no", ""),
        ("[" * 50_000, ""),
    ],
)
def test_the_sentence_that_an_answer_holds_is_quoted(alice: Client, job: Job, body: str, said: str) -> None:
    run = make_run(job.runnable, State.FAILED, attempts=1, error="No.")
    make_attempt(run, ok=False, error_class="status", error="No.", result=result(503, body))
    page = text(alice, run)
    assert (said in page) if said else ("It says" not in page)


@pytest.mark.parametrize(
    ("state", "fields", "said"),
    [
        (State.SCHEDULED, {}, "Its time has not come."),
        (State.QUEUED, {}, "It is due, and waits for a free worker."),
        (State.RUNNING, {"started_at": NOW}, "Attempt 1 is under way."),
        (State.RUNNING, {"started_at": NOW, "attempts": 2}, "Attempt 3 is under way."),
        (State.RETRYING, {"attempts": 1}, "Attempt 2 comes"),
        (State.SUCCEEDED, {"started_at": NOW, "finished_at": NOW + SECOND}, "Done after 1.00 s."),
        (State.ABORTED, {"error": "Aborted on request."}, "Aborted on request."),
        (State.ABORTED, {"error": "Aborted on request.", "started_at": NOW}, "it may have reached its endpoint"),
        (State.SKIPPED, {"skip_reason": "paused"}, "was not run: it was paused."),
        (State.QUEUED, {"held": True}, "It is due, and waits for"),
        (State.FAILED, {"error": "Superseded. The next one came."}, "A retry never waits beyond the next occurrence"),
        (State.FAILED, {"error": "Lost: 6 workers ended."}, "workers"),
        (State.FAILED, {}, "It failed."),
    ],
)  # fmt: skip
def test_every_state_has_a_verdict(alice: Client, job: Job, state: State, fields: dict[str, Any], said: str) -> None:
    assert said in text(alice, make_run(job.runnable, state, **fields))


def test_a_success_took_as_long_as_its_one_attempt_and_of_several_as_long_as_all(job: Job) -> None:
    run = make_run(job.runnable, State.SUCCEEDED, attempts=1, started_at=NOW, finished_at=NOW + SECOND)
    make_attempt(run, duration_ms=6, result={"status": 204})
    assert verdict_on(run, list(Attempt.objects.all())).said == "204 No Content after 6 ms."
    make_attempt(run, number=2, duration_ms=7, result={})
    assert verdict_on(run, list(Attempt.objects.order_by("number"))).said == "Done after 1.00 s."


def test_attempts_that_failed_in_different_ways_are_not_counted_as_one(job: Job) -> None:
    run = failed(job, 2)
    Attempt.objects.filter(number=1).update(error="No address.")
    said = verdict_on(run, list(Attempt.objects.order_by("number"))).said
    assert said == "The endpoint answered 503. That was attempt 2; those before it failed in other ways."


def states(run: Run) -> list[tuple[str, str]]:
    attempts = list(Attempt.objects.filter(run=run).order_by("number"))
    return [(step.state, step.said) for step in story.path_of(run, attempts, zones.zone("UTC"))]


def test_the_path_names_the_states_a_run_went_through(job: Job) -> None:
    run = failed(job, created_at=NOW + timedelta(milliseconds=12))
    assert states(run) == [
        ("scheduled", "12:00:00.000"),
        ("queued", "+ 12 ms"),
        ("running", "0 ms late"),
        ("retrying", "3 times, 1 min in all"),
        ("failed", "12:01:06.000"),
    ]


@pytest.mark.parametrize(
    ("state", "fields", "path"),
    [
        (State.SCHEDULED, {}, ["scheduled"]),
        (State.QUEUED, {}, ["queued"]),
        (State.QUEUED, {"occurrence": NOW}, ["scheduled", "queued"]),
        (State.RUNNING, {"started_at": NOW}, ["queued", "running"]),
        (State.ABORTED, {}, ["queued", "aborted"]),
        (State.SKIPPED, {}, ["skipped"]),
        (State.SUCCEEDED, {"started_at": NOW}, ["queued", "running", "succeeded"]),
    ],
)
def test_the_path_of_a_run_without_retries(job: Job, state: State, fields: dict[str, Any], path: list[str]) -> None:
    assert [step for step, _ in states(make_run(job.runnable, state, **fields))] == path


@pytest.mark.parametrize(
    ("state", "path"),
    [
        (State.RETRYING, ["queued", "running", "retrying"]),
        (State.QUEUED, ["queued", "running", "retrying", "queued"]),
        (State.RUNNING, ["queued", "running", "retrying", "running"]),
        (State.SUCCEEDED, ["queued", "running", "retrying", "succeeded"]),
        (State.ABORTED, ["queued", "running", "retrying", "aborted"]),
    ],
)
def test_the_path_of_a_run_that_was_tried_again(job: Job, state: State, path: list[str]) -> None:
    run = make_run(job.runnable, state, attempts=1, started_at=NOW)
    make_attempt(run, ok=False)
    assert [step for step, _ in states(run)] == path


def test_the_line_of_time_keeps_the_proportions_of_attempts_and_waits(job: Job) -> None:
    run = failed(job, 2)
    attempts = list(Attempt.objects.order_by("number"))
    lane = story.lane_of(run, attempts, zones.zone("UTC"), NOW)
    assert lane
    assert (lane.bad, lane.waits) == ("M0.0 12H83.3M916.7 12H1000.0", "M83.3 12H916.7")
    assert (lane.length_ms, lane.said) == (12_000, "2 attempts within 12 s, with waits of 10 s between")
    assert story.lane_of(run, attempts[:1], zones.zone("UTC"), NOW) is None


def test_the_times_of_a_preset_are_told_in_the_zone_of_presets(alice: Client, shop: Application) -> None:
    daily = make_job(shop, "daily", preset="daily")
    page = text(alice, make_run(daily.runnable, occurrence=NOW))
    assert "Mon 2 Mar 07:00 EST · 12:00 UTC" in page


def test_a_run_whose_zone_is_none_any_more_is_told_in_utc(alice: Client, job: Job) -> None:
    run = failed(job)
    Runnable.objects.update(time_zone="Atlantis/Capital")
    page = text(alice, run)
    assert "Mon 2 Mar 12:00 UTC" in page
    assert "Atlantis" not in page


def test_the_log_tells_of_the_row_its_attempts_and_what_was_said_in_order(alice: Client, job: Job) -> None:
    run = failed(job, 1)
    LogLine.objects.create(
        run=run, application=run.application, attempt=1, level="warning", message="The endpoint answered 503.",
        data={"next_attempt_at": (NOW + 11 * SECOND).isoformat()}, created_at=NOW + SECOND,
    )  # fmt: skip
    said = re.findall(r"<li><time>([\d:.]+)</time><span[^>]*>([^<]+)", text(alice, run))
    assert said == [
        ("07:00:00.000", "Queued."),
        ("07:00:00.000", "Attempt 1."),
        ("07:00:01.000", "The endpoint answered 503. Next attempt in 10 s."),
    ]


@pytest.mark.parametrize("state", State)
def test_a_page_updates_itself_until_the_run_is_over(alice: Client, job: Job, state: State) -> None:
    run = make_run(job.runnable, state)
    first = alice.get(at(run))
    for moves in ('hx-trigger="every 1s"', "data-live"):
        assert (moves in first.content.decode()) is (state not in FINAL)
    seen = {"seen": first.context["page"].stamp}
    assert alice.get(at(run), seen, headers={"HX-Target": "story"}).status_code == 204
    Run.objects.update(attempts=1)
    part = alice.get(at(run), seen, headers={"HX-Target": "story"})
    assert part.content.decode().strip().startswith('<div id="story"')


def test_a_page_costs_as_many_queries_however_long_its_story(alice: Client, job: Job) -> None:
    def cost(run: Run) -> int:
        with CaptureQueriesContext(connection) as queries:
            text(alice, run)
        assert len(queries) <= 13, [query["sql"][:120] for query in queries]
        return sum("runs_" in query["sql"] or "jobs_" in query["sql"] for query in queries)

    short, other = failed(job, 1), make_job(job.application, "other")
    first = make_run(other.runnable, number=1)
    long = failed(other, 30, replay_of=first.pk)
    for number in range(2, 30):
        make_run(other.runnable, number=number, replay_of=long.pk)
    for _ in range(50):
        LogLine.objects.create(run=long, application=long.application, level="info", message="x", created_at=NOW)
    text(alice, short)  # what all pages show is kept for a while
    assert cost(short) == cost(long) == 7


def test_times_are_told_to_the_millisecond() -> None:
    moment = datetime(2026, 3, 2, 12, 0, 5, 38_999, tzinfo=zones.zone("UTC"))
    assert story.clock(moment, zones.zone("America/New_York")) == "07:00:05.038"


@pytest.mark.parametrize(
    ("state", "said"), [(State.ABORTED, "No attempt was made."), (State.RUNNING, "No attempt has ended yet.")]
)
def test_of_a_run_without_attempts_it_says_whether_one_may_come(
    alice: Client, job: Job, state: State, said: str
) -> None:
    assert said in text(alice, make_run(job.runnable, state, number=1))


def test_a_run_is_called_by_the_name_of_its_job_on_its_page(shop: Application) -> None:
    job = make_job(shop, "hello", name="Hello, badger")
    page = browser_in(shop).get(reverse("runs:run", args=[shop.slug, make_run(job.runnable, number=3).pk]))
    assert "<title>Run 3 of Hello, badger" in page.content.decode()
    assert f'href="{reverse("jobs:job", args=[shop.slug, "hello"])}">Hello, badger</a>' in page.content.decode()
