"""The page of a job: what it says, what it updates, what can be done from it, and what it costs."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from badgerjobs.runs import owner_page, recent
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs import views
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_application, make_attempt, make_job, make_member, make_run

SECOND = timedelta(seconds=1)
TAG = "nightly: prices & more?"


@pytest.fixture
def job(shop: Application) -> Job:
    return make_job(
        shop, TAG, timezone.now(), name="Prices", cron="0 8 * * *", time_zone="America/New_York",
        headers={"Authorization": "Bearer abc", "X-Plain": "yes"}, body='{"a":1}', timeout=7,
    )  # fmt: skip


def at(job: Job, place: str = "job") -> str:
    return reverse(f"jobs:{place}", args=[job.application.slug, job.tag])


def look(job: Job, role: Role = Role.OWNER, headers: Any = None, **query: str) -> HttpResponse:
    return cast("HttpResponse", browser_in(job.application, role).get(at(job), query, headers=headers or {}))


def plain(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]).split())


def part(job: Job, name: str, seen: str = "") -> HttpResponse:
    return look(job, headers={"HX-Request": "true", "HX-Target": name, "X-Seen": seen})


@pytest.mark.parametrize(
    ("zone", "words"), [("Europe/Zurich", "your zone: Zurich"), ("UTC", "your zone: UTC"), ("America/New_York", "")]
)
def test_a_zone_is_called_the_readers_only_where_it_is(job: Job, zone: str, words: str) -> None:
    browser = browser_in(job.application)
    browser.cookies["zone"] = zone
    said = plain(browser.get(at(job)))
    assert (words or "Next 5 runs") in said
    assert ("your zone" in said) is bool(words)


def test_it_says_what_the_job_does_and_when(job: Job) -> None:
    said = plain(look(job))
    for words in (
        "Prices", "POST https://example.com/", "tag nightly: prices &amp; more?", "At 08:00", "0 8 * * *",
        "Next 5 runs", "New York", "3 more times, after 10 s, 20 s and 30 s; a status", "7 s a call",
        "never ran", "X-Plain yes",
    ):  # fmt: skip
        assert words in said


def test_secrets_are_shown_to_nobody(job: Job) -> None:
    page = look(job).content.decode()
    assert "abc" not in page
    assert "Authorization: …" in page


def test_its_body_is_laid_out_and_its_command_has_all_of_it(job: Job) -> None:
    job.body = f'{{"a":1.50,"long":"{"x" * 9_000}"}}'
    job.save()
    page = look(job).content.decode()
    assert '<span class="k">&quot;a&quot;</span>: <span class="n">1.50</span>' in page
    assert f"&#x27;{escape(job.body)}&#x27;" in page.partition('id="curl"')[2]
    assert "called <code>body</code> first" not in page


def test_a_body_too_long_for_a_command_is_read_from_a_file(job: Job) -> None:
    job.body = "x" * 200_000
    job.save()
    page = look(job).content.decode()
    assert "--data-binary @body" in page
    assert "put it into a file called <code>body</code> first" in page
    assert "Only its beginning is shown: the whole body has 200,000 bytes." in page


def test_where_nothing_waits_the_room_is_kept_and_says_so(job: Job) -> None:
    said = plain(look(job))
    assert re.search(r"Waiting and running Run State .* Nothing waits or runs\. Results", said)
    make_run(job.runnable, State.QUEUED, number=4)
    assert "Nothing waits or runs." not in plain(look(job))


def test_who_looks_can_hold_the_page(job: Job) -> None:
    assert "data-live" in look(job, Role.VIEWER).content.decode()
    assert "data-live" in look(make_job(job.application)).content.decode()


def test_what_was_skipped_is_not_its_last_run(job: Job) -> None:
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    skipped = {"occurrence": noon, "skip_reason": "overlap", "skipped_until": noon, "skipped_count": 1}
    make_run(job.runnable, State.SKIPPED, finished_at=timezone.now(), **skipped)
    assert re.search(r"Last run never ran ; skipped now .* Last 20 runs", plain(look(job)))
    Run.objects.all().delete()
    make_run(job.runnable, State.SUCCEEDED, number=1, attempts=1, finished_at=timezone.now())
    make_run(job.runnable, State.SKIPPED, finished_at=timezone.now(), **skipped)
    assert re.search(r"Last run succeeded now .*; skipped now .* Last 20 runs", plain(look(job)))


def test_a_backfill_says_of_which_occurrence_it_is(job: Job) -> None:
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    make_run(job.runnable, State.SUCCEEDED, number=1, cause=Cause.BACKFILL, occurrence=noon)
    assert "backfill of Mon 2 Mar 12:00" in plain(look(job))


def test_results_say_how_each_run_ended(job: Job) -> None:
    due = timezone.now() - timedelta(hours=1)
    times = {"occurrence": due, "created_at": due, "due_at": due + SECOND, "started_at": due + SECOND / 20}
    times["finished_at"] = due + 3 * SECOND
    failed = make_run(job.runnable, State.FAILED, number=1, cause=Cause.SCHEDULE, attempts=2, error="No.", **times)
    make_attempt(failed, 1, ok=False, error_class="connect", error="Refused.")
    make_attempt(failed, 2, ok=False, error_class="status", result={"status": 503})
    noon = datetime(2026, 3, 2, 17, tzinfo=UTC)
    skipped = {"occurrence": noon, "skip_reason": "overlap", "skipped_until": noon, "skipped_count": 1}
    make_run(job.runnable, State.SKIPPED, cause=Cause.SCHEDULE, **skipped)
    good = make_run(job.runnable, State.SUCCEEDED, number=3, attempts=1)
    make_attempt(good, result={"status": 200})
    said = plain(look(job))
    assert "schedule 503 Service Unavailable 2 50 ms 2.95 s" in said
    assert "skipped" in said
    assert "\N{EN DASH} 1 occurrence skipped skipped" in said
    assert "schedule 1 occurrence · 12:00 · the run before was not over" in said
    assert "by hand 200 OK 1" in said
    assert "1 succeeded, 1 failed, 1 skipped since" in said


@pytest.mark.parametrize(("state", "numbers"), [("", "432"), ("failed", "3"), ("aborted", "2"), ("rubbish", "432")])
def test_results_are_filtered_by_how_they_ended(job: Job, state: str, numbers: str) -> None:
    states = [State.RUNNING, State.ABORTED, State.FAILED, State.SUCCEEDED]
    for number, ended in enumerate(states, start=1):
        make_run(job.runnable, ended, number=number)
    page = look(job, state=state).content.decode().partition('id="results"')[2]
    assert "".join(re.findall(r'class="name" href="[^"]+">(\d+)<', page)) == numbers


def test_results_are_walked_by_cursor(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "RESULTS", 2)
    for number in range(3):
        make_run(job.runnable, State.FAILED, number=number)
    page = look(job, state="failed").content.decode()
    older = re.search(r'href="([^"]+)#results" rel="next"', page)
    assert older
    page = browser_in(job.application).get(older[1].replace("&amp;", "&")).content.decode()
    assert re.findall(r'class="name" href="[^"]+">(\d+)<', page) == ["0"]


def test_what_waits_and_runs_is_listed_with_a_way_to_abort_it(job: Job) -> None:
    run = make_run(job.runnable, State.RUNNING, number=4, started_at=timezone.now())
    page = look(job).content.decode()
    assert f'action="{reverse("runs:abort", args=[job.application.slug, run.pk])}"' in page
    assert '<span class="state running">running</span>' in page
    assert 'hx-trigger="every 2s"' in page


@pytest.mark.parametrize("fields", [{}, {"enabled": False, "run_every": "PT1H"}], ids=["by hand", "paused"])
def test_where_nothing_is_planned_it_looks_more_rarely_what_others_did(shop: Application, fields: Any) -> None:
    assert 'hx-trigger="every 10s"' in look(make_job(shop, **fields)).content.decode()


def test_of_more_than_is_listed_it_says_at_least(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_page, "WAITING", 2)
    for number in (1, 2):
        make_run(job.runnable, State.RUNNING, number=number, started_at=timezone.now())
    question = plain(browser_in(job.application).get(at(job, "delete")))
    assert "2 waiting or running runs are aborted" in question
    assert "at least" not in plain(look(job)).lower()
    make_run(job.runnable, number=3)
    question = plain(browser_in(job.application).get(at(job, "delete")))
    assert "At least 2 waiting or running runs are aborted" in question
    assert "at least 3, the oldest 2 here" in plain(look(job))


@pytest.mark.django_db(transaction=True)
def test_all_parts_are_of_one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends while the page is made, after one part was looked up and before the next is."""
    job = make_job(make_application())
    make_member(job.application.workspace)
    run = make_run(job.runnable, State.RUNNING, number=1, started_at=timezone.now())
    look_up, ends = recent.last_ended, {"state": "succeeded", "finished_at": timezone.now()}

    def ending(ids: Any) -> Any:
        found = look_up(ids)
        with ThreadPoolExecutor(1) as other:
            other.submit(end, run, ends).result()
        return found

    monkeypatch.setattr("jobs.showing.last_ended", ending)
    said = plain(look(job))
    assert Run.objects.get().state == "succeeded"
    assert "never ran" in said
    assert "No run has ended yet" in said
    assert "running" in said


def end(run: Run, fields: Any) -> None:
    """In another connection, as a worker does."""
    try:
        Run.objects.filter(pk=run.pk).update(**fields)
    finally:
        connection.close()


@pytest.mark.parametrize("name", ["state", "story", "waiting", "results"])
def test_each_part_comes_from_the_template_of_the_page(job: Job, name: str) -> None:
    make_run(job.runnable, State.RUNNING, number=4, started_at=timezone.now())
    answer = part(job, name).content.decode().strip()
    assert re.match(rf'<\w+[^>]* id="{name}"', answer)


def test_the_other_parts_are_told_when_something_moved_and_only_then(job: Job) -> None:
    run = make_run(job.runnable, State.RUNNING, number=1, started_at=timezone.now())
    mark = re.search(
        r"&quot;X-Seen&quot;: &quot;([^&]*)&quot;|\"X-Seen\": \"([^\"]*)\"", part(job, "waiting").content.decode()
    )
    assert mark
    seen = mark[1] or mark[2]
    seen = seen.encode().decode("unicode_escape")
    assert "HX-Trigger" not in part(job, "waiting", seen)
    Run.objects.filter(pk=run.pk).update(state="succeeded", finished_at=timezone.now())
    assert part(job, "waiting", seen)["HX-Trigger"] == "moved"


def test_paused_it_says_so_and_can_be_resumed(job: Job) -> None:
    client = browser_in(job.application)
    client.post(at(job, "pause"))
    job.runnable.refresh_from_db()
    assert (job.runnable.enabled, job.runnable.next_run_at) == (False, None)
    said = plain(look(job))
    assert "Not while it is paused" in said
    client.post(at(job, "resume"))
    job.runnable.refresh_from_db()
    assert job.runnable.next_run_at
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True))[-2:] == ["job.pause", "job.resume"]


def test_run_now_makes_a_run_and_says_so(job: Job) -> None:
    answer = browser_in(job.application).post(at(job, "run"), follow=True)
    assert "Run 1 waits for a free slot." in plain(answer)
    assert (Run.objects.get().cause, AuditEntry.objects.latest("id").action) == ("manual", "job.run")


def test_deleting_asks_with_what_goes(job: Job) -> None:
    make_run(job.runnable, State.RUNNING)
    for _ in range(2):
        make_run(job.runnable, State.SUCCEEDED)
    client = browser_in(job.application)
    said = plain(client.get(at(job, "delete")))
    assert "Delete Prices?" in said
    assert "1 waiting or running run is aborted, and 2 results go with it." in said
    assert Job.objects.count() == 1
    answer = client.post(at(job, "delete"), follow=True)
    assert "Prices is deleted" in plain(answer)
    assert not Job.objects.exists()


def test_a_viewer_sees_everything_and_no_doings(job: Job) -> None:
    make_run(job.runnable, State.RUNNING, number=4, started_at=timezone.now())
    page = look(job, Role.VIEWER).content.decode().partition("<main")[2]
    assert "Waiting and running" in page
    for doing in ("<form", "Run now", "Edit", "Delete", "Duplicate", "/abort/"):
        assert doing not in page


@pytest.mark.parametrize("place", ["run", "pause", "resume", "delete"])
def test_a_viewer_is_told_which_role_it_takes(job: Job, place: str) -> None:
    answer = browser_in(job.application, Role.VIEWER).post(at(job, place))
    assert answer.status_code == 403
    assert "Editor" in answer.content.decode()
    assert (Job.objects.count(), Run.objects.count()) == (1, 0)


@pytest.mark.parametrize("place", ["job", "run", "pause", "resume", "delete"])
def test_the_same_tag_of_another_application_is_not_there(job: Job, place: str) -> None:
    stranger = make_application("Charlie's")
    make_member(stranger.workspace, email="charlie@example.com")
    for slug in (job.application.slug, stranger.slug):
        address = reverse(f"jobs:{place}", args=[slug, job.tag])
        client = browser_in(stranger)
        answer = client.get(address) if place == "job" else client.post(address)
        assert answer.status_code == 404
    assert Runnable.objects.get().enabled


def test_a_hostile_name_stays_text(shop: Application) -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&"
    job = make_job(shop, "t", name=hostile, body=hostile, headers={"X-A": hostile})
    assert "<img" not in look(job).content.decode()


def test_it_takes_as_many_queries_for_many_runs_as_for_few(job: Job) -> None:
    counts = []
    for more in (1, 20):
        for _ in range(more):
            make_attempt(make_run(job.runnable, State.FAILED, attempts=1), ok=False)
            make_run(job.runnable, State.RUNNING, started_at=timezone.now())
        client = browser_in(job.application)
        client.get(at(job))
        with CaptureQueriesContext(connection) as queries:
            client.get(at(job))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 14, [query["sql"][:120] for query in queries]
