"""The list of runs as a page: what its rows say, what it costs, how it is kept up to date."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from badgerjobs.runs.models import Cause, Runnable, State
from badgerjobs.runs.shown import CAUSE_WORDS
from badgerjobs.workspaces.models import Application, Role
from tests.clients import browser_in
from tests.factories import NOW, make_attempt, make_job, make_run
from tests.runs.runs_page import address, history, many

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 60])
def test_a_page_costs_at_most_twelve_queries_however_many_runs(shop: Application, count: int) -> None:
    for number in range(count):
        run = make_run(make_job(shop, f"job-{number}").runnable, State.FAILED, attempts=1)
        make_attempt(run, ok=False, error="It failed.", result={"status": 503})
    client = browser_in(shop)
    for query in ("", "?state=failed&state=queued&name=job-0&cause=manual"):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address(shop, query))
        assert len(queries) <= 12


def test_a_row_says_what_the_endpoint_answered_last(shop: Application) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.FAILED, number=7, attempts=2, started_at=NOW)
    make_attempt(run, 1, ok=False, error="No address.", error_class="dns")
    make_attempt(run, 2, ok=False, error="The endpoint answered 503.", result={"status": 503, "body": "x" * 9999})
    page = browser_in(shop).get(address(shop)).content.decode()
    assert "503 Service Unavailable" in page
    assert "x" * 9999 not in page


@pytest.mark.parametrize(
    ("error_class", "status", "said"),
    [("too_large", 200, "answer too large"), ("dns", None, "no such host"), ("bug", None, "What went wrong.")],
)
def test_what_went_wrong_is_called_the_same_in_the_list_on_its_page_and_on_the_jobs(
    shop: Application, error_class: str, status: int | None, said: str
) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.FAILED, attempts=1, error="What went wrong.")
    answer = {"status": status} if status else None
    make_attempt(run, ok=False, error="What went wrong.", error_class=error_class, result=answer)
    client = browser_in(shop)
    page = client.get(address(shop)).content.decode()
    assert f'<span class="cut" title="What went wrong.">{said}</span>' in page
    assert "200 OK" not in page
    page = client.get(reverse("runs:run", args=[shop.slug, run.pk])).content.decode()
    assert f'<span class="state failed" title="What went wrong.">{said}</span>' in page
    page = client.get(reverse("jobs:job", args=[shop.slug, "nightly"])).content.decode()
    assert f'<td class="lead second answer">{said}</td>' in page


def test_an_aborted_run_says_why_it_ended_and_not_what_was_tried_before(shop: Application) -> None:
    run = make_run(make_job(shop, "nightly").runnable, State.ABORTED, attempts=1, error="Aborted on request.")
    make_attempt(run, ok=False, error="It answered 503.", error_class="status", result={"status": 503})
    client = browser_in(shop)
    assert ">Aborted on request.</span>" in client.get(address(shop)).content.decode()
    results = client.get(reverse("jobs:job", args=[shop.slug, "nightly"])).content.decode().partition('id="results"')[2]
    assert '<td class="lead second answer">Aborted on request</td>' in results


def test_a_run_whose_zone_is_none_any_more_breaks_no_list(shop: Application) -> None:
    make_run(make_job(shop, "daily", preset="daily").runnable, State.RETRYING, number=1, occurrence=NOW)
    make_run(make_job(shop, "lost", cron="0 8 * * *").runnable, State.RETRYING, number=2, occurrence=NOW)
    Runnable.objects.filter(name="lost").update(time_zone="Atlantis/Capital")
    page = browser_in(shop).get(address(shop)).content.decode()
    assert page.count("Mon 2 Mar, 07:00 EST") == 2  # due, and due again
    assert page.count("Mon 2 Mar, 12:00 UTC") == 2


def test_a_cause_is_called_the_same_in_rows_and_in_the_filter(shop: Application) -> None:
    make_run(make_job(shop, "manual").runnable, cause=Cause.MANUAL)
    page = browser_in(shop).get(address(shop, "?cause=manual&name=manual"))
    assert '<option value="manual" selected>by hand</option>' in page.content.decode()
    assert '<td class="last second">by hand</td>' in page.content.decode()
    assert [words for words, _ in page.context["filters"].chips()] == ["name: manual", "cause: by hand"]


def test_every_cause_has_words() -> None:
    assert set(CAUSE_WORDS) == set(Cause)


def test_a_name_that_would_be_markup_is_text(shop: Application) -> None:
    make_run(make_job(shop, "<script>alert(1)<b>").runnable, State.FAILED, error="<img src=x onerror=alert(1)>")
    page = browser_in(shop).get(address(shop)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_the_first_page_updates_itself_and_answers_nothing_while_nothing_moved(shop: Application) -> None:
    runnable = history(shop)
    client = browser_in(shop)
    first = client.get(address(shop))
    assert 'hx-trigger="every 2s"' in first.content.decode()
    again = {"seen": first.context["stamp"]}
    assert client.get(address(shop), again, headers={"HX-Target": "results"}).status_code == 204
    make_run(runnable, number=9)
    part = client.get(address(shop), again, headers={"HX-Target": "results"})
    assert part.status_code == 200
    assert part.content.decode().strip().startswith('<section id="results"')
    assert "seen=" not in part.content.decode()
    older = client.get(address(shop, f"?before={first.context['page'].runs[0].pk}"))
    assert "every 2s" not in older.content.decode()


def test_an_empty_list_says_what_comes_here_and_a_filter_that_finds_none_how_to_go_on(shop: Application) -> None:
    client = browser_in(shop)
    assert "No runs yet" in client.get(address(shop)).content.decode()
    assert "No run matches" in client.get(address(shop, "?state=failed")).content.decode()


def test_who_may_only_look_sees_no_boxes_and_no_buttons(shop: Application) -> None:
    history(shop)
    page = browser_in(shop, Role.VIEWER).get(address(shop)).content.decode()
    assert 'type="checkbox" name="run"' not in page
    assert "Abort" not in page
    assert "Replay" not in page


def test_the_runs_of_a_renamed_job_bear_its_name_in_one_query_for_all(shop: Application) -> None:
    runnables = [make_job(shop, f"job-{number}", name=f"Name {number}").runnable for number in range(5)]
    counts = []
    for some in (runnables[:1], runnables):
        for runnable in some:
            make_run(runnable, number=1)
        client = browser_in(shop)
        client.get(address(shop))
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address(shop)).content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert all(f">Name {number}</span>" in page for number in range(5))
    assert "Name 0 1" in client.get(many(shop, "abort", "all=1")).content.decode()


def test_a_run_that_runs_says_for_how_long_and_not_how_long_ago(shop: Application) -> None:
    runnable = make_job(shop, "nightly").runnable
    make_run(runnable, State.RUNNING, number=1, started_at=timezone.now() - timedelta(seconds=41.5))
    page = browser_in(shop).get(address(shop)).content.decode()
    assert re.search(r'<td class="number last">4[1-9] s so far</td>', page)
