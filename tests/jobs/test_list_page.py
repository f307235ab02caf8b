"""The list of jobs: what it shows, filters and sorts; who sees what; and what it costs."""

import re
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Runnable, State
from badgerjobs.web.definitions import list_pages
from badgerjobs.workspaces.models import Application, Role
from jobs.filters import CHOICES, SORTS
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_application, make_attempt, make_job, make_run

HOUR = timedelta(hours=1)


def look(shop: Application, role: Role = Role.OWNER, headers: Any = None, **query: Any) -> HttpResponse:
    at = reverse("jobs:list", args=[shop.slug])
    return cast("HttpResponse", browser_in(shop, role).get(at, query, headers=headers or {}))


def shown(shop: Application, **query: Any) -> list[str]:
    """The tags of the rows, in their order."""
    return re.findall(r'id="job-([^"]+)"', look(shop, **query).content.decode())


def text(shop: Application, role: Role = Role.OWNER, **query: Any) -> str:
    """What stands on the page, blanks made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", look(shop, role, **query).content.decode()).split())


def five(shop: Application, now: datetime) -> None:
    """One job in each state."""
    make_job(shop, "enabled", now, run_every="PT1H", run_at=now + HOUR)
    make_job(shop, "paused", now, cron="0 8 * * *", enabled=False)
    once = make_job(shop, "once", now, run_at=now)
    Runnable.objects.filter(pk=once.runnable_id).update(next_run_at=None, last_run_at=now)
    make_job(shop, "by-hand", now)
    make_run(make_job(shop, "running", now, preset="daily").runnable, State.RUNNING, started_at=now)


@pytest.mark.parametrize(
    ("query", "tags"),
    [
        ({"state": "enabled"}, {"enabled", "by-hand", "running"}),
        ({"state": "paused"}, {"paused"}),
        ({"state": "ended"}, {"once"}),
        ({"state": "running"}, {"running"}),
        ({"schedule": "at a time"}, {"once"}),
        ({"schedule": "every"}, {"enabled"}),
        ({"schedule": "cron"}, {"paused"}),
        ({"schedule": "preset"}, {"running"}),
        ({"schedule": "by hand"}, {"by-hand"}),
        ({"state": "enabled", "schedule": "preset"}, {"running"}),
        ({"q": "HAND"}, {"by-hand"}),
        ({"q": "example.com"}, {"enabled", "paused", "once", "by-hand", "running"}),
        ({"q": "100%_"}, set()),
    ],
)
def test_a_filter_shows_what_matches(shop: Application, query: dict[str, Any], tags: set[str]) -> None:
    five(shop, timezone.now())
    assert set(shown(shop, **query)) == tags


@pytest.mark.parametrize("state", CHOICES["last"][1])
def test_the_last_result_is_that_of_the_last_run_that_is_over(shop: Application, state: str) -> None:
    for ended in CHOICES["last"][1]:
        runnable = make_job(shop, ended).runnable
        make_run(runnable, State.SUCCEEDED if ended == "failed" else State.FAILED)
        make_run(runnable, State(ended))
        make_run(runnable, State.RUNNING)
    make_job(shop, "never")
    assert shown(shop, last=state) == [state]


def test_every_choice_of_the_form_is_one_that_the_list_takes(shop: Application) -> None:
    make_job(shop)
    for name, (_, choices) in CHOICES.items():
        for choice in choices:
            query: dict[str, Any] = {name: choice}
            assert look(shop, **query).status_code == 200


@pytest.mark.parametrize(
    ("sort", "tags"),
    [
        ("", ["b", "a", "c"]),
        ("next_run", ["b", "a", "c"]),
        ("-next_run", ["a", "b", "c"]),
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
        ("last_run", ["c", "b", "a"]),
        ("-last_run", ["b", "c", "a"]),
        ("nonsense", ["b", "a", "c"]),
    ],
)
def test_it_is_sorted_by_what_the_address_says(shop: Application, sort: str, tags: list[str]) -> None:
    now = timezone.now()
    make_job(shop, "c", now, name="Zebra")
    make_job(shop, "b", now, name="yak", run_at=now + HOUR)
    make_job(shop, "a", now, name="Aardvark", run_at=now + 2 * HOUR)
    Runnable.objects.filter(name="c").update(last_run_at=now - HOUR)
    Runnable.objects.filter(name="b").update(last_run_at=now)
    assert shown(shop, sort=sort) == tags if sort else shown(shop) == tags


def test_each_column_that_sorts_says_how_and_turns_round(shop: Application) -> None:
    make_job(shop)
    page = look(shop, sort="name").content.decode()
    assert 'aria-sort="ascending"><a id="by-name" href="' in page
    assert "?sort=-name" in page
    assert page.count("aria-sort=") == len(SORTS)


def test_pages_are_walked_by_cursor_and_counted(shop: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_pages, "ROWS", 2)
    for number in range(5):
        make_job(shop, f"job-{number}")
    browser, at, seen = browser_in(shop), f"{reverse('jobs:list', args=[shop.slug])}?sort=name&q=job", []
    for said in ("1\u20132 of 5, by name", "3\u20134 of 5, by name", ">5 of 5, by name"):
        page = browser.get(at).content.decode()
        assert said in page
        seen += re.findall(r'id="job-([^"]+)"', page)
        if later := re.search(r'id="later" href="([^"]+)"', page):
            at = later[1].replace("&amp;", "&")
    assert seen == [f"job-{number}" for number in range(5)]
    assert 'id="earlier"' in page


def test_a_row_says_how_it_is(shop: Application) -> None:
    now = timezone.now()
    job = make_job(shop, "prices", now, name="Refresh prices", cron="0 8 * * *", time_zone="America/New_York")
    run = make_run(job.runnable, State.FAILED, attempts=4, started_at=now, finished_at=now - 2 * HOUR)
    make_attempt(run, 4, ok=False, error_class="status", result={"status": 503})
    make_run(job.runnable, State.RUNNING, started_at=now - timedelta(seconds=4))
    said = text(shop)
    for words in (
        "Refresh prices", "POST example.com/", "running by hand, 4", "so far", "At 08:00", "0 8 * * *",
        "08:00 New York · ", "503 4 attempts, 2 h ago",
    ):  # fmt: skip
        assert words in said
    assert 'aria-label="Last 2 runs: 1 failed, 1 running"' in look(shop).content.decode()


@pytest.mark.parametrize(
    ("error_class", "result", "said"),
    [
        ("connect", None, "no connection"),
        ("timeout", None, "no answer in time"),
        ("status", {"status": 404}, "404"),
        ("too_large", {"status": 200}, "answer too large"),
        ("unheard-of", None, "failed"),
    ],
)
def test_a_failure_is_said_in_few_words(shop: Application, error_class: str, result: Any, said: str) -> None:
    run = make_run(make_job(shop).runnable, State.FAILED, attempts=1)
    make_attempt(run, ok=False, error_class=error_class, result=result)
    assert f'<span class="state failed">{said}</span>' in look(shop).content.decode()


def test_what_is_set_stands_as_chips_that_can_be_taken_away(shop: Application) -> None:
    make_job(shop)
    page = look(shop, q="a b", state="paused", sort="name").content.decode()
    assert 'aria-label="Remove filter search"' in page
    assert f'href="{reverse("jobs:list", args=[shop.slug])}?state=paused&amp;sort=name"' in page
    assert "Remove filter" not in look(shop, sort="name").content.decode()


def test_a_form_without_scripts_leads_to_a_link_without_what_is_not_set(shop: Application) -> None:
    make_job(shop)
    answer = look(shop, q="", state="paused", last="", schedule="", sort="")
    assert (answer.status_code, answer["Location"]) == (302, f"{reverse('jobs:list', args=[shop.slug])}?state=paused")


def test_what_htmx_filters_becomes_the_address(shop: Application) -> None:
    make_job(shop)
    headers = {"HX-Request": "true", "HX-Target": "jobs", "HX-Trigger": "filters"}
    answer = look(shop, headers=headers, q="x", state="", last="", schedule="")
    assert answer["HX-Push-Url"] == f"{reverse('jobs:list', args=[shop.slug])}?q=x"
    assert answer.content.decode().strip().startswith('<section id="jobs"')


def test_what_updates_itself_leaves_the_address_alone(shop: Application) -> None:
    make_job(shop)
    answer = look(shop, headers={"HX-Request": "true", "HX-Target": "jobs", "HX-Trigger": "jobs"})
    assert "HX-Push-Url" not in answer
    assert 'hx-trigger="every 5s"' in answer.content.decode()


def test_without_jobs_the_page_says_what_comes_here_and_how(shop: Application) -> None:
    assert "Make the first job" in text(shop)
    assert "Make the first job" not in text(shop, Role.VIEWER)


def test_without_a_match_the_page_says_how_to_go_on(shop: Application) -> None:
    make_job(shop)
    assert "No job matches" in text(shop, q="nothing")


def test_a_viewer_sees_no_doings(shop: Application) -> None:
    make_job(shop)
    page = look(shop, Role.VIEWER).content.decode()
    assert 'id="job-a-job"' in page
    for doing in ("checkbox", "New job", "csrfmiddlewaretoken", 'name="do"'):
        assert doing not in page.partition("<main")[2]


def test_nobody_elses_jobs_are_shown_or_counted(shop: Application) -> None:
    make_job(make_application("Charlie's"), "charlies")
    make_job(shop, "mine")
    assert shown(shop) == ["mine"]
    assert "1 of 1, next run first" in text(shop)


@pytest.mark.parametrize("query", [{}, {"q": "a"}, {"state": "running"}, {"last": "failed"}], ids=str)
def test_it_takes_at_most_twelve_queries_however_many_rows(shop: Application, query: dict[str, str]) -> None:
    counts = []
    for more in (1, 9):
        for number in range(more):
            runnable = make_job(shop, f"a{more}-{number}", headers={"X-Key": "k"}, run_every="PT1H").runnable
            make_attempt(make_run(runnable, State.FAILED, attempts=1), ok=False)
            make_run(runnable, State.RUNNING)
        browser, at = browser_in(shop), reverse("jobs:list", args=[shop.slug])
        browser.get(at)
        with CaptureQueriesContext(connection) as queries:
            assert len(re.findall('id="job-', browser.get(at, query).content.decode())) == Job.objects.count()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 12, [query["sql"][:120] for query in queries]


@pytest.mark.parametrize("query", ["?q=&state=", "?sort=next_run&q="])
def test_the_whole_list_has_an_address_without_a_question_mark(shop: Application, query: str) -> None:
    at = reverse("jobs:list", args=[shop.slug])
    browser = browser_in(shop)
    assert browser.get(f"{at}{query}")["Location"] == at
    assert browser.get(f"{at}{query}", headers={"HX-Request": "true", "HX-Trigger": "filters"})["HX-Push-Url"] == at
    assert browser.get(reverse("jobs:bulk", args=[shop.slug]))["Location"] == at
    assert browser.get(f"{reverse('jobs:bulk', args=[shop.slug])}?q=a")["Location"] == f"{at}?q=a"
