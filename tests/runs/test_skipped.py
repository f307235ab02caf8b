"""What was not run, on its page and in lists: which occurrences, how many, why, and what was done about it."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from badgerjobs.runs import skipped
from badgerjobs.runs.models import Cause, Run, Runnable, State
from badgerjobs.workspaces.models import Application, Role
from tests.clients import browser_in
from tests.factories import NOW, make_job, make_run

ZURICH = ZoneInfo("Europe/Zurich")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def row(count: int | None = 1, last: datetime | None = None, reason: str = "overlap") -> Run:
    return Run(state=State.SKIPPED, occurrence=NOW, skipped_until=last or NOW, skipped_count=count, skip_reason=reason)


@pytest.mark.parametrize(
    ("run", "line", "story"),
    [
        (
            row(12, NOW + 110 * MINUTE),
            "12 occurrences · 13:00\N{EN DASH}14:50 · the run before was not over",
            "12 occurrences, Mon 2 Mar 13:00\N{EN DASH}14:50, were not run: the run before was not over.",
        ),
        (
            row(1, reason="missed"),
            "1 occurrence · 13:00 · nothing was dispatched then",
            "1 occurrence, Mon 2 Mar 13:00, was not run: nothing was dispatched then.",
        ),
        (
            row(1234, NOW + 50 * HOUR, "paused"),
            "1,234 occurrences · Mon 2 Mar 13:00 \N{EN DASH} Wed 4 Mar 15:00 · it was paused",
            "1,234 occurrences, Mon 2 Mar 13:00 \N{EN DASH} Wed 4 Mar 15:00, were not run: it was paused.",
        ),
        (row(None, reason=""), "1 occurrence · 13:00 · it was not run", "1 occurrence, Mon 2 Mar 13:00, was not run."),
    ],
    ids=["overlap", "one", "many days", "no reason"],
)
def test_occurrences_that_were_skipped_are_told_in_words(run: Run, line: str, story: str) -> None:
    assert skipped.line(run, ZURICH) == line
    assert skipped.story(run, ZURICH) == story


@pytest.fixture
def runnable(shop: Application) -> Runnable:
    return make_job(shop, "nightly", run_every="PT1H", run_at=NOW - 100 * HOUR, time_zone="Europe/Zurich").runnable


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def missed(runnable: Runnable, **fields: Any) -> Run:
    given = {
        "cause": Cause.SCHEDULE, "occurrence": NOW, "skipped_until": NOW + 2 * HOUR, "skipped_count": 3,
        "skip_reason": "missed", **fields,
    }  # fmt: skip
    return make_run(runnable, State.SKIPPED, **given)


def look(client: Client, run: Run) -> str:
    address = reverse("runs:run", args=[run.application.slug, run.pk])
    return " ".join(client.get(address).content.decode().partition("<main")[2].split())


@pytest.mark.django_db
def test_its_page_tells_its_story_and_offers_to_run_them(alice: Client, runnable: Runnable) -> None:
    make_run(runnable, State.SUCCEEDED, number=4)
    run = missed(runnable)
    page = look(alice, run)
    assert "<h1>3 occurrences" in page
    assert "3 occurrences, Mon 2 Mar 13:00\N{EN DASH}15:00, were not run: nothing was dispatched then." in page
    assert "None of them has been run since." in page
    assert 'aria-label="Older run, 4"' in page
    backfill = reverse("jobs:backfill", args=[run.application.slug, "nightly"])
    query = "since=2026-03-02T12%3A00%3A00%2B00%3A00&amp;until=2026-03-02T14%3A00%3A01%2B00%3A00"
    assert f'href="{backfill}?{query}"' in page
    assert 'id="replay"' not in page
    assert "Run 0" not in page
    assert 'id="exchange"' not in page


@pytest.mark.django_db
def test_it_says_how_many_have_been_run_since(alice: Client, runnable: Runnable) -> None:
    run = missed(runnable)
    for hour in (-1, 0, 1, 3):  # the first and the last are none of them
        make_run(runnable, State.SUCCEEDED, cause=Cause.BACKFILL, occurrence=NOW + hour * HOUR)
    missed(runnable, occurrence=NOW + HOUR)
    assert "2 of them have been run since." in look(alice, run)


@pytest.mark.django_db
def test_who_may_only_read_is_not_offered_to_run_them(shop: Application, runnable: Runnable) -> None:
    page = look(browser_in(shop, Role.VIEWER), missed(runnable))
    assert "Backfill" not in page


@pytest.mark.django_db
def test_beside_it_a_run_says_that_it_was_skipped(alice: Client, runnable: Runnable) -> None:
    run = make_run(runnable, State.SUCCEEDED, number=4)
    missed(runnable)
    assert 'aria-label="Newer, skipped"' in look(alice, run)


@pytest.mark.django_db
def test_a_list_says_what_was_skipped_without_a_number(alice: Client, runnable: Runnable) -> None:
    run = missed(runnable)
    page = alice.get(reverse("runs:list", args=[run.application.slug])).content.decode()
    assert "3 occurrences · 13:00\N{EN DASH}15:00 · nothing was dispatched then" in page
    assert 'aria-label="Select nightly skipped"' in page
    assert 'title="nightly"' in page
    assert "nightly 0" not in page


@pytest.mark.django_db
def test_a_list_says_that_a_held_run_waits_for_the_one_before(alice: Client, runnable: Runnable) -> None:
    run = make_run(runnable, State.QUEUED, number=7, held=True)
    page = alice.get(reverse("runs:list", args=[run.application.slug])).content.decode()
    assert "waits for the run before it" in page


@pytest.mark.django_db
def test_a_held_run_names_the_run_that_it_waits_for(alice: Client, runnable: Runnable) -> None:
    make_run(runnable, State.RETRYING, number=40)
    before = make_run(runnable, State.RUNNING, number=41)
    first, second, third = (make_run(runnable, State.QUEUED, number=42 + n, held=True) for n in range(3))
    link = f'<a id="in-the-way" href="{reverse("runs:run", args=[before.application.slug, before.pk])}">run 41</a>'
    assert f"<b>It is due, and waits for</b> {link} to be over.</div>" in look(alice, first)
    assert f"{link} to be over, and for 2 more that came before it.</div>" in look(alice, third)

    Run.objects.filter(pk=before.pk).update(state=State.SUCCEEDED)

    assert "waits for</b> the run before it to be over" in look(alice, second)


@pytest.mark.django_db
def test_the_page_of_a_held_run_is_another_one_when_it_may_go(alice: Client, runnable: Runnable) -> None:
    run = make_run(runnable, State.QUEUED, number=41, held=True)
    address = reverse("runs:run", args=[run.application.slug, run.pk])
    seen = alice.get(address).context["page"].stamp
    assert alice.get(address, {"seen": seen}).status_code == 204
    Run.objects.filter(pk=run.pk).update(held=False)
    assert alice.get(address, {"seen": seen}).status_code == 200
