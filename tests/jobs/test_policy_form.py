"""Policies in the form: the same rules as by REST, what is stored comes back, and the preview keeps to them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Runnable
from badgerjobs.runs.previews import preview_of
from badgerjobs.workspaces.audit import OPERATOR
from badgerjobs.workspaces.models import Application
from jobs.forms import JobForm
from jobs.initial import initial_like, initial_new, initial_of
from jobs.models import Job
from jobs.services import create_job, update_job
from tests.callers import Caller
from tests.clients import browser_in
from tests.in_turn import in_turn
from tests.jobs.form_page import FORM, opened, said, text_of

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
FAR = datetime(2030, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
# The form as a browser sends it that nobody touched, and a job by REST that means the same.
EVERY = {
    **FORM, "when": "every", "every": "10", "unit": "minutes", "ends": "never", "end_at": "", "max_runs": "",
    "spread": "", "spread_unit": "minutes", "overlap": "skip", "catch_up": "latest", "catch_up_within": "",
    "catch_up_within_unit": "minutes", "priority": "50",
}  # fmt: skip
JOB = {"tag": "refresh", "endpoint": "https://example.com/", "verb": "POST", "run_every": "PT10M"}
POLICIES = {
    "end_at": FAR, "max_runs": 12, "spread_s": 90, "overlap": "queue_all", "catch_up": "all",
    "catch_up_within_s": 7200, "priority": 7,
}  # fmt: skip


@pytest.fixture
def browser(shop: Application) -> Client:
    return browser_in(shop)


def job_of(shop: Application, **fields: Any) -> Job:
    given = {"endpoint": "https://example.com/", "verb": "POST", "run_every": "PT1H", **fields}
    return create_job(application=shop, tag="refresh", by=OPERATOR, now=timezone.now(), **given)


def stored() -> dict[str, Any]:
    return dict(Runnable.objects.values(*POLICIES).get())


def new(shop: Application) -> str:
    return reverse("jobs:new", args=[shop.slug])


def edit(job: Job) -> str:
    return reverse("jobs:edit", args=[job.application.slug, job.tag])


PAST = "2020-01-01T00:00"
UNTICKED = {"retryable": "", "retry_policy": "incremental", "retries": "3", "retry_step": "10", "retry_for": ""}
# What REST is told, what the form is told, beside which field of each it is said, and what is the way out in both.
CONTRADICTIONS: list[tuple[Mapping[str, Any], Mapping[str, str], str, str, str]] = [
    ({"catch_up": "all"}, {"catch_up": "all"}, "catch_up", "catch_up", "latest"),
    ({"catch_up": "all", "overlap": "queue_one"}, {"catch_up": "all", "overlap": "queue_one"}, "catch_up", "catch_up",
     "latest"),
    ({"catch_up": "all", "overlap": "cancel_running"}, {"catch_up": "all", "overlap": "cancel_running"}, "catch_up",
     "catch_up", "latest"),
    ({"catch_up": "none", "catch_up_within": "PT1H"}, {"catch_up": "none", "catch_up_within": "60"}, "catch_up_within",
     "catch_up_within", "leave"),
    ({"time_zone": "Zurich"}, {"time_zone": "Zurich"}, "time_zone", "time_zone", "did you mean Europe/Zurich?"),
    ({"time_zone": "Mars/Olympus"}, {"time_zone": "Mars/Olympus"}, "time_zone", "time_zone", "not a time zone"),
    ({"run_every": None, "cron": "*/5 * * * * *"}, {"when": "cron", "cron": "*/5 * * * * *"}, "cron", "cron",
     "For less than a minute"),
    ({"end_at": f"{PAST}Z"}, {"ends": "time", "end_at": PAST}, "end_at", "end_at", "give a time after"),
    ({"run_at": "2030-01-02T00:00:00Z", "end_at": "2030-01-01T00:00:00Z"},
     {"start": "2030-01-02T00:00", "ends": "time", "end_at": "2030-01-01T00:00"}, "end_at", "end_at",
     "give a time after 2030-01-02T00:00:00Z"),
    ({"run_every": None, "cron": "0 0 1 1 *", "end_at": "{soon}Z"},
     {"when": "cron", "cron": "0 0 1 1 *", "ends": "time", "end_at": "{soon}"}, "end_at", "end_at", "give a later one"),
    ({"spread": "PT11M"}, {"spread": "11"}, "spread", "spread", "10 minutes: give that at most"),
    ({"run_every": None, "cron": "*/5 * * * *", "spread": "PT1H"},
     {"when": "cron", "cron": "*/5 * * * *", "spread": "1", "spread_unit": "hours"}, "spread", "spread", "5 minutes"),
    ({"max_runs": 0}, {"ends": "runs", "max_runs": "0"}, "max_runs", "max_runs", "Give 1 run at least"),
    ({"max_runs": "many"}, {"ends": "runs", "max_runs": "many"}, "max_runs", "max_runs", "like 100"),
    ({"priority": 101}, {"priority": "101"}, "priority", "priority", "from 0 to 100"),
    ({"priority": "high"}, {"priority": "high"}, "priority", "priority", "from 0 to 100"),
    ({"run_every": None, "run_every_ms": 999}, {"every": "999", "unit": "milliseconds"}, "run_every_ms", "every",
     "one second"),
    ({"overlap": "both"}, {"overlap": "both"}, "overlap", "overlap", "both"),
    ({"run_every": None, "spread": "PT5M"}, {"when": "hand", "spread": "5"}, "spread", "spread", "what runs by hand"),
    ({"run_every": None, "catch_up": "none"}, {"when": "hand", "catch_up": "none"}, "catch_up", "catch_up", "latest"),
    ({"run_every": None, "catch_up_within": "PT1H"}, {"when": "hand", "catch_up_within": "60"}, "catch_up_within",
     "catch_up_within", "never missed"),
    ({"catch_up_within": "PT0S"}, {"catch_up_within": "0"}, "catch_up_within", "catch_up_within", "no limit"),
    ({"retryable": False, "retry_for": 3600}, {**UNTICKED, "retry_for": "3600"}, "retry_for", "retry_for",
     "leave this"),
    ({"retryable": False, "retry_step": 60}, {**UNTICKED, "retry_step": "60"}, "retry_step", "retry_step",
     "leave this"),
    ({"retryable": False, "retry_statuses": "503"}, {**UNTICKED, "retry_statuses": "503"}, "retry_statuses",
     "retry_statuses", "leave this"),
    ({"retry_statuses": "410"}, {"retry_statuses": "410"}, "retry_statuses", "retry_statuses", "410 is never"),
]  # fmt: skip


@in_turn(
    "fields, typed, field, beside, way_out",
    CONTRADICTIONS,
)
def test_what_contradicts_is_refused_by_rest_and_in_the_form_with_the_way_out(  # noqa: PLR0917
    alice: Caller,
    fields: dict[str, Any],
    typed: dict[str, str],
    field: str,
    beside: str,
    way_out: str,
) -> None:
    soon = f"{timezone.now() + HOUR:%Y-%m-%dT%H:%M}"  # the first of January is later than that, or it is New Year
    fields, typed = (
        {name: value.format(soon=soon) if isinstance(value, str) else value for name, value in given.items()}
        for given in (fields, typed)
    )
    answer = alice.post("/jobs/", {**JOB, **fields})
    assert (answer.status, list(answer.errors)) == (400, [field])
    assert way_out.lower() in answer.errors[field][0].lower()
    page = browser_in(alice.application).post(new(alice.application), {**EVERY, **typed})
    assert list(page.context["form"].errors) == [beside]
    assert way_out.lower() in str(page.context["form"].errors[beside][0]).lower()
    assert f'id="{beside}_error"' in page.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("typed", "beside", "said"),
    [
        ({"ends": "time"}, "end_at", "Say when it ends"),
        ({"ends": "time", "end_at": "soon"}, "end_at", "This is no day and time"),
        ({"ends": "runs"}, "max_runs", "Say after how many runs"),
        ({"ends": "sometimes"}, "ends", "sometimes"),
        ({"spread": "x"}, "spread", "Give a number, like 5"),
        ({"spread": "1.5", "spread_unit": "seconds"}, "spread", "whole number of seconds"),
        ({"catch_up_within": "x"}, "catch_up_within", "Give a number, like 5"),
        ({"catch_up_within": "0"}, "catch_up_within", "leave it empty for no limit"),
        ({"when": "cron", "cron": "*/5 * * * * *"}, "cron", "choose “Every” above, like 30 seconds."),
        ({"catch_up": "all"}, "catch_up", "choose “Let all wait” or “Run beside it” there"),
        ({"catch_up": "none", "catch_up_within": "1"}, "catch_up_within", "choose “The latest” or “All” above"),
    ],
)
def test_what_only_a_person_can_get_wrong_is_said_in_the_words_of_the_form(
    browser: Client, shop: Application, typed: dict[str, str], beside: str, said: str
) -> None:
    errors = browser.post(new(shop), {**EVERY, **typed}).context["form"].errors
    assert list(errors) == [beside]
    assert said in errors[beside][0]


def test_everything_that_is_wrong_is_said_at_once(browser: Client, shop: Application) -> None:
    wrong = {"ends": "both", "end_at": PAST, "max_runs": "x", "spread": "2", "spread_unit": "hours",
             "catch_up": "all", "priority": "-1"}  # fmt: skip
    form = browser.post(new(shop), {**EVERY, **wrong}).context["form"]
    assert form.wrong() == [
        ("end_at", "Until"), ("max_runs", "How many"), ("catch_up", "After an outage, run"),
        ("spread", "Spread over"), ("priority", "Priority"),
    ]  # fmt: skip


def test_a_job_is_made_with_every_policy(browser: Client, shop: Application) -> None:
    typed = {
        "ends": "both", "end_at": "2030-01-01T12:30:15.123456", "max_runs": "12", "spread": "1.5",
        "overlap": "queue_all", "catch_up": "all", "catch_up_within": "2", "catch_up_within_unit": "hours",
        "priority": "7",
    }  # fmt: skip
    assert browser.post(new(shop), {**EVERY, **typed}).status_code == 302
    assert stored() == POLICIES


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"ends": "never"}, {"end_at": None, "max_runs": None}),
        ({"ends": "time"}, {"end_at": datetime(2030, 1, 1, tzinfo=UTC), "max_runs": None}),
        ({"ends": "runs"}, {"end_at": None, "max_runs": 3}),
        ({"ends": "both"}, {"end_at": datetime(2030, 1, 1, tzinfo=UTC), "max_runs": 3}),
        ({"ends": "both", "when": "hand"}, {"end_at": None, "max_runs": None}),
        ({"ends": "both", "when": "at", "at": "2030-01-01T00:00"}, {"end_at": None, "max_runs": None}),
        ({"priority": "", "spread": "0"}, {"priority": 50, "spread_s": 0}),
    ],
)
def test_only_what_is_chosen_counts(
    browser: Client, shop: Application, typed: dict[str, str], kept: dict[str, Any]
) -> None:
    given = {**EVERY, "end_at": "2030-01-01T00:00", "max_runs": "3", **typed}
    assert browser.post(new(shop), given).status_code == 302
    assert {name: stored()[name] for name in kept} == kept


@pytest.mark.parametrize("fields", [POLICIES, {"max_runs": 2}, {"end_at": FAR, "time_zone": "Asia/Tokyo"}, {}], ids=len)
def test_what_is_stored_comes_back_and_a_save_changes_nothing(
    browser: Client, shop: Application, fields: dict[str, Any]
) -> None:
    job = job_of(shop, **fields)
    before, updated = stored(), Runnable.objects.get().next_run_at
    assert browser.post(edit(job), opened(browser, job)).status_code == 302
    assert (stored(), Runnable.objects.get().next_run_at) == (before, updated)


def test_a_form_that_does_not_have_them_leaves_them(browser: Client, shop: Application) -> None:
    job = job_of(shop, **POLICIES)
    assert browser.post(edit(job), {**FORM, "when": "every", "every": "2", "unit": "hours"}).status_code == 302
    assert (Runnable.objects.get().run_every, stored()) == ("PT2H", POLICIES)


def test_a_job_like_another_has_its_policies(shop: Application) -> None:
    like, of = initial_like(job_of(shop, **POLICIES)), initial_of(Job.objects.get())
    names = ("ends", "end_at", "max_runs", "spread", "spread_unit", "overlap", "catch_up", "catch_up_within",
             "catch_up_within_unit", "priority")  # fmt: skip
    assert [like[name] for name in names] == [of[name] for name in names]
    assert [str(of[name]) for name in names] == [
        "both", "2030-01-01T12:30:15", "12", "90", "seconds", "queue_all", "all", "2", "hours", "7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "is_open"),
    [
        ({}, False), ({"end_at": FAR, "max_runs": 3}, False), ({"spread_s": 60}, True), ({"overlap": "allow"}, True),
        ({"catch_up": "none"}, True), ({"catch_up_within_s": 60}, True), ({"priority": 0}, True),
    ],
)  # fmt: skip
def test_the_part_with_the_policies_is_open_when_one_is_its_own(
    browser: Client, shop: Application, fields: dict[str, Any], is_open: bool
) -> None:
    page = browser.get(edit(job_of(shop, **fields))).content.decode()
    assert ('<details class="more" open>\n  <summary>Overlap' in page) is is_open


def test_the_part_with_the_policies_is_open_when_something_is_wrong_there(browser: Client, shop: Application) -> None:
    assert not JobForm(initial=initial_new(shop), application=shop).has_own_policies()
    assert browser.post(new(shop), {**EVERY, "spread": "11"}).context["form"].has_own_policies()
    assert not browser.post(new(shop), {**EVERY, "timeout": "x"}).context["form"].has_own_policies()


def test_policies_that_others_change_while_a_form_is_open_stay(browser: Client, shop: Application) -> None:
    job = job_of(shop)
    form = opened(browser, job)
    update_job(job=job, by=OPERATOR, now=timezone.now(), overlap="allow", priority=3, spread_s=60)
    assert browser.post(edit(job), {**form, "name": "Mine"}).status_code == 302
    runnable = Runnable.objects.get()
    assert (runnable.overlap, runnable.priority, runnable.spread_s) == ("allow", 3, 60)
    asked = browser.post(edit(job), {**form, "overlap": "queue_all", "spread": "5"})
    assert asked.context["form"].wrong() == [("when", "When"), ("overlap", "When the run before is not over")]


def preview(browser: Client, shop: Application, *of: Job, **typed: str) -> Any:
    at = reverse("jobs:preview", args=[shop.slug]) + "".join(f"?job={job.tag}" for job in of)
    return browser.post(at, {**EVERY, "every": "1", "unit": "hours", **typed})


def moments(answer: Any) -> list[datetime]:
    return [row.moment for row in answer.context["preview"].rows]


@pytest.mark.parametrize(
    ("typed", "count", "ends"),
    [
        ({}, 5, False),
        ({"ends": "runs", "max_runs": "2"}, 2, True),
        ({"ends": "runs", "max_runs": "5"}, 5, True),
        ({"ends": "runs", "max_runs": "6"}, 5, False),
        ({"ends": "time", "end_at": "{end}"}, 3, True),
        ({"ends": "both", "end_at": "{end}", "max_runs": "2"}, 2, True),
        ({"when": "at", "at": "2030-01-01T00:00"}, 1, False),
    ],
)
def test_a_preview_stops_where_the_schedule_ends_and_says_so(
    browser: Client, shop: Application, typed: dict[str, str], count: int, ends: bool
) -> None:
    end = f"{timezone.now() + 2.5 * HOUR:%Y-%m-%dT%H:%M:%S}"
    answer = preview(browser, shop, **{name: value.format(end=end) for name, value in typed.items()})
    assert len(moments(answer)) == count
    assert ("Then it ends." in text_of(answer)) is ends


def test_a_preview_shows_when_it_starts_at_the_jobs_own_place_in_its_spread(browser: Client, shop: Application) -> None:
    cron = {"when": "cron", "cron": "0 * * * *", "spread": "30"}
    answer = preview(browser, shop, **cron)
    shown = moments(answer)
    assert shown[0].minute or shown[0].second
    assert browser.post(new(shop), {**EVERY, **cron}).status_code == 302
    runnable = Runnable.objects.get()
    assert runnable.next_run_at == shown[0]
    assert moments(preview(browser, shop, Job.objects.get(), **cron)) == shown
    later = [one + timedelta(milliseconds=runnable.offset_ms) for one in runnable.schedule.upcoming(timezone.now(), 5)]
    assert shown == later
    assert "Spread over 30 minutes: each starts" in text_of(answer)


def test_without_a_name_there_is_no_place_in_a_spread_yet(browser: Client, shop: Application) -> None:
    answer = preview(browser, shop, when="cron", cron="0 * * * *", spread="30", name="")
    assert {(one.minute, one.second) for one in moments(answer)} == {(0, 0)}
    assert "each starts up to so much later, as its tag has it" in text_of(answer)


@pytest.mark.parametrize("typed", [{}, {"spread": "20"}, {"ends": "runs", "max_runs": "4"}, {"every": "2"}], ids=len)
def test_the_preview_of_a_stored_job_is_what_saving_it_plans(
    browser: Client, shop: Application, typed: dict[str, str]
) -> None:
    job = job_of(shop, cron="0 * * * *", run_every="", spread_s=600, max_runs=3)
    Runnable.objects.update(scheduled_runs=1)
    form = {**opened(browser, job), "when": "cron", **typed}
    shown = moments(preview(browser, shop, job, **form))
    assert browser.post(edit(job), form).status_code == 302
    runnable = Runnable.objects.get()
    assert runnable.next_run_at == shown[0]
    assert len(shown) == (runnable.max_runs or 0) - 1
    page = browser.get(reverse("jobs:job", args=[shop.slug, job.tag]))
    assert [row.moment for row in page.context["page"].next.rows] == shown


def test_what_follows_a_run_that_is_late_in_its_spread_is_not_left_out() -> None:
    """The occurrence after the one that is planned may come before that one starts."""
    second, now = timedelta(seconds=1), FAR
    late = {"next_run_at": now + 13 * second, "offset_ms": 8000, "spread_s": 10}  # of an occurrence due at now + 5 s
    runnable = Runnable(run_every="PT10S", anchor=now, name="refresh", **late)
    rows = preview_of(runnable, now).rows
    assert [(row.moment - now).total_seconds() for row in rows] == [13, 18, 28, 38, 48]


def test_an_end_that_is_already_reached_is_told(browser: Client, shop: Application) -> None:
    job = job_of(shop, max_runs=3)
    Runnable.objects.update(scheduled_runs=3, next_run_at=None)
    assert "Nothing is planned any more: it has ended." in text_of(browser.get(edit(job)))
    page = text_of(browser.get(reverse("jobs:job", args=[shop.slug, job.tag])))
    assert "Nothing is planned any more: 3 of 3 runs made." in page
    assert moments(preview(browser, shop, job, ends="runs", max_runs="4"))
    answer = browser.post(edit(job), {**opened(browser, job), "max_runs": "4"})
    assert "It runs" in said(answer)[0]


def test_the_page_of_a_job_says_each_policy_that_is_not_usual(browser: Client, shop: Application) -> None:
    usual = text_of(browser.get(reverse("jobs:job", args=[shop.slug, job_of(shop).tag])))
    for word in ("Ends", "Overlap", "Catch-up", "Spread", "Priority", "Then it ends."):
        assert word not in usual
    Runnable.objects.update(**{**POLICIES, "max_runs": 2}, offset_ms=61_000)
    shown = text_of(browser.get(reverse("jobs:job", args=[shop.slug, "refresh"])))
    for words in (
        "Ends Tue 1 Jan 2030 12:30:15 UTC, or after 2 runs; 0 of 2 runs made",
        "Overlap while a run is not over, the next ones wait, and run one after the other",
        "Catch-up what was missed is run, the oldest first, if it was due at most 2 hours before",
        "Spread over 1 minute and 30 seconds: each starts 1 min 1 s after its time",
        "Priority 7 of 100; lower goes first, 50 is usual",
        "Next 2 runs",
        "Then it ends.",
    ):
        assert words in shown
    listed = text_of(browser.get(reverse("jobs:list", args=[shop.slug])))
    assert "until 2030-01-01 12:30:15 UTC, 0 of 2 runs made" in listed


def test_an_end_before_the_start_is_told_in_the_zone_of_the_form(browser: Client, shop: Application) -> None:
    typed = {"start": "2030-01-02T08:00", "ends": "time", "end_at": "2030-01-01T00:00", "time_zone": "Europe/Zurich"}
    errors = browser.post(new(shop), {**EVERY, **typed}).context["form"].errors
    assert errors == {"end_at": ["The end is before the start: give a time after 2030-01-02T08:00:00+01:00."]}


def test_a_job_that_is_not_tried_again_can_be_unticked_and_copied_as_the_form_shows_it(
    browser: Client, shop: Application
) -> None:
    own = {"backoff": "exponential", "retries": 4, "retry_step_s": 60, "retry_statuses": "503"}
    job = job_of(shop, **own)
    unticked = {**initial_of(job), "retryable": False, "headers": []}
    assert JobForm(unticked, job=job).is_valid()
    update_job(job=job, by=OPERATOR, now=timezone.now(), retryable=False, retries=0)
    like = initial_like(job, shop)
    assert JobForm({**like, "headers": []}, application=shop).is_valid()
