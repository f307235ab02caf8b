"""Past occurrences from the page of a job: what was missed is told, counted, asked about, and run."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Cause, Run, State
from badgerjobs.workspaces.models import Application, AuditEntry, Role
from jobs.models import Job
from jobs.page import JobPage
from tests.clients import browser_in
from tests.factories import make_job, make_run

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
MARCH = datetime(2026, 3, 2, 8, tzinfo=UTC)  # 09:00 in Zurich
DAY = {"since": "2026-03-02T09:00:00", "until": "2026-03-02T15:00:00", "per_minute": ""}


@pytest.fixture
def job(shop: Application) -> Job:
    """Every hour on the hour in Zurich, since the first of March."""
    return make_job(shop, "nightly", timezone.now(), cron="0 * * * *", time_zone="Europe/Zurich")


def send(job: Job, **form: str) -> HttpResponse:
    address = reverse("jobs:backfill", args=[job.application.slug, job.tag])
    return cast("HttpResponse", browser_in(job.application).post(address, form))


def hidden(answer: HttpResponse) -> dict[str, str]:
    """What the form of a question carries."""
    found = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.content.decode().partition("<main")[2])
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode().partition("<main")[2]).split())


def test_it_is_asked_for_a_time_then_whether_so_many_are_meant_and_then_they_run(job: Job) -> None:
    make_run(job.runnable, State.SUCCEEDED, occurrence=MARCH)

    asked = send(job, **DAY)

    assert asked.status_code == 200
    assert not Run.objects.filter(cause=Cause.BACKFILL).exists()
    said = words(asked)
    assert "Run 5 occurrences?" in said
    assert (
        "They go one after the other. An occurrence of the schedule that comes while one of them is queued or" in said
    )
    assert "Mon 2 Mar 10:00 Zurich" in said
    assert "and" not in said.partition("Mon 2 Mar 14:00 Zurich")[2]
    assert hidden(asked) == {**DAY, "missed": "", "asked": "5"}

    done = send(job, **hidden(asked))

    assert done.url == reverse("jobs:job", args=[job.application.slug, job.tag])  # type: ignore[attr-defined]
    made = Run.objects.filter(cause=Cause.BACKFILL).order_by("number")
    assert list(made.values_list("occurrence", flat=True)) == [MARCH + hour * HOUR for hour in range(1, 6)]
    entry = AuditEntry.objects.get(action="job.backfill")
    assert (entry.subject, entry.via, entry.changes["runs"]) == ("nightly", "panel", [None, 5])


def test_of_many_some_are_named_and_a_rate_says_when_the_last_begins(job: Job) -> None:
    asked = send(job, **{**DAY, "until": "2026-03-03T09:00:00", "per_minute": "10"})
    said = words(asked)
    assert "Run 24 occurrences?" in said
    assert "At most 10 begin in a minute: the last in 2 min 18 s, if none is held up." in said
    assert "and 19 more" in said
    send(job, **hidden(asked))
    dues = list(Run.objects.filter(cause=Cause.BACKFILL).order_by("number").values_list("due_at", flat=True))
    assert dues[1] - dues[0] == timedelta(seconds=6)


@pytest.mark.parametrize(
    ("overlap", "until", "said"),
    [
        (
            "skip",
            10,
            "It goes at once. An occurrence of the schedule that comes while it is queued or running is skipped:",
        ),
        ("skip", 15, "An occurrence of the schedule that comes while one of them is queued or running is skipped:"),
        (
            "queue_one",
            15,
            "They go one after the other. Of the schedule, one occurrence that comes while one of them is",
        ),
        (
            "queue_all",
            15,
            "that come while one of them is queued or running wait until that is over: so says its policy",
        ),
        ("cancel_running", 15, "waits, and takes the place of the one that waits already: so says its policy"),
        ("allow", 10, "It goes at once, beside the schedule."),
        ("allow", 15, "They go beside each other and the schedule."),
    ],
)
def test_what_a_backfill_does_to_the_schedule_is_said_as_it_is(job: Job, overlap: str, until: int, said: str) -> None:
    job.runnable.overlap = overlap
    job.runnable.save()
    assert said in words(send(job, **{**DAY, "until": f"2026-03-02T{until:02}:00:00"}))


def test_nothing_is_said_of_a_schedule_that_brings_nothing_more(job: Job) -> None:
    job.runnable.enabled, job.runnable.next_run_at = False, None
    job.runnable.save()
    said = words(send(job, **DAY))
    assert "They go one after the other. Mon" in said.replace("- ", "")


@pytest.mark.parametrize("asked", ["", "4", "x", "-5", "9999999999"])
def test_who_said_yes_to_fewer_is_asked_again(job: Job, asked: str) -> None:
    answer = send(job, **{**DAY, "asked": asked})
    assert "Run 6 occurrences?" in words(answer)
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Say from when on."),
        ({"since": "", "until": ""}, "Say until when."),
        ({"since": "yesterday"}, "This is no day and time"),
        ({"since": DAY["until"], "until": DAY["since"]}, "must be after the beginning"),
        ({"since": "2020-01-01T00:00:00"}, "at most 10,000"),
        ({"since": "2026-03-02T09:10", "until": "2026-03-02T09:50"}, "No occurrence in this time is without a run."),
        ({"since": "0001-01-01T00:00:00+00:00"}, "That is before 1970: give a later time."),
        ({"until": "9999-12-31T23:59"}, "give a time within the next ten years."),
        ({"per_minute": "0"}, "Give at least 1"),
        ({"per_minute": "many"}, "Give a whole number"),
    ],
)
def test_what_makes_no_sense_is_told_beside_its_field(job: Job, form: dict[str, str], said: str) -> None:
    answer = send(job, **({**DAY, **form, "asked": "99"} if form else {"asked": "99"}))
    assert answer.status_code == 200
    assert said in words(answer)
    assert not Run.objects.exists()


def test_a_link_brings_the_time_along_as_the_jobs_zone_has_it(job: Job) -> None:
    address = reverse("jobs:backfill", args=[job.application.slug, job.tag])
    query = {"since": "2026-03-02T08:00:00+00:00", "until": "rubbish"}
    page = browser_in(job.application).get(address, query).content.decode()
    assert 'name="since" value="2026-03-02T09:00:00"' in page
    assert "From, in Zurich" in page
    assert "rubbish" not in page.partition("<main")[2].partition("<form")[2].partition(">")[2]


def test_one_in_the_hour_that_comes_twice_is_meant_as_the_wall_first_shows_it(job: Job) -> None:
    asked = send(job, since="2025-10-26T02:00:00", until="2025-10-26T03:00:00", per_minute="")
    assert "Run 2 occurrences?" in words(asked)


def test_who_may_only_read_is_refused(job: Job) -> None:
    address = reverse("jobs:backfill", args=[job.application.slug, job.tag])
    assert browser_in(job.application, Role.VIEWER).post(address, DAY).status_code == 403


def outage(job: Job, **fields: Any) -> Run:
    """Three hours in which nothing was dispatched, ended a minute ago."""
    ended = timezone.now() - timedelta(minutes=1)
    given = {
        "cause": Cause.SCHEDULE, "occurrence": MARCH, "skipped_until": MARCH + 2 * HOUR, "skipped_count": 3,
        "skip_reason": "missed", "created_at": ended, "finished_at": ended, **fields,
    }  # fmt: skip
    return make_run(job.runnable, State.SKIPPED, **given)


def look(job: Job, role: Role = Role.OWNER) -> Any:
    return browser_in(job.application, role).get(reverse("jobs:job", args=[job.application.slug, job.tag]))


def test_after_an_outage_its_page_says_what_was_missed_and_what_was_run(job: Job) -> None:
    row = outage(job)
    later = make_run(job.runnable, State.SUCCEEDED, number=412, occurrence=MARCH + 3 * HOUR, created_at=row.finished_at)
    said = words(look(job))
    assert "Missed 3 occurrences between Mon 2 Mar 09:00 and Mon 2 Mar 11:00, Zurich; ran the latest, run 412" in said
    page = look(job).content.decode()
    assert reverse("runs:run", args=[job.application.slug, later.pk]) in page
    assert 'id="backfill"' in page
    assert 'id="backfill"' not in look(job, Role.VIEWER).content.decode()


def test_where_nothing_was_run_instead_it_says_so(job: Job) -> None:
    outage(job)
    make_run(job.runnable, State.SUCCEEDED, number=412, occurrence=MARCH + 9 * HOUR, created_at=timezone.now())
    assert "; ran none of them." in words(look(job))


def test_all_outages_of_a_week_are_told_and_one_door_runs_what_is_left_of_them_and_nothing_else(job: Job) -> None:
    for hours in (0, 5, 10):
        first = MARCH + hours * HOUR
        outage(job, occurrence=first, skipped_until=first + 2 * HOUR)
    other = MARCH + 4 * HOUR
    make_run(job.runnable, State.SKIPPED, occurrence=other, skipped_until=other, skipped_count=1, skip_reason="overlap")
    make_run(job.runnable, State.SUCCEEDED, cause=Cause.BACKFILL, occurrence=MARCH)
    said = words(look(job))
    assert "Missed 9 occurrences in 3 outages of the last week; 1 of them has been run since." in said
    assert "3 occurrences between Mon 2 Mar 19:00 and Mon 2 Mar 21:00, Zurich; ran none of them." in said
    assert said.index("Mon 2 Mar 19:00") < said.index("Mon 2 Mar 14:00 and") < said.index("Mon 2 Mar 09:00 and")

    page = look(job).content.decode()
    assert page.count('id="backfill"') == 1
    found = re.search(r'id="backfill" href="([^"]*)"', page)
    assert found
    client, address = browser_in(job.application), html.unescape(found[1])
    form = client.get(address).content.decode()
    assert re.search(r'name="missed"[^>]* checked', form)
    given = {name: re.search(rf'name="{name}" value="([^"]*)"', form)[1] for name in ("since", "until")}  # type: ignore[index]
    done = client.post(address, {**given, "missed": "on", "per_minute": "", "asked": "8"})
    assert done.status_code == 302
    made = Run.objects.filter(cause=Cause.BACKFILL).exclude(occurrence=MARCH).order_by("occurrence")
    run = [(one.occurrence - MARCH) // HOUR for one in made if one.occurrence]
    assert run == [1, 2, 5, 6, 7, 10, 11, 12]
    assert "Missed" not in words(look(job))


def test_the_newest_backfilled_the_older_ones_are_still_told(job: Job) -> None:
    outage(job)
    outage(job, occurrence=MARCH + 5 * HOUR, skipped_until=MARCH + 5 * HOUR, skipped_count=1)
    make_run(job.runnable, State.SUCCEEDED, cause=Cause.BACKFILL, occurrence=MARCH + 5 * HOUR)
    assert "Missed 3 occurrences between Mon 2 Mar 09:00 and Mon 2 Mar 11:00" in words(look(job))


def test_one_that_was_missed_alone_has_one_time(job: Job) -> None:
    outage(job, skipped_until=MARCH, skipped_count=1)
    assert "Missed 1 occurrence at Mon 2 Mar 09:00, Zurich; ran none instead." in words(look(job))


def test_many_outages_cost_no_more_to_tell_than_those_that_are_named(job: Job) -> None:
    counts = []
    for count in (5, 12):
        Run.objects.all().delete()
        for hours in range(count):
            first = MARCH + 3 * hours * HOUR
            outage(job, occurrence=first, skipped_until=first + HOUR, skipped_count=2)
        with CaptureQueriesContext(connection) as captured:
            page = JobPage(job, timezone.now()).missed
        assert page
        assert (page.outages, page.occurrences, len(page.shown)) == (count, 2 * count, 5)
        counts.append(len(captured))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"skip_reason": "overlap"},
        {"skip_reason": "paused"},
        {"finished_at": timezone.now() - timedelta(days=8)},
    ],
    ids=["overlap", "paused", "long ago"],
)
def test_nothing_is_said_of_what_was_not_missed_lately(job: Job, fields: dict[str, Any]) -> None:
    outage(job, **fields)
    assert "Missed" not in words(look(job))


def test_nothing_is_said_any_more_when_all_of_it_was_run(job: Job) -> None:
    outage(job)
    for hour in range(3):
        assert "Missed 3 occurrences" in words(look(job))
        make_run(job.runnable, State.SUCCEEDED, cause=Cause.BACKFILL, occurrence=MARCH + hour * HOUR)
    assert "Missed" not in words(look(job))


def test_its_results_have_what_was_skipped_without_a_number(job: Job) -> None:
    outage(job)
    said = words(look(job))
    assert "3 occurrences · 09:00\N{EN DASH}11:00 · nothing was dispatched then" in said


def test_a_held_run_is_no_run_that_lacks_a_slot(job: Job) -> None:
    make_run(job.runnable, State.QUEUED, number=7, held=True)
    said = words(look(job))
    assert "waits for the run before it" in said
    assert "waits for a free slot" not in said


def test_what_has_a_rhythm_offers_it_and_what_has_none_does_not(job: Job) -> None:
    by_hand = make_job(job.application, "by-hand")
    place = reverse("jobs:backfill", args=[job.application.slug, "by-hand"])
    assert reverse("jobs:backfill", args=[job.application.slug, job.tag]) in look(job).content.decode()
    assert place not in look(by_hand).content.decode()
