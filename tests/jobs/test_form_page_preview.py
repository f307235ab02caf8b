"""The form's page: the preview of what is typed, and of what is stored and planned."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from badgerjobs.runs.models import Runnable
from badgerjobs.workspaces.models import Application
from jobs.models import Job
from tests.clients import browser_in
from tests.factories import make_application, make_job, make_member
from tests.jobs.form_page import FORM, edit, new, text_of


@pytest.fixture
def alice(shop: Application) -> Client:
    return browser_in(shop)


def test_a_preview_without_scripts_is_a_button_of_the_form(alice: Client, shop: Application) -> None:
    answer = alice.post(
        new(shop), {**FORM, "when": "cron", "cron": "0 8 * * *", "endpoint": "unfinished", "do": "preview"}
    )
    assert "At 08:00" in text_of(answer)
    assert "Nothing is saved yet" not in text_of(answer)
    assert 'value="unfinished"' in answer.content.decode()


def preview(alice: Client, shop: Application, **fields: Any) -> str:
    given = {"when": "cron", "cron": "0 8 * * *", "time_zone": "America/New_York", "enabled": "on", **fields}
    answer = alice.post(
        reverse("jobs:preview", args=[shop.slug]), given, headers={"HX-Request": "true", "HX-Target": "preview"}
    )
    assert answer.status_code == 200
    assert answer.content.decode().strip().startswith('<section id="preview"')
    return text_of(answer)


def test_a_preview_is_told_in_its_zone_and_the_readers(alice: Client, shop: Application) -> None:
    alice.cookies["zone"] = "Europe/Zurich"
    shown = preview(alice, shop)
    assert "At 08:00" in shown
    assert "Next runs New York Zurich" in shown
    assert shown.count("Zurich") > 5


def test_a_preview_has_a_row_where_clocks_change(
    alice: Client, shop: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 10, 30, 12, 30, tzinfo=UTC))
    alice.cookies["zone"] = "Asia/Tokyo"
    assert "Clocks go back in New York, Sun 1 Nov 02:00" in preview(alice, shop)


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"cron": "x"}, "It needs five fields"),
        ({"time_zone": "Zurich"}, "did you mean Europe/Zurich?"),
        ({"when": "hand"}, "By hand only"),
        ({"enabled": ""}, "It is paused: none of these will run until it is resumed."),
        ({"when": "preset", "preset": "weekly"}, "Next runs EST UTC"),
        ({"when": "at", "at": "2020-01-01T00:00"}, "Once, at 2020-01-01"),
        ({"when": "every", "every": "15", "unit": "minutes", "time_zone": "UTC"}, "Every 15 minutes"),
    ],
)
def test_a_preview_says_what_a_schedule_means(
    alice: Client, shop: Application, fields: dict[str, str], shown: str
) -> None:
    assert shown in preview(alice, shop, **fields)


def test_a_preview_costs_no_query_of_its_own(
    alice: Client, shop: Application, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(5):  # the session, who it is of and when it was last seen; application and member
        preview(alice, shop)


def preview_tag(answer: Any) -> str:
    found = re.search(r'<section id="preview"[^>]*>', answer.content.decode())
    return found[0] if found else ""


def test_a_preview_is_asked_for_again_while_its_form_stays_open(alice: Client, shop: Application) -> None:
    """Of a new job from what stands in the form; of a stored one that nobody has changed, what is planned."""
    job = make_job(shop, "refresh", timezone.now() + timedelta(days=1), run_every="P1D")
    typed, stored = f'hx-post="{reverse("jobs:preview", args=[shop.slug])}"', f'hx-get="{edit(job)}"'
    schedule = {"when": "every", "every": "1", "unit": "days", "time_zone": "UTC", "enabled": "on"}
    asked = alice.post(reverse("jobs:preview", args=[shop.slug]), schedule)
    for answer, how in ((alice.get(new(shop)), typed), (asked, typed), (alice.get(edit(job)), stored)):
        assert how in preview_tag(answer)
        assert 'hx-trigger="every 60s"' in preview_tag(answer)
    part = alice.get(edit(job), headers={"HX-Request": "true", "HX-Target": "preview"})
    assert part.content.decode().count("<section") == 1
    assert stored in preview_tag(part)
    of_it = typed.replace('/"', '/?job=refresh"')
    assert of_it in preview_tag(alice.post(edit(job), {**FORM, "do": "preview"}))


HOURLY = {"when": "every", "every": "1", "unit": "hours", "time_zone": "UTC"}


def rows_of(alice: Client, job: Job, **fields: str) -> list[datetime]:
    at = f"{reverse('jobs:preview', args=[job.application.slug])}?job={job.tag}"
    return [row.moment for row in alice.post(at, {**HOURLY, **fields}).context["preview"].rows]


def test_a_stored_job_whose_rhythm_stays_is_previewed_as_it_is_planned(alice: Client, shop: Application) -> None:
    job = make_job(shop, "refresh", timezone.now() - timedelta(minutes=20), run_every="PT1H")
    planned = job.runnable.anchor + timedelta(hours=1)
    Runnable.objects.filter(pk=job.runnable_id).update(next_run_at=planned)  # its first run was made
    assert rows_of(alice, job, enabled="on")[0] == planned
    assert rows_of(alice, job, enabled="on", every="2")[0] != planned
    Runnable.objects.filter(pk=job.runnable_id).update(enabled=False, next_run_at=None)
    assert rows_of(alice, job, enabled="on")[0] == planned  # resumed, it keeps its rhythm
    assert rows_of(alice, job)[0] == planned


def test_a_job_of_another_application_is_not_previewed(alice: Client) -> None:
    theirs = make_job(make_application("Charlie's"), "refresh")
    mine = make_application("Alice's other")
    make_member(mine.workspace)
    assert alice.post(f"{reverse('jobs:preview', args=[mine.slug])}?job={theirs.tag}", HOURLY).status_code == 404
