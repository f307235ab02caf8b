"""The strip of now: what ran, what runs and what is due, drawn around this moment."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from badgerjobs.runs.models import Runnable, State
from badgerjobs.workspaces.models import Application
from tests.factories import make_job
from tests.panel.overview.past import DAY, MINUTE, NOW, SECOND, ran
from tests.panel.overview.readers import overview

pytestmark = pytest.mark.django_db


def test_the_strip_tells_what_ran_what_runs_and_what_is_due(shop: Application) -> None:
    runnable = make_job(shop, "reprice", now=NOW, run_every="PT1M").runnable
    Runnable.objects.update(next_run_at=NOW + MINUTE)
    ran(runnable, NOW - 300 * SECOND)
    ran(runnable, NOW - 210 * SECOND, State.FAILED, finished_at=NOW - 200 * SECOND)
    ran(runnable, NOW - 100 * SECOND, State.RUNNING)
    ran(runnable, NOW - 60 * SECOND, finished_at=NOW - 30 * SECOND)
    ran(runnable, NOW - 700 * SECOND)
    [(words, lane)] = overview(shop).live
    assert words == "HTTP jobs"
    assert lane["ended"] == "M300 4v16"
    assert lane["failed"] == "M400 2v20"
    assert (lane["running"], lane["count"]) == ("M500 12H600", 1)
    assert lane["stretches"] == "M540 12H570"
    assert lane["due"] == "".join(f"M{600 + 60 * minute} 4v16" for minute in range(1, 6))


def test_what_is_overdue_stands_where_now_is(shop: Application) -> None:
    make_job(shop, "reprice", now=NOW, run_every="PT2M")
    Runnable.objects.update(next_run_at=NOW - 3 * DAY)
    assert overview(shop).live[0][1]["due"] == "M600 4v16M720 4v16M840 4v16"


def test_what_is_due_stands_at_its_place_in_its_spread_and_no_later_than_its_end(shop: Application) -> None:
    make_job(shop, "reprice", now=NOW, run_every="PT1M", spread_s=60, max_runs=5)
    Runnable.objects.update(next_run_at=NOW + 80 * SECOND, offset_ms=20_000, scheduled_runs=2)
    assert overview(shop).live[0][1]["due"] == "M680 4v16M740 4v16M800 4v16"


def test_the_strip_is_drawn_once_for_all_who_look(shop: Application, runnable: Runnable) -> None:
    assert overview(shop).live
    with CaptureQueriesContext(connection) as queries:
        assert overview(shop, now=NOW + SECOND).live
    assert len(queries) == 0
    ran(runnable, NOW)
    assert overview(shop, now=NOW + 2 * SECOND).live[0][1]["ended"]


def test_however_many_runs_there_are_the_strip_reads_a_bounded_number(shop: Application, runnable: Runnable) -> None:
    for _ in range(30):
        ran(runnable, NOW - 10 * SECOND)
    assert overview(shop).live[0][1]["said"].startswith("10 ran")
